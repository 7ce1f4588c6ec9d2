#include "storage/stream_name.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr absl::string_view kShardIdPrefix = "shardId-";
constexpr size_t kShardIdDigits = 12;
constexpr uint64_t kShardIndexMax = 0x7fffffff;

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         c == '.' || c == '-';
}

absl::Status NoSuchShard(absl::string_view text) {
  return MakeError(ErrorReason::kResourceNotFound,
                   absl::StrCat("Could not find shard ", text, "."));
}

}  // namespace

absl::Status CheckName(absl::string_view text, absl::string_view member) {
  std::vector<absl::string_view> constraints;
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsNameCharacter)) {
    constraints.push_back(
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  }
  if (text.empty()) {
    constraints.push_back("Member must have length greater than or equal to 1");
  }
  if (text.size() > kNameCharactersMax) {
    constraints.push_back("Member must have length less than or equal to 128");
  }
  if (constraints.empty()) return absl::OkStatus();
  const auto describe = [&](std::string* out, absl::string_view constraint) {
    absl::StrAppend(out, "Value '", text, "' at '", member,
                    "' failed to satisfy constraint: ", constraint);
  };
  return MakeError(
      ErrorReason::kValidation,
      absl::StrCat(constraints.size(), " validation error",
                   constraints.size() == 1 ? "" : "s",
                   " detected: ", absl::StrJoin(constraints, "; ", describe)));
}

absl::StatusOr<StreamName> StreamName::Parse(absl::string_view text,
                                             absl::string_view member) {
  RETURN_IF_ERROR(CheckName(text, member));
  return StreamName(std::string(text));
}

std::string ShardIdToString(ShardIndex shard) {
  const std::string digits = shard.ToString();
  std::string text(kShardIdPrefix);
  text.append(kShardIdDigits - digits.size(), '0');
  return text + digits;
}

absl::StatusOr<ShardIndex> ParseShardId(absl::string_view text,
                                        absl::string_view member) {
  RETURN_IF_ERROR(CheckName(text, member));
  absl::string_view digits = text;
  if (absl::StartsWith(digits, kShardIdPrefix))
    digits.remove_prefix(kShardIdPrefix.size());
  if (digits.empty() || digits.size() > kShardIdDigits)
    return NoSuchShard(text);
  uint64_t index = 0;  // 12 digits cannot overflow it.
  for (const char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)))
      return NoSuchShard(text);
    index = index * 10 + static_cast<uint64_t>(c - '0');
  }
  if (index > kShardIndexMax) return NoSuchShard(text);
  return ShardIndex(static_cast<uint32_t>(index));
}

}  // namespace trireme
