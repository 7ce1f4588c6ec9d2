#include "server/validation.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/limits.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr char kPayloadUrl[] = "trireme.dev/FieldViolations";
constexpr char kFieldEnd = '\x1f';
constexpr char kViolationEnd = '\x1e';
constexpr size_t kViolationsToldMax = 10;
constexpr size_t kValueBytesShownMax = 300;

// Every code point has exactly one byte that does not continue another.
bool BeginsCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

}  // namespace

void Violations::CheckLength(absl::string_view member, absl::string_view value,
                             size_t characters, size_t min, size_t max) {
  if (characters < min) {
    Add(member, value,
        absl::StrCat("Member must have length greater than or equal to ", min));
  } else if (characters > max) {
    Add(member, value,
        absl::StrCat("Member must have length less than or equal to ", max));
  }
}

void Violations::CheckRange(absl::string_view member, int64_t value,
                            int64_t min, int64_t max) {
  if (value < min) {
    Add(member, absl::StrCat(value),
        absl::StrCat("Member must have value greater than or equal to ", min));
  } else if (value > max) {
    Add(member, absl::StrCat(value),
        absl::StrCat("Member must have value less than or equal to ", max));
  }
}

void Violations::CheckHashKey(absl::string_view member,
                              absl::string_view value) {
  if (IsHashKey(value)) return;
  Add(member, value,
      R"(Member must satisfy regular expression pattern: 0|([1-9]\d{0,38}))");
}

void Violations::AddEnum(absl::string_view member, absl::string_view value,
                         std::span<const absl::string_view> values) {
  Add(member, value,
      absl::StrCat("Member must satisfy enum value set: [",
                   absl::StrJoin(values, ", "), "]"));
}

void Violations::Add(absl::string_view member, absl::string_view value,
                     absl::string_view constraint) {
  // A message must stay readable (and fit a trailer) whatever was sent.
  const absl::string_view shown = Utf8Prefix(value, kValueBytesShownMax);
  AddShown(
      member,
      absl::StrCat("'", shown, value.size() > shown.size() ? "..." : "", "'"),
      constraint);
}

void Violations::AddNull(absl::string_view member) {
  AddShown(member, "null", "Member must not be null");
}

void Violations::AddShown(absl::string_view member, std::string value,
                          absl::string_view constraint) {
  ++count_;
  if (violations_.size() == kViolationsToldMax) return;
  violations_.push_back(
      {{std::string(member), std::string(constraint)}, std::move(value)});
}

absl::Status Violations::ToStatus() const {
  if (violations_.empty()) return absl::OkStatus();
  std::vector<std::string> texts;
  std::string payload;
  for (const Violation& violation : violations_) {
    texts.push_back(absl::StrCat(
        "Value ", violation.value, " at '", violation.field.member,
        "' failed to satisfy constraint: ", violation.field.constraint));
    absl::StrAppend(
        &payload, violation.field.member, absl::string_view(&kFieldEnd, 1),
        violation.field.constraint, absl::string_view(&kViolationEnd, 1));
  }
  absl::Status status = MakeError(
      ErrorReason::kValidation,
      absl::StrCat(count_, " validation error", count_ == 1 ? "" : "s",
                   " detected: ", absl::StrJoin(texts, "; ")));
  status.SetPayload(kPayloadUrl, absl::Cord(payload));
  return status;
}

std::vector<FieldViolation> ViolationsOf(const absl::Status& status) {
  std::vector<FieldViolation> result;
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return result;
  const std::string text(*payload);
  for (absl::string_view line :
       absl::StrSplit(text, kViolationEnd, absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(line, kFieldEnd);
    if (parts.size() == 2) result.push_back({parts[0], parts[1]});
  }
  return result;
}

absl::string_view Utf8Prefix(absl::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && !BeginsCharacter(text[bytes_max])) --bytes_max;
  return text.substr(0, bytes_max);
}

size_t Utf8Characters(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), BeginsCharacter));
}

bool IsDecimal(absl::string_view text, size_t digits_max) {
  if (text == "0") return true;
  if (text.empty() || text.size() > digits_max || text[0] == '0') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(c); });
}

bool IsHashKey(absl::string_view text) {
  return IsDecimal(text, kHashKeyDigitsMax);
}

}  // namespace trireme
