#include "server/grpc/grpc_status.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "google/rpc/error_details.pb.h"
#include "server/error_map.h"
#include "server/validation.h"

namespace trireme {
namespace {

constexpr absl::Duration kTimeoutDefault = absl::Seconds(10);
// A caller's deadline may be years away; what waits here may not.
constexpr absl::Duration kTimeoutMax = absl::Minutes(5);
// Clients take 8 KiB of trailers, and give up a call whose error is longer. A
// message is in them twice, up to three bytes for one.
constexpr size_t kMessageBytesMax = 1024;

std::string CutToFit(const std::string& message) {
  if (message.size() <= kMessageBytesMax) return message;
  return absl::StrCat(Utf8Prefix(message, kMessageBytesMax), "...");
}

void AddRetry(absl::Duration after, google::rpc::Status* status) {
  google::rpc::RetryInfo retry;
  const int64_t millis = absl::ToInt64Milliseconds(after);
  retry.mutable_retry_delay()->set_seconds(millis / 1000);
  retry.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>(millis % 1000 * 1'000'000));
  status->add_details()->PackFrom(retry);
}

void AddViolations(const std::vector<FieldViolation>& violations,
                   google::rpc::Status* status) {
  google::rpc::BadRequest bad_request;
  for (const FieldViolation& violation : violations) {
    auto& added = *bad_request.add_field_violations();
    added.set_field(ProtoFieldPath(violation.member));
    added.set_description(violation.constraint);
  }
  status->add_details()->PackFrom(bad_request);
}

std::string SnakeCase(absl::string_view camel) {
  std::string snake;
  for (size_t i = 0; i < camel.size(); ++i) {
    // An acronym ("streamARN") and a unit ("sizeInKiB") are one word.
    const bool begins_word = absl::ascii_isupper(camel[i]) && i > 0 &&
                             !absl::ascii_isupper(camel[i - 1]) &&
                             !absl::EndsWith(snake, "ki");
    if (begins_word) snake += '_';
    snake += absl::ascii_tolower(camel[i]);
  }
  return snake;
}

}  // namespace

std::string ProtoFieldPath(absl::string_view member) {
  std::vector<std::string> path;
  for (const absl::string_view part : absl::StrSplit(member, '.')) {
    // AWS's lists have "member" between them and their elements.
    if (part != "member") path.push_back(SnakeCase(part));
  }
  return absl::StrJoin(path, ".");
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  ErrorDescription error = DescribeError(status);
  error.message = CutToFit(error.message);
  google::rpc::Status details;
  details.set_code(static_cast<int>(error.code));
  details.set_message(error.message);
  google::rpc::ErrorInfo info;
  info.set_reason(error.reason);
  info.set_domain(kErrorDomain);
  details.add_details()->PackFrom(info);
  if (error.retry_after.has_value()) AddRetry(*error.retry_after, &details);
  if (!error.violations.empty()) AddViolations(error.violations, &details);
  // absl's canonical codes are gRPC's.
  return grpc::Status(static_cast<grpc::StatusCode>(error.code), error.message,
                      details.SerializeAsString());
}

absl::Duration TimeLeft(const grpc::ServerContextBase& context) {
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) {
    return kTimeoutDefault;
  }
  const absl::Duration left = absl::FromChrono(deadline) - absl::Now();
  return std::clamp(left, absl::ZeroDuration(), kTimeoutMax);
}

}  // namespace trireme
