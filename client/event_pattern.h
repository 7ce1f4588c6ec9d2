// One pattern of a filter, read into tests (client/event_filter.h says what a
// pattern may be). Not for programs: it shows the JSON library.
#ifndef TRIREME_CLIENT_EVENT_PATTERN_H_
#define TRIREME_CLIENT_EVENT_PATTERN_H_

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <utility>

#include "absl/status/statusor.h"

namespace trireme::client {

class EventPattern {
 public:
  struct Fields;

  // The field of an event that a list under `data` is matched with; an object
  // under `data` is matched with the field of that name.
  static constexpr char kDataText[] = "data as text";

  // Errors: InvalidArgument; the message begins with the place. Recurses as
  // deep as the pattern is.
  static absl::StatusOr<EventPattern> Parse(const nlohmann::json& pattern);

  // Recurses as deep as the event is.
  bool Matches(const nlohmann::json& event) const;

  // An object, or a list, stands under `data` somewhere.
  bool reads_data() const;
  bool reads_data_text() const;

 private:
  explicit EventPattern(std::shared_ptr<const Fields> fields)
      : fields_(std::move(fields)) {}

  std::shared_ptr<const Fields> fields_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_EVENT_PATTERN_H_
