// How commands end that change what state a stream is in.
#ifndef TRIREME_CLIENT_CLI_STREAM_CHANGE_H_
#define TRIREME_CLIENT_CLI_STREAM_CHANGE_H_

#include <string>

#include "absl/status/status.h"
#include "client/cli/format.h"
#include "client/cli/session.h"
#include "client/client.h"

namespace trireme::cli {

// Tells the state it is in now, in JSON with `details`, or the failure.
int ConcludeState(Session& session, const absl::Status& status,
                  const std::string& stream, const std::string& state,
                  const Json& details = Json::object());

// Waits until the stream is ACTIVE again if it should, then tells what state it
// is in, in JSON with `details`. `begun`: how the change began.
int ConcludeChange(Session& session, client::Client& client,
                   const std::string& stream, bool wait, absl::Status begun,
                   const Json& details);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_STREAM_CHANGE_H_
