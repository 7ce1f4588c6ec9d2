// Which records a batch function is called with: patterns of the kind that
// event buses use, matched against a record as a JSON object:
//
//   {"partitionKey": "k", "sequenceNumber": "4967...",
//    "subSequenceNumber": 0, "approximateArrivalTimestamp": 1700000000.123,
//    "data": <the record's data>}
//
// An object in a pattern names fields that must all match; a list names values
// of which one must: "text", 5, true, null, or one of
//
//   {"prefix": "a"}  {"suffix": "z"}  {"equals-ignore-case": "aBc"}
//   {"numeric": [">", 0, "<=", 5]}    = < <= > >=, one or two of them
//   {"exists": true}                  or false
//   {"anything-but": V}               V: a text, a number, a list of them, or
//                                     one of the first three above
//
// `"$or": [{...}, {...}]` beside fields: one of the objects must match. Where
// the record has an array one of its elements must match. Texts in prefix and
// suffix may be {"equals-ignore-case": "a"} too; only ASCII letters have cases.
//
// An object under `data` is matched with the data as JSON: data that is not
// JSON, or deeper than kDepthMax, does not match. A list under `data` is
// matched with the data as one text.
//
// Immutable; any thread. Described in docs/batch-processing.md and
// kinesis-contract.md §6.5.
#ifndef TRIREME_CLIENT_EVENT_FILTER_H_
#define TRIREME_CLIENT_EVENT_FILTER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/user_record.h"

namespace trireme::client {

class EventFilter {
 public:
  static constexpr size_t kPatternsMax = 5;
  static constexpr size_t kCharactersMax = 4096;  // Of a pattern.
  static constexpr size_t kDepthMax = 64;         // Of patterns and of data.

  // A record passes if it matches one of the patterns, or if there are none.
  // Errors: InvalidArgument (InvalidArgumentException) that names the pattern
  // and the place in it, such as `filters[1]: data.price[0].numeric: ...`.
  static absl::StatusOr<EventFilter> Parse(
      absl::Span<const std::string> patterns);

  bool Matches(const UserRecord& record) const;

 private:
  struct Patterns;

  explicit EventFilter(std::shared_ptr<const Patterns> patterns)
      : patterns_(std::move(patterns)) {}

  std::shared_ptr<const Patterns> patterns_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_EVENT_FILTER_H_
