#include "server/resource_names.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/limits.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr char kNamePattern[] = "[a-zA-Z0-9_.-]+";
constexpr char kArnPattern[] = R"(arn:aws.*:kinesis:.*:\d{12}:stream/\S+)";

// A StreamId: so many characters, a stream's number first.
constexpr size_t kStreamIdCharacters = 24;
constexpr size_t kStreamIdDigits = 20;
constexpr char kStreamIdEnd[] = "-000";

struct ParsedArn {
  absl::string_view region;
  absl::string_view account;
  absl::string_view stream_name;
};

std::optional<ParsedArn> ParseStreamArn(absl::string_view arn) {
  const std::vector<absl::string_view> parts = absl::StrSplit(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" ||
      !absl::StartsWith(parts[1], "aws") || parts[2] != "kinesis") {
    return std::nullopt;
  }
  absl::string_view name = parts[5];
  if (parts[4].size() != 12 || !absl::ConsumePrefix(&name, "stream/") ||
      !IsResourceName(name)) {
    return std::nullopt;
  }
  return ParsedArn{parts[3], parts[4], name};
}

bool IsStreamId(absl::string_view text) {
  if (text.size() != kStreamIdCharacters) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool fits = i == kStreamIdDigits ? text[i] == '-'
                                           : absl::ascii_isdigit(text[i]) ||
                                                 absl::ascii_islower(text[i]);
    if (!fits) return false;
  }
  return true;
}

// Nothing for one that StreamIdToString never gives.
std::optional<StreamId> ParseStreamId(absl::string_view text) {
  uint32_t number = 0;
  if (!absl::ConsumeSuffix(&text, kStreamIdEnd) ||
      !absl::SimpleAtoi(text, &number)) {
    return std::nullopt;
  }
  return StreamId(number);
}

absl::string_view ArnMember(const StreamAddress& address) {
  return address.is_resource ? "resourceARN" : "streamARN";
}

absl::StatusOr<absl::string_view> ResolveArn(const StreamAddress& address,
                                             const Account& account) {
  const std::optional<ParsedArn> arn = ParseStreamArn(address.arn);
  if (!arn.has_value()) {
    Violations violations;
    violations.Add(ArnMember(address), address.arn,
                   absl::StrCat("Member must satisfy regular expression "
                                "pattern: ",
                                kArnPattern));
    return violations.ToStatus();
  }
  if (!address.name.empty() && address.name != arn->stream_name) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("StreamName ", address.name, " and StreamARN ",
                     address.arn,
                     " name different streams; give one of them."));
  }
  if (arn->account != account.id || arn->region != account.region) {
    return MakeError(
        ErrorReason::kResourceNotFound,
        absl::StrCat("Stream ", arn->stream_name, " under account ",
                     arn->account, " in ", arn->region, " not found."));
  }
  return arn->stream_name;
}

}  // namespace

bool IsResourceName(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
  });
}

void CheckResourceName(absl::string_view member, absl::string_view text,
                       Violations* violations) {
  if (!text.empty() && !IsResourceName(text)) {
    violations->Add(member, text,
                    absl::StrCat("Member must satisfy regular expression "
                                 "pattern: ",
                                 kNamePattern));
  }
  violations->CheckLength(member, text, text.size(), 1,
                          kStreamNameCharactersMax);
}

absl::StatusOr<StreamRef> ResolveStream(const StreamAddress& address,
                                        const Account& account) {
  if (address.name.empty() && address.arn.empty() && address.id.empty() &&
      !address.is_resource) {
    return MakeError(ErrorReason::kInvalidArgument,
                     "Either StreamName or StreamARN should be provided.");
  }
  Violations violations;
  if (!address.name.empty()) {
    CheckResourceName("streamName", address.name, &violations);
  }
  violations.CheckLength(ArnMember(address), address.arn, address.arn.size(),
                         address.is_resource ? 1 : 0, kArnCharactersMax);
  if (!address.id.empty() && !IsStreamId(address.id)) {
    violations.Add("streamId", address.id,
                   "Member must satisfy regular expression pattern: "
                   "[a-z0-9]{20}-[a-z0-9]{3}");
  }
  RETURN_IF_ERROR(violations.ToStatus());
  StreamRef ref{address.name, std::nullopt};
  if (!address.arn.empty()) {
    ASSIGN_OR_RETURN(ref.name, ResolveArn(address, account));
  }
  if (!address.id.empty()) {
    ref.id = ParseStreamId(address.id);
    if (!ref.id.has_value()) {
      return MakeError(
          ErrorReason::kResourceNotFound,
          absl::StrCat("Stream with StreamId ", address.id, " under account ",
                       account.id, " not found."));
    }
  }
  return ref;
}

absl::StatusOr<absl::string_view> ResolveStreamName(
    const StreamAddress& address, const Account& account) {
  ASSIGN_OR_RETURN(const StreamRef ref, ResolveStream(address, account));
  return ref.name;
}

absl::Status CheckNamesAgree(const StreamRef& ref,
                             absl::string_view stream_name) {
  if (ref.name.empty() || ref.name == stream_name) return absl::OkStatus();
  return MakeError(ErrorReason::kInvalidArgument,
                   absl::StrCat("The stream is named ", ref.name,
                                " but the StreamId is that of stream ",
                                stream_name, "; give one of them."));
}

std::string StreamIdToString(StreamId id) {
  return absl::StrFormat("%020d%s", id.value(), kStreamIdEnd);
}

std::string StreamArn(const Account& account, absl::string_view stream_name) {
  return absl::StrCat("arn:aws:kinesis:", account.region, ":", account.id,
                      ":stream/", stream_name);
}

absl::Status StreamNotFound(absl::string_view stream_name,
                            const Account& account) {
  return MakeError(ErrorReason::kResourceNotFound,
                   absl::StrCat("Stream ", stream_name, " under account ",
                                account.id, " not found."));
}

absl::Status StreamNotActive(absl::string_view stream_name,
                             absl::string_view state, const Account& account) {
  return MakeError(
      ErrorReason::kResourceInUse,
      absl::StrCat("Stream ", stream_name, " under account ", account.id,
                   " not ACTIVE, instead in state ", state));
}

absl::Status ShardNotFound(absl::string_view shard_id,
                           absl::string_view stream_name,
                           const Account& account) {
  return MakeError(
      ErrorReason::kResourceNotFound,
      absl::StrCat("Shard ", shard_id, " in stream ", stream_name,
                   " under account ", account.id, " does not exist"));
}

}  // namespace trireme
