// Shapes: what the members of a request are and may be, declared once per
// operation, and the two checks that come before the operation runs
// (kinesis-contract.md §1.2): of types, then of constraints.
//
//   const Shape shape = Structure({
//       {"StreamName", String().Required().Matching(kNamePattern).Length(1,
//       128)},
//       {"Limit", Integer().Range(1, 10'000)}});
#ifndef TRIREME_SERVER_AWS_SHAPE_H_
#define TRIREME_SERVER_AWS_SHAPE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "server/aws/message_format.h"
#include "server/validation.h"

namespace trireme {

// A regular expression as errors show it, and what decides it.
struct Pattern {
  absl::string_view text;
  bool (*matches)(absl::string_view) = nullptr;
};

struct ShapeMember;

class Shape {
 public:
  enum class Type {
    kString,
    kInteger,
    kBoolean,
    kBytes,
    kTime,
    kList,
    kMap,
    kStructure,
  };

  explicit Shape(Type type) : type_(type) {}

  Shape Required() &&;
  Shape Matching(const Pattern& pattern) &&;
  Shape OneOf(std::vector<absl::string_view> values) &&;
  // Characters of a string, bytes of bytes, members of a list or map.
  Shape Length(uint64_t min, uint64_t max) &&;
  Shape Range(int64_t min, int64_t max) &&;
  // Characters of each key of a map.
  Shape KeyLength(uint64_t min, uint64_t max) &&;
  // Of a list's or map's members. Their constraints are told of each, or, with
  // `told_together`, once for all.
  Shape Of(Shape element, bool told_together = false) &&;
  Shape With(std::vector<ShapeMember> members) &&;

  // Makes the same of both encodings: what `value` holds of this shape are
  // strings, integers, booleans, bytes and, for times, integers of Unix
  // milliseconds; nulls and unknown members are gone. What is wrong, in the
  // words of a SerializationException; nothing when all is well.
  std::optional<std::string> CheckTypes(MessageFormat format,
                                        nlohmann::json* value) const;

  // Of a structure that CheckTypes has passed.
  void CheckConstraints(const nlohmann::json& value,
                        Violations* violations) const;

 private:
  struct Bounds {
    int64_t min = 0;
    int64_t max = 0;
  };
  // Where a value stands; made into text only when something is wrong there.
  struct Path;

  std::optional<std::string> CheckInteger(nlohmann::json* value) const;
  std::optional<std::string> CheckElements(MessageFormat format,
                                           nlohmann::json* value) const;
  std::optional<std::string> CheckMembers(MessageFormat format,
                                          nlohmann::json* value) const;
  void CheckValue(const Path& path, const nlohmann::json* value,
                  Violations* violations) const;
  void CheckBounds(const Path& path, const nlohmann::json& value,
                   Violations* violations) const;
  void CheckContents(const Path& path, const nlohmann::json& value,
                     Violations* violations) const;
  // Whether any element of a list or map is null, which none may be.
  bool HasNulls(const Path& path, const nlohmann::json& value,
                Violations* violations) const;
  void CheckKeys(const Path& path, const nlohmann::json& value,
                 Violations* violations) const;
  bool ElementsFit(const nlohmann::json& value) const;

  Type type_;
  bool required_ = false;
  std::optional<Pattern> pattern_;
  std::vector<absl::string_view> values_;
  std::optional<Bounds> bounds_;
  std::optional<Bounds> key_bounds_;
  bool told_together_ = false;
  std::vector<Shape> element_;  // One, of a list or map.
  std::vector<ShapeMember> members_;
};

struct ShapeMember {
  absl::string_view name;  // "StreamName"; errors say "streamName".
  Shape shape;
};

inline Shape String() { return Shape(Shape::Type::kString); }
inline Shape Integer() { return Shape(Shape::Type::kInteger); }
inline Shape Boolean() { return Shape(Shape::Type::kBoolean); }
inline Shape Bytes() { return Shape(Shape::Type::kBytes); }
inline Shape Time() { return Shape(Shape::Type::kTime); }
inline Shape List(Shape element) {
  return Shape(Shape::Type::kList).Of(std::move(element));
}
inline Shape Map(Shape element) {
  return Shape(Shape::Type::kMap).Of(std::move(element));
}
inline Shape Structure(std::vector<ShapeMember> members) {
  return Shape(Shape::Type::kStructure).With(std::move(members));
}

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_SHAPE_H_
