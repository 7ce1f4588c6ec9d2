#include "client/event_pattern.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/status_macros.h"
#include "client/value_test.h"

namespace trireme::client {

using Json = nlohmann::json;

// An object of a pattern.
struct EventPattern::Fields {
  struct Field {
    std::string name;
    // One of the two: a list of tests, or an object.
    std::vector<ValueTest> tests;
    std::shared_ptr<const Fields> inside;
    // Also an object that asks for what does not exist wants it to be there.
    bool required = false;
  };

  std::vector<Field> all;
  std::vector<std::vector<std::shared_ptr<const Fields>>> any;  // Of each $or.
};

namespace {

using Fields = EventPattern::Fields;
using SharedFields = std::shared_ptr<const Fields>;

constexpr char kOr[] = "$or";
constexpr char kData[] = "data";

// The top of a pattern names what every record has.
bool IsRecordField(absl::string_view name) {
  static constexpr absl::string_view kNames[] = {
      "partitionKey", "sequenceNumber", "subSequenceNumber",
      "approximateArrivalTimestamp", kData};
  return std::count(std::begin(kNames), std::end(kNames), name) == 1;
}

std::string Inside(const std::string& place, absl::string_view name) {
  return place.empty() ? std::string(name) : absl::StrCat(place, ".", name);
}

std::string Element(const std::string& place, size_t i) {
  return absl::StrCat(place, "[", i, "]");
}

absl::StatusOr<SharedFields> ReadFields(const Json& pattern,
                                        const std::string& place, bool top);

absl::StatusOr<std::vector<SharedFields>> ReadOr(const Json& alternatives,
                                                 const std::string& place,
                                                 bool top) {
  if (!alternatives.is_array() || alternatives.empty()) {
    return BadPattern(place, "must be a list of objects");
  }
  std::vector<SharedFields> read;
  for (size_t i = 0; i < alternatives.size(); ++i) {
    CLIENT_ASSIGN_OR_RETURN(
        SharedFields fields,
        ReadFields(alternatives[i], Element(place, i), top));
    read.push_back(std::move(fields));
  }
  return read;
}

absl::StatusOr<Fields::Field> ReadField(const std::string& name,
                                        const Json& value,
                                        const std::string& place, bool top) {
  if (top && !IsRecordField(name)) {
    return BadPattern(place,
                      "is no field of a record; those are partitionKey, "
                      "sequenceNumber, subSequenceNumber, "
                      "approximateArrivalTimestamp, data");
  }
  Fields::Field field = {name};
  field.required = top;
  if (value.is_object()) {
    CLIENT_ASSIGN_OR_RETURN(field.inside, ReadFields(value, place, false));
    return field;
  }
  if (!value.is_array()) {
    return BadPattern(place, "must be a list of values, or an object");
  }
  if (value.empty()) return BadPattern(place, "is empty; nothing matches it");
  if (top && name == kData) field.name = EventPattern::kDataText;
  for (size_t i = 0; i < value.size(); ++i) {
    CLIENT_ASSIGN_OR_RETURN(ValueTest test,
                            ValueTest::Parse(value[i], Element(place, i)));
    field.tests.push_back(std::move(test));
  }
  return field;
}

absl::StatusOr<SharedFields> ReadFields(const Json& pattern,
                                        const std::string& place, bool top) {
  const std::string shown = place.empty() ? "pattern" : place;
  if (!pattern.is_object()) return BadPattern(shown, "must be an object");
  if (pattern.empty()) return BadPattern(shown, "is empty; it names no field");
  auto fields = std::make_shared<Fields>();
  for (const auto& [name, value] : pattern.items()) {
    const std::string inside = Inside(place, name);
    if (name == kOr) {
      CLIENT_ASSIGN_OR_RETURN(std::vector<SharedFields> any,
                              ReadOr(value, inside, top));
      fields->any.push_back(std::move(any));
    } else {
      CLIENT_ASSIGN_OR_RETURN(Fields::Field field,
                              ReadField(name, value, inside, top));
      fields->all.push_back(std::move(field));
    }
  }
  return SharedFields(std::move(fields));
}

bool MatchesFields(const Fields& fields, const Json* event);

bool MatchesField(const Fields::Field& field, const Json* event) {
  const Json* value = nullptr;
  if (event != nullptr && event->is_object()) {
    const auto found = event->find(field.name);
    if (found != event->end()) value = &*found;
  }
  if (field.required && field.inside != nullptr && value == nullptr) {
    return false;
  }
  if (field.inside != nullptr) return MatchesFields(*field.inside, value);
  return std::any_of(
      field.tests.begin(), field.tests.end(),
      [value](const ValueTest& test) { return test.Passes(value); });
}

// What is not an object has no fields.
bool MatchesFields(const Fields& fields, const Json* event) {
  if (event != nullptr && event->is_array() && !event->empty()) {
    return std::any_of(event->begin(), event->end(),
                       [&fields](const Json& element) {
                         return MatchesFields(fields, &element);
                       });
  }
  return std::all_of(fields.all.begin(), fields.all.end(),
                     [event](const Fields::Field& field) {
                       return MatchesField(field, event);
                     }) &&
         std::all_of(fields.any.begin(), fields.any.end(),
                     [event](const std::vector<SharedFields>& any) {
                       return std::any_of(any.begin(), any.end(),
                                          [event](const SharedFields& fields) {
                                            return MatchesFields(*fields,
                                                                 event);
                                          });
                     });
}

// At the top; `data` stands nowhere else.
bool Reads(const Fields& fields, absl::string_view name) {
  return std::any_of(fields.all.begin(), fields.all.end(),
                     [name](const Fields::Field& field) {
                       return field.name == name;
                     }) ||
         std::any_of(fields.any.begin(), fields.any.end(),
                     [name](const std::vector<SharedFields>& any) {
                       return std::any_of(any.begin(), any.end(),
                                          [name](const SharedFields& fields) {
                                            return Reads(*fields, name);
                                          });
                     });
}

}  // namespace

absl::StatusOr<EventPattern> EventPattern::Parse(const Json& pattern) {
  CLIENT_ASSIGN_OR_RETURN(SharedFields fields, ReadFields(pattern, "", true));
  return EventPattern(std::move(fields));
}

bool EventPattern::Matches(const Json& event) const {
  return MatchesFields(*fields_, &event);
}

bool EventPattern::reads_data() const { return Reads(*fields_, kData); }

bool EventPattern::reads_data_text() const {
  return Reads(*fields_, kDataText);
}

}  // namespace trireme::client
