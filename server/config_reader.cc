#include "server/config_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/address.h"

namespace trireme {
namespace {

// Insertions, deletions and replacements between two words.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// ", did you mean 'groups'?" when a known key is close.
std::string Suggestion(absl::string_view key,
                       const std::set<std::string>& known) {
  constexpr size_t kCloseMax = 2;
  size_t best = kCloseMax + 1;
  std::string suggestion;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(key, candidate);
    if (distance >= best || distance >= key.size()) continue;
    best = distance;
    suggestion = absl::StrCat("; did you mean '", candidate, "'?");
  }
  return suggestion;
}

}  // namespace

void ConfigErrors::Add(const YAML::Mark& mark, absl::string_view what) {
  errors_.push_back(
      mark.is_null() ? absl::StrCat(source_, ": ", what)
                     : absl::StrCat(source_, ":", mark.line + 1, ": ", what));
}

absl::Status ConfigErrors::ToStatus() const {
  if (errors_.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(errors_, "\n"));
}

ConfigSection::ConfigSection(const YAML::Node& node, absl::string_view path,
                             ConfigErrors* errors)
    : node_(node), path_(path), errors_(errors) {
  if (node_.IsMap() || node_.IsNull()) return;
  errors_->Add(node_.Mark(),
               absl::StrCat(path_.empty() ? "the file" : path_,
                            " must be a mapping of keys to values"));
  node_ = YAML::Node(YAML::NodeType::Map);
}

std::string ConfigSection::Text(const std::string& key) {
  const std::optional<std::string> value = Scalar(key);
  if (!value.has_value() || value->empty()) {
    Missing(key, "a text");
    return "";
  }
  return *value;
}

std::string ConfigSection::TextOr(const std::string& key,
                                  absl::string_view fallback) {
  return Scalar(key).value_or(std::string(fallback));
}

uint32_t ConfigSection::Number(const std::string& key, uint32_t min,
                               uint32_t max) {
  if (!Find(key)) {
    Missing(key, absl::StrCat("a number from ", min, " to ", max));
    return min;
  }
  return NumberOr(key, min, max, min);
}

uint32_t ConfigSection::NumberOr(const std::string& key, uint32_t min,
                                 uint32_t max, uint32_t fallback) {
  const std::optional<std::string> value = Scalar(key);
  if (!value.has_value()) return fallback;
  uint32_t number = 0;
  if (!absl::SimpleAtoi(*value, &number) || number < min || number > max) {
    AddError(key, absl::StrCat("is '", *value, "'; it must be a number from ",
                               min, " to ", max));
    return fallback;
  }
  return number;
}

bool ConfigSection::FlagOr(const std::string& key, bool fallback) {
  const std::optional<std::string> value = Scalar(key);
  if (!value.has_value()) return fallback;
  if (*value == "true" || *value == "false") return *value == "true";
  AddError(key, absl::StrCat("is '", *value, "'; it must be true or false"));
  return fallback;
}

std::string ConfigSection::Choice(const std::string& key,
                                  const std::vector<std::string>& allowed) {
  const std::optional<std::string> value = Scalar(key);
  if (!value.has_value()) return allowed.front();
  if (std::find(allowed.begin(), allowed.end(), *value) == allowed.end()) {
    AddError(key, absl::StrCat("is '", *value,
                               "'; allowed: ", absl::StrJoin(allowed, ", ")));
    return allowed.front();
  }
  return *value;
}

std::string ConfigSection::AddressAt(const std::string& key) {
  const std::string text = Text(key);
  if (text.empty()) return text;
  const absl::StatusOr<Address> address = Address::Parse(text);
  if (!address.ok()) AddError(key, address.status().message());
  return text;
}

std::optional<ConfigSection> ConfigSection::SectionAt(const std::string& key) {
  const YAML::Node value = Find(key);
  if (!value) return std::nullopt;
  return ConfigSection(value, PathOf(key), errors_);
}

std::vector<ConfigSection> ConfigSection::SectionsAt(const std::string& key) {
  std::vector<ConfigSection> sections;
  const YAML::Node value = Find(key);
  if (!value || !value.IsSequence()) {
    Missing(key, "a list");
    return sections;
  }
  for (size_t i = 0; i < value.size(); ++i) {
    sections.emplace_back(value[i], absl::StrCat(PathOf(key), "[", i, "]"),
                          errors_);
  }
  return sections;
}

std::vector<std::string> ConfigSection::Keys() const {
  std::vector<std::string> keys;
  for (const auto& entry : node_) {
    if (entry.first.IsScalar()) keys.push_back(entry.first.Scalar());
  }
  return keys;
}

void ConfigSection::AddError(const std::string& key, absl::string_view what) {
  const YAML::Node value = Find(key);
  errors_->Add(value ? value.Mark() : node_.Mark(),
               absl::StrCat(PathOf(key), " ", what));
}

void ConfigSection::RefuseOthers() {
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    const std::string key =
        entry.first.IsScalar() ? entry.first.Scalar() : "(not a text)";
    if (!seen.insert(key).second) {
      errors_->Add(entry.first.Mark(),
                   absl::StrCat("key '", PathOf(key), "' is given twice"));
    }
    if (known_.contains(key)) continue;
    errors_->Add(
        entry.first.Mark(),
        absl::StrCat("unknown key '", PathOf(key), "'", Suggestion(key, known_),
                     " Allowed here: ", absl::StrJoin(known_, ", ")));
  }
}

std::optional<std::string> ConfigSection::Scalar(const std::string& key) {
  const YAML::Node value = Find(key);
  if (!value) return std::nullopt;
  if (!value.IsScalar()) {
    AddError(key, "must be a single value");
    return std::nullopt;
  }
  return value.Scalar();
}

YAML::Node ConfigSection::Find(const std::string& key) {
  known_.insert(key);
  // Looking up in a constant node does not add the key to it.
  const YAML::Node& node = node_;
  return node.IsMap() ? node[key] : YAML::Node(YAML::NodeType::Undefined);
}

std::string ConfigSection::PathOf(const std::string& key) const {
  return path_.empty() ? key : absl::StrCat(path_, ".", key);
}

void ConfigSection::Missing(const std::string& key, absl::string_view wanted) {
  errors_->Add(node_.Mark(), absl::StrCat("key '", PathOf(key),
                                          "' is missing; it must be ", wanted));
}

}  // namespace trireme
