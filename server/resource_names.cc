#include "server/resource_names.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/limits.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr char kNamePattern[] = "[a-zA-Z0-9_.-]+";
constexpr char kArnPattern[] = R"(arn:aws.*:kinesis:.*:\d{12}:stream/\S+)";

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

absl::StatusOr<absl::string_view> ResolveStreamName(
    const StreamAddress& address, const Account& account) {
  if (address.name.empty() && address.arn.empty() && !address.is_resource) {
    return MakeError(ErrorReason::kInvalidArgument,
                     "Either StreamName or StreamARN should be provided.");
  }
  Violations violations;
  if (!address.name.empty()) {
    CheckResourceName("streamName", address.name, &violations);
  }
  violations.CheckLength(ArnMember(address), address.arn, address.arn.size(),
                         address.is_resource ? 1 : 0, kArnCharactersMax);
  RETURN_IF_ERROR(violations.ToStatus());
  if (address.arn.empty()) return address.name;
  return ResolveArn(address, account);
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
