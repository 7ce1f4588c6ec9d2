#include "server/tags.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr char kPattern[] =
    R"(Member must satisfy regular expression pattern: )"
    R"(^([\p{L}\p{Z}\p{N}_.:/=+\-@%]*)$)";

// Beyond ASCII every character is taken.
bool IsTagText(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return !absl::ascii_isascii(byte) || absl::ascii_isalnum(byte) ||
           absl::StrContains(" _.:/=+-@%", c);
  });
}

void CheckText(absl::string_view member, absl::string_view text, size_t min,
               size_t max, Violations* violations) {
  if (!IsTagText(text)) violations->Add(member, text, kPattern);
  violations->CheckLength(member, text, Utf8Characters(text), min, max);
}

void CheckKey(absl::string_view member, absl::string_view key,
              Violations* violations) {
  CheckText(member, key, 1, kTagKeyCharactersMax, violations);
}

}  // namespace

void CheckTags(const Tags& tags, Violations* violations) {
  violations->CheckLength("tags", absl::StrCat(tags.size(), " tags"),
                          tags.size(), 1, kTagsOfRequestMax);
  for (const auto& [key, value] : tags) {
    CheckKey("tags.key", key, violations);
    CheckText(absl::StrCat("tags.", key, ".member"), value, 0,
              kTagValueCharactersMax, violations);
  }
}

void CheckTagKeys(const std::vector<std::string>& keys,
                  Violations* violations) {
  violations->CheckLength("tagKeys", absl::StrCat(keys.size(), " keys"),
                          keys.size(), 1, kTagKeysOfRequestMax);
  for (size_t i = 0; i < keys.size(); ++i) {
    CheckKey(absl::StrCat("tagKeys.", i + 1, ".member"), keys[i], violations);
  }
}

absl::Status CheckTagKeysAreFree(const Tags& tags) {
  for (const auto& [key, value] : tags) {
    if (!absl::StartsWithIgnoreCase(key, "aws:")) continue;
    return MakeError(ErrorReason::kInvalidArgument,
                     absl::StrCat("the key of tag ", key,
                                  " begins with aws:, which is reserved"));
  }
  return absl::OkStatus();
}

absl::Status CheckTagCount(size_t count, absl::string_view kind,
                           absl::string_view name, const Account& account) {
  if (count <= kTagsMax) return absl::OkStatus();
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("Failed to add tags to ", kind, " ", name, " under account ",
                   account.id, " because a given ", kind,
                   " cannot have more than ", kTagsMax,
                   " tags associated with it; it would have ", count));
}

}  // namespace trireme
