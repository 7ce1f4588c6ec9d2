// How commands that change something end: with what they did, or its failure.
#ifndef TRIREME_CLIENT_CLI_CONCLUDE_H_
#define TRIREME_CLIENT_CLI_CONCLUDE_H_

#include <string>

#include "absl/status/status.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/session.h"

namespace trireme::cli {

// `json` for programs, `text` for people.
inline int Conclude(Session& session, const absl::Status& status,
                    const Json& json, const std::string& text) {
  if (!status.ok()) return session.Fail(status);
  session.console().out << (session.json() ? Dump(json, true) : text) << "\n";
  return kExitOk;
}

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_CONCLUDE_H_
