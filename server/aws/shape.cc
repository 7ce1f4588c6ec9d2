#include "server/aws/shape.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/aws/base64.h"

namespace trireme {
namespace {

using nlohmann::json;

// Java's Integer, the type of all numbers that requests hold.
constexpr double kIntegerMin = std::numeric_limits<int32_t>::min();
constexpr double kIntegerMax = std::numeric_limits<int32_t>::max();
constexpr double kTimeMillisMax = 9e15;  // Far beyond what absl::Time shows.
constexpr double kMillisPerSecond = 1000;

constexpr char kNumberClass[] =
    "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";
constexpr char kBytesClass[] = "class java.nio.HeapByteBuffer";
constexpr char kStringClass[] = "class java.lang.String";
constexpr char kBooleanClass[] = "class java.lang.Boolean";

absl::string_view ClassOf(const json& value) {
  if (value.is_boolean()) return kBooleanClass;
  if (value.is_binary()) return kBytesClass;
  return value.is_number() ? kNumberClass : kStringClass;
}

std::string CannotConvert(const json& value, absl::string_view to) {
  return absl::StrCat(ClassOf(value), " can not be converted to ", to);
}

// Of a list, map or structure where a plain value should be.
std::optional<std::string> CheckPlain(const json& value) {
  if (value.is_array()) return "Start of list found where not expected";
  if (value.is_object()) {
    return "Start of structure or map found where not expected.";
  }
  return std::nullopt;
}

std::optional<std::string> CheckBytes(MessageFormat format, json* value) {
  if (value->is_binary()) return std::nullopt;
  if (!value->is_string() || format == MessageFormat::kCbor) {
    return CannotConvert(*value, "a Blob");
  }
  json::binary_t bytes;
  std::optional<std::string> wrong =
      DecodeBase64(value->get_ref<const std::string&>(), &bytes);
  if (!wrong) *value = json::binary(std::move(bytes));
  return wrong;
}

// Integers of CBOR are milliseconds; all else are seconds.
std::optional<std::string> CheckTime(MessageFormat format, json* value) {
  if (!value->is_number() || !std::isfinite(value->get<double>())) {
    return CannotConvert(*value, "milliseconds since epoch");
  }
  const bool in_millis =
      format == MessageFormat::kCbor && value->is_number_integer();
  const double millis =
      value->get<double>() * (in_millis ? 1 : kMillisPerSecond);
  *value = static_cast<int64_t>(
      std::clamp(std::round(millis), -kTimeMillisMax, kTimeMillisMax));
  return std::nullopt;
}

std::optional<std::string> CheckBoolean(const json& value) {
  if (value.is_boolean()) return std::nullopt;
  if (!value.is_string()) return CannotConvert(value, "an Boolean");
  return absl::StrCat(
      "'", absl::AsciiStrToUpper(value.get_ref<const std::string&>()),
      "' can not be converted to an Boolean");
}

uint64_t LengthOf(const json& value) {
  if (value.is_string()) {
    return Utf8Characters(value.get_ref<const std::string&>());
  }
  return value.is_binary() ? value.get_binary().size() : value.size();
}

// As errors show it.
std::string Shown(const json& value) {
  switch (value.type()) {
    case json::value_t::string:
      return value.get<std::string>();
    case json::value_t::binary: {
      const size_t bytes = value.get_binary().size();
      return absl::StrCat("java.nio.HeapByteBuffer[pos=0 lim=", bytes,
                          " cap=", bytes, "]");
    }
    case json::value_t::array:
      return absl::StrCat(
          "[",
          absl::StrJoin(value, ", ",
                        [](std::string* out, const json& element) {
                          absl::StrAppend(out, element.is_structured()
                                                   ? "..."
                                                   : Shown(element));
                        }),
          "]");
    case json::value_t::object: {
      std::vector<std::string> members;
      for (const auto& [key, member] : value.items()) {
        members.push_back(absl::StrCat(key, "=", Shown(member)));
      }
      return absl::StrCat("{", absl::StrJoin(members, ", "), "}");
    }
    default:
      return value.dump();
  }
}

std::string Together(absl::string_view what, int64_t min, int64_t max) {
  return absl::StrCat(
      what,
      " must satisfy constraint: [Member must have length less "
      "than or equal to ",
      max, ", Member must have length greater than or equal to ", min, "]");
}

}  // namespace

struct Shape::Path {
  const Path* parent = nullptr;
  absl::string_view name = {};  // Of a member, or the key of a map.
  size_t place = 0;             // In a list, from 1.
  bool is_element = false;      // Of a list or map.

  // "records.1.member.partitionKey".
  std::string Text() const {
    if (parent == nullptr) return "";
    std::string text = parent->Text();
    if (!text.empty()) text += '.';
    if (is_element) {
      absl::StrAppend(&text, place > 0 ? absl::StrCat(place) : "", name,
                      ".member");
    } else {
      text += absl::ascii_tolower(static_cast<unsigned char>(name[0]));
      absl::StrAppend(&text, name.substr(1));
    }
    return text;
  }
};

Shape Shape::Required() && {
  required_ = true;
  return std::move(*this);
}

Shape Shape::Matching(const Pattern& pattern) && {
  pattern_ = pattern;
  return std::move(*this);
}

Shape Shape::OneOf(std::vector<absl::string_view> values) && {
  values_ = std::move(values);
  return std::move(*this);
}

Shape Shape::Length(uint64_t min, uint64_t max) && {
  bounds_ = Bounds{static_cast<int64_t>(min), static_cast<int64_t>(max)};
  return std::move(*this);
}

Shape Shape::Range(int64_t min, int64_t max) && {
  bounds_ = Bounds{min, max};
  return std::move(*this);
}

Shape Shape::KeyLength(uint64_t min, uint64_t max) && {
  key_bounds_ = Bounds{static_cast<int64_t>(min), static_cast<int64_t>(max)};
  return std::move(*this);
}

Shape Shape::Of(Shape element, bool told_together) && {
  element_.clear();
  element_.push_back(std::move(element));
  told_together_ = told_together;
  return std::move(*this);
}

Shape Shape::With(std::vector<ShapeMember> members) && {
  members_ = std::move(members);
  return std::move(*this);
}

std::optional<std::string> Shape::CheckTypes(MessageFormat format,
                                             json* value) const {
  switch (type_) {
    case Type::kList:
    case Type::kMap:
      return CheckElements(format, value);
    case Type::kStructure:
      return CheckMembers(format, value);
    default:
      break;
  }
  if (auto wrong = CheckPlain(*value)) return wrong;
  switch (type_) {
    case Type::kInteger:
      return CheckInteger(value);
    case Type::kBoolean:
      return CheckBoolean(*value);
    case Type::kBytes:
      return CheckBytes(format, value);
    case Type::kTime:
      return CheckTime(format, value);
    default:
      if (value->is_string()) return std::nullopt;
      return CannotConvert(*value, "an String");
  }
}

std::optional<std::string> Shape::CheckInteger(json* value) const {
  if (!value->is_number() || !std::isfinite(value->get<double>())) {
    return CannotConvert(*value, "an Integer");
  }
  *value = static_cast<int64_t>(
      std::clamp(std::floor(value->get<double>()), kIntegerMin, kIntegerMax));
  return std::nullopt;
}

std::optional<std::string> Shape::CheckElements(MessageFormat format,
                                                json* value) const {
  if (type_ == Type::kList) {
    if (value->is_object()) {
      return "Start of structure or map found where not expected.";
    }
    if (!value->is_array()) return "Expected list or null";
  } else {
    if (value->is_array()) return "Start of list found where not expected";
    if (!value->is_object()) return "Expected map or null";
  }
  for (json& element : *value) {
    if (element.is_null()) continue;
    if (auto wrong = element_[0].CheckTypes(format, &element)) return wrong;
  }
  return std::nullopt;
}

std::optional<std::string> Shape::CheckMembers(MessageFormat format,
                                               json* value) const {
  if (value->is_array()) return "Start of list found where not expected";
  if (!value->is_object()) return "Expected null";
  // What is not of the shape is dropped: nothing unchecked can be read later.
  for (auto found = value->begin(); found != value->end();) {
    const auto member = std::find_if(
        members_.begin(), members_.end(),
        [&](const ShapeMember& known) { return known.name == found.key(); });
    if (member == members_.end() || found->is_null()) {
      found = value->erase(found);
      continue;
    }
    if (auto wrong = member->shape.CheckTypes(format, &*found)) return wrong;
    ++found;
  }
  return std::nullopt;
}

void Shape::CheckConstraints(const json& value, Violations* violations) const {
  CheckContents(Path(), value, violations);
}

void Shape::CheckValue(const Path& path, const json* value,
                       Violations* violations) const {
  if (value == nullptr || value->is_null()) {
    if (required_) violations->AddNull(path.Text());
    return;
  }
  if (pattern_ && !pattern_->matches(value->get_ref<const std::string&>())) {
    violations->Add(
        path.Text(), Shown(*value),
        absl::StrCat("Member must satisfy regular expression pattern: ",
                     pattern_->text));
  }
  if (!values_.empty() &&
      std::find(values_.begin(), values_.end(),
                value->get_ref<const std::string&>()) == values_.end()) {
    violations->AddEnum(path.Text(), Shown(*value), values_);
  }
  if (bounds_) CheckBounds(path, *value, violations);
  CheckContents(path, *value, violations);
}

void Shape::CheckBounds(const Path& path, const json& value,
                        Violations* violations) const {
  if (type_ == Type::kInteger) {
    const auto number = value.get<int64_t>();
    if (number >= bounds_->min && number <= bounds_->max) return;
    return violations->CheckRange(path.Text(), number, bounds_->min,
                                  bounds_->max);
  }
  const uint64_t length = LengthOf(value);
  if (length < static_cast<uint64_t>(bounds_->min) ||
      length > static_cast<uint64_t>(bounds_->max)) {
    violations->CheckLength(path.Text(), Shown(value), length,
                            static_cast<size_t>(bounds_->min),
                            static_cast<size_t>(bounds_->max));
  }
}

bool Shape::ElementsFit(const json& value) const {
  const Bounds& bounds = *element_[0].bounds_;
  return std::all_of(value.begin(), value.end(), [&](const json& element) {
    const auto length = static_cast<int64_t>(LengthOf(element));
    return length >= bounds.min && length <= bounds.max;
  });
}

void Shape::CheckContents(const Path& path, const json& value,
                          Violations* violations) const {
  for (const ShapeMember& member : members_) {
    const auto found = value.find(member.name);
    member.shape.CheckValue({&path, member.name},
                            found == value.end() ? nullptr : &*found,
                            violations);
  }
  if (key_bounds_) CheckKeys(path, value, violations);
  if (element_.empty() || HasNulls(path, value, violations)) return;
  if (told_together_) {
    if (ElementsFit(value)) return;
    const Bounds& bounds = *element_[0].bounds_;
    return violations->Add(
        path.Text(), Shown(value),
        Together(type_ == Type::kMap ? "Map value" : "Member", bounds.min,
                 bounds.max));
  }
  if (type_ == Type::kMap) {
    for (const auto& [key, element] : value.items()) {
      element_[0].CheckValue({&path, key, 0, true}, &element, violations);
    }
    return;
  }
  for (size_t i = 0; i < value.size(); ++i) {
    element_[0].CheckValue({&path, "", i + 1, true}, &value[i], violations);
  }
}

bool Shape::HasNulls(const Path& path, const json& value,
                     Violations* violations) const {
  bool found = false;
  size_t place = 0;
  for (auto element = value.begin(); element != value.end(); ++element) {
    ++place;
    if (!element->is_null()) continue;
    found = true;
    const bool is_map = type_ == Type::kMap;
    violations->AddNull(
        Path{&path, is_map ? element.key() : "", is_map ? 0 : place, true}
            .Text());
  }
  return found;
}

void Shape::CheckKeys(const Path& path, const json& value,
                      Violations* violations) const {
  for (const auto& [key, element] : value.items()) {
    const auto length = static_cast<int64_t>(Utf8Characters(key));
    if (length >= key_bounds_->min && length <= key_bounds_->max) continue;
    return violations->Add(
        path.Text(), Shown(value),
        Together("Map keys", key_bounds_->min, key_bounds_->max));
  }
}

}  // namespace trireme
