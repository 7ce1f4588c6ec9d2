#include "server/aws/aws_error.h"

#include <utility>

#include "server/aws/message_writer.h"
#include "server/aws/utf8.h"
#include "server/error_map.h"
#include "storage/errors.h"

namespace trireme {

AwsError ToAwsError(const absl::Status& status) {
  ErrorDescription error = DescribeError(status);
  switch (ReasonOf(status)) {
    case ErrorReason::kInternalFailure:
    case ErrorReason::kOutcomeUnknown:
      return {500, "InternalFailureException", std::move(error.message)};
    case ErrorReason::kOverloaded:
    case ErrorReason::kNoLeader:
    case ErrorReason::kDiskFull:
    case ErrorReason::kShardSealed:
    case ErrorReason::kNodeStarting:
      return {503, "ServiceUnavailableException", std::move(error.message)};
    case ErrorReason::kNone:
      if (error.code == absl::StatusCode::kUnavailable) {
        return {503, "ServiceUnavailableException", std::move(error.message)};
      }
      return {500, "InternalFailureException", std::move(error.message)};
    default:
      return {400, std::move(error.reason), std::move(error.message)};
  }
}

std::string EncodeError(MessageFormat format, const AwsError& error) {
  MessageWriter writer(format);
  writer.BeginMap();
  writer.Key("__type").String(error.code);
  if (!error.message.empty()) {
    // These have it with a capital letter (kinesis-contract.md §1.2).
    writer.Key(error.code == "SerializationException" ? "Message" : "message")
        .String(ToUtf8(error.message));
  }
  writer.EndMap();
  return writer.Take();
}

}  // namespace trireme
