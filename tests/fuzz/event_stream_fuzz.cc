// Bytes that come from anywhere, as an event stream. What the decoder takes is
// what the encoder would write; what it refuses stays as it was. An input that
// begins with a zero is such bytes (a message's length begins with one); any
// other is choices that make a message with right checksums, so that its
// headers are read.
#include <cstdint>
#include <string>

#include "server/aws/crc32.h"
#include "server/aws/event_stream.h"
#include "storage/check.h"
#include "storage/fixed_ints.h"
#include "tests/fuzz/input.h"

namespace trireme {
namespace {

void Check(absl::Cord bytes) {
  for (;;) {
    const absl::Cord before = bytes;
    const auto message = TakeEventMessage(bytes);
    if (!message.ok()) CHECK(absl::IsDataLoss(message.status()));
    if (!message.ok() || !*message) {
      CHECK(bytes == before);
      return;
    }
    absl::Cord again =
        EncodeEventMessage((*message)->headers, (*message)->payload);
    again.Append(bytes);
    CHECK(again == before);
  }
}

// A header, or nearly.
std::string Header(Input& input) {
  if (!input.Mostly(8)) return input.Bytes(input.Below(12));
  const std::string name = input.Bytes(input.Below(8));
  const std::string value = input.Bytes(input.Below(300));
  std::string bytes;
  bytes.push_back(static_cast<char>(name.size()));
  bytes += name;
  bytes.push_back(input.Mostly(16) ? '\7' : static_cast<char>(input.Byte()));
  bytes.push_back(static_cast<char>(value.size() >> 8));
  bytes.push_back(static_cast<char>(value.size() & 0xff));
  return bytes + value;
}

// In two chunks.
absl::Cord Message(Input& input) {
  std::string headers;
  for (uint64_t left = input.Below(5); left > 0; --left) {
    headers += Header(input);
  }
  const std::string payload = input.Bytes(input.Below(64));
  uint64_t total_bytes = headers.size() + payload.size() + 16;
  uint64_t headers_bytes = headers.size();
  if (!input.Mostly(8)) total_bytes = input.Number();
  if (!input.Mostly(8)) headers_bytes = input.Number();
  std::string bytes;
  AppendBig(static_cast<uint32_t>(total_bytes), &bytes);
  AppendBig(static_cast<uint32_t>(headers_bytes), &bytes);
  AppendBig(Crc32(bytes), &bytes);
  bytes += headers;
  bytes += payload;
  AppendBig(Crc32(bytes), &bytes);
  const size_t half = input.Below(bytes.size() + 1);
  absl::Cord message(bytes.substr(0, half));
  message.Append(absl::Cord(bytes.substr(half)));
  return message;
}

void Run(Input input) {
  Input choices = input;
  const std::string bytes = input.Rest();
  if (bytes.empty() || bytes[0] == 0) {
    Check(absl::Cord(bytes));
    return;
  }
  absl::Cord messages = Message(choices);
  messages.Append(Message(choices));
  Check(messages);
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Run(trireme::Input(data, size));
  return 0;
}
