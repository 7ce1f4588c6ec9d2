#include "server/aws/access_keys.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace trireme {
namespace {

constexpr size_t kIdCharactersMin = 3;
constexpr size_t kIdCharactersMax = 128;
constexpr size_t kSecretCharactersMin = 8;
constexpr size_t kSecretCharactersMax = 256;

bool IsIdCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
}

bool IsSecretCharacter(char c) {
  return absl::ascii_isgraph(static_cast<unsigned char>(c));
}

absl::Status Annotate(absl::string_view where, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(where, status.message()));
}

}  // namespace

absl::StatusOr<AccessKeys> AccessKeys::Make(std::vector<AccessKey> keys) {
  AccessKeys made;
  for (size_t i = 0; i < keys.size(); ++i) {
    const absl::Status added = made.Add(std::move(keys[i]));
    if (!added.ok()) {
      return Annotate(absl::StrCat("access key ", i + 1, ": "), added);
    }
  }
  return made;
}

absl::StatusOr<AccessKeys> AccessKeys::Parse(absl::string_view text,
                                             absl::string_view source_name) {
  AccessKeys made;
  size_t line_number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty() || words[0][0] == '#') continue;
    const absl::Status added =
        words.size() == 2
            ? made.Add({words[0], words[1]})
            : absl::InvalidArgumentError(absl::StrCat(
                  words.size(), " words; write ID SECRET, a blank between"));
    if (!added.ok()) {
      return Annotate(absl::StrCat(source_name, ":", line_number, ": "), added);
    }
  }
  if (made.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        source_name, ": has no access key; write lines of ID SECRET"));
  }
  return made;
}

const std::string* AccessKeys::FindSecret(absl::string_view id) const {
  const auto found = secrets_.find(id);
  return found == secrets_.end() ? nullptr : &found->second;
}

absl::Status AccessKeys::Add(AccessKey key) {
  if (key.id.size() < kIdCharactersMin || key.id.size() > kIdCharactersMax ||
      !absl::c_all_of(key.id, IsIdCharacter)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the id must be ", kIdCharactersMin, " to ",
                     kIdCharactersMax, " letters, digits and underscores"));
  }
  if (key.secret.size() < kSecretCharactersMin ||
      key.secret.size() > kSecretCharactersMax ||
      !absl::c_all_of(key.secret, IsSecretCharacter)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the secret must be ", kSecretCharactersMin, " to ",
        kSecretCharactersMax, " printable ASCII characters without blanks"));
  }
  if (secrets_.contains(key.id)) {
    return absl::InvalidArgumentError("the id is there already");
  }
  if (secrets_.size() == kKeysMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", kKeysMax, " access keys"));
  }
  secrets_.emplace(std::move(key.id), std::move(key.secret));
  return absl::OkStatus();
}

}  // namespace trireme
