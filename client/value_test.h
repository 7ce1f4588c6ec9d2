// What an element of a list in a pattern asks of one value of a record
// (client/event_filter.h). Not for programs: it shows the JSON library.
#ifndef TRIREME_CLIENT_VALUE_TEST_H_
#define TRIREME_CLIENT_VALUE_TEST_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trireme::client {

// InvalidArgument, `place: message`.
absl::Status BadPattern(absl::string_view place, absl::string_view message);

class ValueTest {
 public:
  // Errors: InvalidArgument; the message begins with the place.
  static absl::StatusOr<ValueTest> Parse(const nlohmann::json& element,
                                         const std::string& place);

  // `value` null: the record has no such field. Of an array one element must
  // pass.
  bool Passes(const nlohmann::json* value) const;

 private:
  struct Equals {
    nlohmann::json value;
  };
  struct Text {
    enum class Part { kStart, kEnd, kWhole };
    Part part;
    std::string text;
    bool ignore_case = false;
  };
  struct Numeric {
    struct Comparison {
      std::string sign;
      double limit;
    };
    std::vector<Comparison> comparisons;
  };
  struct Exists {
    bool exists;
  };
  struct AnythingBut {
    std::vector<ValueTest> excluded;
  };
  using Test = std::variant<Equals, Text, Numeric, Exists, AnythingBut>;

  template <typename T>
  explicit ValueTest(T test)
      : test_(std::make_shared<const Test>(std::in_place_type<T>,
                                           std::move(test))) {}

  static absl::StatusOr<ValueTest> ParseText(const std::string& name,
                                             const nlohmann::json& value,
                                             const std::string& place);
  static absl::StatusOr<ValueTest> ParseNumeric(const nlohmann::json& value,
                                                const std::string& place);
  static absl::StatusOr<ValueTest> ParseAnythingBut(const nlohmann::json& value,
                                                    const std::string& place);
  bool PassesOne(const nlohmann::json& value) const;
  static bool PassesOne(const Text& test, const std::string& value);
  static bool PassesOne(const Numeric& test, double value);

  std::shared_ptr<const Test> test_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_VALUE_TEST_H_
