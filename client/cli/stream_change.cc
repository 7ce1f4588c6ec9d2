#include "client/cli/stream_change.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/conclude.h"

namespace trireme::cli {

int ConcludeState(Session& session, const absl::Status& status,
                  const std::string& stream, const std::string& state,
                  const Json& details) {
  Json json{{"StreamName", stream}, {"StreamStatus", state}};
  if (!details.is_null()) json.update(details);
  return Conclude(session, status, json,
                  absl::StrCat("stream ", stream, " is ", state));
}

int ConcludeChange(Session& session, client::Client& client,
                   const std::string& stream, bool wait, absl::Status begun,
                   const Json& details) {
  absl::Status status = std::move(begun);
  if (status.ok() && wait) {
    status = client.WaitUntilActive(stream, session.timeout);
  }
  return ConcludeState(session, status, stream, wait ? "ACTIVE" : "UPDATING",
                       details);
}

}  // namespace trireme::cli
