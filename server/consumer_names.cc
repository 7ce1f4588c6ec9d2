#include "server/consumer_names.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "server/validation.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr char kConsumerPart[] = "/consumer/";
constexpr char kPattern[] =
    R"(Member must satisfy regular expression pattern: ^(arn):aws.*:kinesis:)"
    R"(.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+)";

struct ParsedArn {
  absl::string_view stream_arn;
  absl::string_view name;
  uint64_t created_s = 0;
};

// Leaves the stream's ARN to those who know one.
std::optional<ParsedArn> Parse(absl::string_view arn) {
  const size_t at = arn.rfind(kConsumerPart);
  if (at == absl::string_view::npos) return std::nullopt;
  ParsedArn parsed;
  parsed.stream_arn = arn.substr(0, at);
  absl::string_view rest = arn.substr(at + sizeof(kConsumerPart) - 1);
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  parsed.name = rest.substr(0, colon);
  const absl::string_view seconds = rest.substr(colon + 1);
  if (!IsResourceName(parsed.name) || !IsDecimal(seconds, 20) ||
      !absl::SimpleAtoi(seconds, &parsed.created_s)) {
    return std::nullopt;
  }
  return parsed;
}

absl::StatusOr<ConsumerName> ResolveByArn(const ConsumerAddress& address,
                                          const Account& account) {
  const absl::string_view member =
      address.is_resource ? "resourceARN" : "consumerARN";
  Violations violations;
  violations.CheckLength(member, address.arn, address.arn.size(), 1,
                         kArnCharactersMax);
  const std::optional<ParsedArn> arn = Parse(address.arn);
  // What stands before the consumer is checked as any stream's ARN is.
  absl::StatusOr<absl::string_view> stream = absl::string_view();
  if (arn.has_value()) {
    stream = ResolveStreamName({"", arn->stream_arn}, account);
  }
  if (!arn.has_value() || ReasonOf(stream.status()) == ErrorReason::kValidation)
    violations.Add(member, address.arn, kPattern);
  RETURN_IF_ERROR(violations.ToStatus());
  RETURN_IF_ERROR(stream.status());
  return ConsumerName{std::string(*stream), std::string(arn->name),
                      arn->created_s};
}

absl::Status Disagree(const ConsumerAddress& address) {
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("ConsumerARN ", address.arn, " is not of the ",
                   address.name.empty() ? "stream" : "stream and ConsumerName",
                   " that are given with it; give one or the other."));
}

}  // namespace

bool IsConsumerArn(absl::string_view arn) {
  return absl::StrContains(arn, kConsumerPart);
}

absl::StatusOr<ConsumerName> ResolveConsumer(const ConsumerAddress& address,
                                             const Account& account) {
  const bool has_stream =
      !address.stream.name.empty() || !address.stream.arn.empty();
  if (address.arn.empty() && !address.is_resource &&
      (!has_stream || address.name.empty())) {
    return MakeError(ErrorReason::kInvalidArgument,
                     "Either ConsumerARN or both StreamARN and ConsumerName "
                     "should be provided.");
  }
  Violations violations;
  if (!address.name.empty()) {
    CheckResourceName("consumerName", address.name, &violations);
  }
  RETURN_IF_ERROR(violations.ToStatus());
  ConsumerName named{"", std::string(address.name), std::nullopt};
  if (has_stream) {
    ASSIGN_OR_RETURN(const absl::string_view stream,
                     ResolveStreamName(address.stream, account));
    named.stream = std::string(stream);
  }
  if (address.arn.empty() && !address.is_resource) return named;
  ASSIGN_OR_RETURN(ConsumerName by_arn, ResolveByArn(address, account));
  if ((has_stream && named.stream != by_arn.stream) ||
      (!address.name.empty() && named.name != by_arn.name)) {
    return Disagree(address);
  }
  return by_arn;
}

const ConsumerRow* FindConsumer(const Stream& stream,
                                const ConsumerName& name) {
  const auto found = stream.consumers.by_name.find(name.name);
  if (found == stream.consumers.by_name.end() ||
      (name.created_s.has_value() &&
       *name.created_s != found->second.created_s)) {
    return nullptr;
  }
  return &*found;
}

std::string ConsumerArn(const Account& account, absl::string_view stream_name,
                        absl::string_view name, uint64_t created_s) {
  return absl::StrCat(StreamArn(account, stream_name), kConsumerPart, name, ":",
                      created_s);
}

absl::Status ConsumerNotFound(const ConsumerName& name,
                              const Account& account) {
  const std::string which =
      name.created_s.has_value()
          ? absl::StrCat(" that was registered at ", *name.created_s)
          : "";
  return MakeError(
      ErrorReason::kResourceNotFound,
      absl::StrCat("Consumer ", name.name, which, " of stream ", name.stream,
                   " under account ", account.id, " not found."));
}

}  // namespace trireme
