// Messages of AWS's event stream, application/vnd.amazon.eventstream: what
// SubscribeToShard answers with (kinesis-contract.md §3.3, with the layout).
//
// Encoding shares the payload's memory. Decoding is for tests and our own load
// generator, and trusts nothing.
#ifndef TRIREME_SERVER_AWS_EVENT_STREAM_H_
#define TRIREME_SERVER_AWS_EVENT_STREAM_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace trireme {

inline constexpr absl::string_view kEventStreamContentType =
    "application/vnd.amazon.eventstream";
inline constexpr absl::string_view kEventJson = "application/x-amz-json-1.1";

// What AWS's clients take.
inline constexpr size_t kEventPayloadBytesMax = 16u << 20;
inline constexpr size_t kEventHeadersBytesMax = 128u << 10;

// Of the ten types of a header's value only the string is needed.
struct EventHeader {
  std::string name;   // 1..255 bytes.
  std::string value;  // Up to 65,535 bytes.

  bool operator==(const EventHeader& other) const {
    return name == other.name && value == other.value;
  }
};

struct EventStreamMessage {
  std::vector<EventHeader> headers;
  absl::Cord payload;

  // Empty when there is none of that name.
  absl::string_view Header(absl::string_view name) const;
};

// The caller keeps within the limits above: what exceeds them stops the
// process.
absl::Cord EncodeEventMessage(const std::vector<EventHeader>& headers,
                              absl::Cord payload);

// The first message of every stream: an empty object of the content type.
absl::Cord InitialResponse(absl::Cord payload = absl::Cord("{}"),
                           absl::string_view content_type = kEventJson);
// `event_type` is the member of the union, e.g. "SubscribeToShardEvent".
absl::Cord EventMessage(absl::string_view event_type, absl::Cord payload,
                        absl::string_view content_type = kEventJson);
// A modelled error that ends the stream; the payload is {"message":"..."}.
absl::Cord ExceptionMessage(absl::string_view exception_type,
                            absl::Cord payload,
                            absl::string_view content_type = kEventJson);

// Takes the first message off `bytes`; nullopt, and all left as it was, when it
// is not there to its end. DataLoss for what is no message, or was damaged:
// nothing that follows can be read either.
absl::StatusOr<std::optional<EventStreamMessage>> TakeEventMessage(
    absl::Cord& bytes);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_EVENT_STREAM_H_
