#include "server/aws/event_stream.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/aws/crc32.h"
#include "storage/check.h"
#include "storage/fixed_ints.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// Total length, headers length and the CRC of both.
constexpr size_t kPreludeBytes = 12;
constexpr size_t kPreludeCrcAt = 8;
constexpr size_t kCrcBytes = 4;
constexpr size_t kHeaderNameBytesMax = 255;
constexpr size_t kHeaderValueBytesMax = 65'535;
constexpr uint8_t kStringType = 7;

std::string EncodeHeaders(const std::vector<EventHeader>& headers) {
  std::string bytes;
  for (const EventHeader& header : headers) {
    CHECK(!header.name.empty() && header.name.size() <= kHeaderNameBytesMax);
    CHECK(header.value.size() <= kHeaderValueBytesMax);
    bytes.push_back(static_cast<char>(header.name.size()));
    bytes.append(header.name);
    bytes.push_back(static_cast<char>(kStringType));
    bytes.push_back(static_cast<char>(header.value.size() >> 8));
    bytes.push_back(static_cast<char>(header.value.size() & 0xff));
    bytes.append(header.value);
  }
  return bytes;
}

uint32_t BigEndian32(const char* bytes) {
  return SwapBytes(LoadLittle<uint32_t>(bytes));
}

// DataLoss when the bytes are no header, or not all of one.
absl::Status TakeHeader(ByteCursor& bytes, EventHeader& header) {
  const absl::Status cut =
      absl::DataLossError("a header of an event is cut short");
  uint8_t name_bytes = 0, type = 0, size_high = 0, size_low = 0;
  absl::string_view name, value;
  if (!bytes.TakeBig(&name_bytes) || !bytes.TakeBytes(name_bytes, &name) ||
      !bytes.TakeBig(&type)) {
    return cut;
  }
  if (name.empty()) {
    return absl::DataLossError("a header of an event has no name");
  }
  if (type != kStringType) {
    return absl::DataLossError(absl::StrCat("a header of an event is of type ",
                                            type, "; only strings (",
                                            kStringType, ") are read"));
  }
  if (!bytes.TakeBig(&size_high) || !bytes.TakeBig(&size_low) ||
      !bytes.TakeBytes(size_t{size_high} << 8 | size_low, &value)) {
    return cut;
  }
  header = {std::string(name), std::string(value)};
  return absl::OkStatus();
}

absl::StatusOr<std::vector<EventHeader>> DecodeHeaders(
    absl::string_view bytes) {
  std::vector<EventHeader> headers;
  ByteCursor cursor(bytes);
  while (!cursor.empty()) {
    RETURN_IF_ERROR(TakeHeader(cursor, headers.emplace_back()));
  }
  return headers;
}

struct Prelude {
  size_t total_bytes;
  size_t headers_bytes;
};

absl::StatusOr<Prelude> DecodePrelude(absl::string_view bytes) {
  const uint32_t crc = BigEndian32(bytes.data() + kPreludeCrcAt);
  if (Crc32(bytes.substr(0, kPreludeCrcAt)) != crc) {
    return absl::DataLossError("the prelude of an event fails its checksum");
  }
  const Prelude prelude = {BigEndian32(bytes.data()),
                           BigEndian32(bytes.data() + 4)};
  const size_t fixed_bytes = kPreludeBytes + kCrcBytes;
  if (prelude.headers_bytes > kEventHeadersBytesMax) {
    return absl::DataLossError(
        absl::StrCat("the headers of an event are ", prelude.headers_bytes,
                     " bytes; the limit is ", kEventHeadersBytesMax));
  }
  if (prelude.total_bytes < fixed_bytes + prelude.headers_bytes) {
    return absl::DataLossError(absl::StrCat("an event is ", prelude.total_bytes,
                                            " bytes, less than its headers (",
                                            prelude.headers_bytes, ") take"));
  }
  const size_t payload_bytes =
      prelude.total_bytes - fixed_bytes - prelude.headers_bytes;
  if (payload_bytes > kEventPayloadBytesMax) {
    return absl::DataLossError(
        absl::StrCat("the payload of an event is ", payload_bytes,
                     " bytes; the limit is ", kEventPayloadBytesMax));
  }
  return prelude;
}

std::string Flatten(const absl::Cord& bytes, size_t at, size_t count) {
  return std::string(bytes.Subcord(at, count));
}

}  // namespace

absl::string_view EventStreamMessage::Header(absl::string_view name) const {
  for (const EventHeader& header : headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

absl::Cord EncodeEventMessage(const std::vector<EventHeader>& headers,
                              absl::Cord payload) {
  const std::string header_bytes = EncodeHeaders(headers);
  CHECK(header_bytes.size() <= kEventHeadersBytesMax);
  CHECK(payload.size() <= kEventPayloadBytesMax);
  std::string head;
  AppendBig(static_cast<uint32_t>(kPreludeBytes + header_bytes.size() +
                                  payload.size() + kCrcBytes),
            &head);
  AppendBig(static_cast<uint32_t>(header_bytes.size()), &head);
  AppendBig(Crc32(head), &head);
  head.append(header_bytes);
  std::string tail;
  AppendBig(Crc32(payload, Crc32(head)), &tail);
  absl::Cord message(std::move(head));
  message.Append(std::move(payload));
  message.Append(std::move(tail));
  return message;
}

absl::Cord InitialResponse(absl::Cord payload, absl::string_view content_type) {
  return EventMessage("initial-response", std::move(payload), content_type);
}

absl::Cord EventMessage(absl::string_view event_type, absl::Cord payload,
                        absl::string_view content_type) {
  return EncodeEventMessage({{":message-type", "event"},
                             {":event-type", std::string(event_type)},
                             {":content-type", std::string(content_type)}},
                            std::move(payload));
}

absl::Cord ExceptionMessage(absl::string_view exception_type,
                            absl::Cord payload,
                            absl::string_view content_type) {
  return EncodeEventMessage({{":message-type", "exception"},
                             {":exception-type", std::string(exception_type)},
                             {":content-type", std::string(content_type)}},
                            std::move(payload));
}

absl::StatusOr<std::optional<EventStreamMessage>> TakeEventMessage(
    absl::Cord& bytes) {
  if (bytes.size() < kPreludeBytes) return std::nullopt;
  ASSIGN_OR_RETURN(const Prelude prelude,
                   DecodePrelude(Flatten(bytes, 0, kPreludeBytes)));
  if (bytes.size() < prelude.total_bytes) return std::nullopt;
  const size_t crc_at = prelude.total_bytes - kCrcBytes;
  const std::string crc = Flatten(bytes, crc_at, kCrcBytes);
  if (Crc32(bytes.Subcord(0, crc_at)) != BigEndian32(crc.data())) {
    return absl::DataLossError("an event fails its checksum");
  }
  EventStreamMessage message;
  ASSIGN_OR_RETURN(
      message.headers,
      DecodeHeaders(Flatten(bytes, kPreludeBytes, prelude.headers_bytes)));
  const size_t payload_at = kPreludeBytes + prelude.headers_bytes;
  message.payload = bytes.Subcord(payload_at, crc_at - payload_at);
  bytes.RemovePrefix(prelude.total_bytes);
  return message;
}

}  // namespace trireme
