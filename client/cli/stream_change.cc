#include "client/cli/stream_change.h"

#include <utility>

#include "client/cli/exit_code.h"

namespace trireme::cli {

int ConcludeChange(Session& session, client::Client& client,
                   const std::string& stream, bool wait, absl::Status begun,
                   const Json& details) {
  absl::Status status = std::move(begun);
  if (status.ok() && wait) {
    status = client.WaitUntilActive(stream, session.timeout);
  }
  if (!status.ok()) return session.Fail(status);
  std::ostream& out = session.console().out;
  const std::string state = wait ? "ACTIVE" : "UPDATING";
  if (session.json()) {
    Json json{{"StreamName", stream}, {"StreamStatus", state}};
    json.update(details);
    out << Dump(json, true) << "\n";
  } else {
    out << "stream " << stream << " is " << state << "\n";
  }
  return kExitOk;
}

}  // namespace trireme::cli
