// Bodies of requests that are anything: reading one never fails otherwise than
// by saying no, whatever its depth and lengths, and what it reads can be
// written as JSON. The first byte chooses the encoding.
#include <cstdint>
#include <string>

#include "server/aws/base64.h"
#include "server/aws/message_reader.h"
#include "server/kinesis/json_array.h"
#include "storage/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto format = data[0] % 2 == 0 ? trireme::MessageFormat::kJson
                                       : trireme::MessageFormat::kCbor;
  if (const auto message = trireme::ReadMessage(format, body)) {
    // Throws for text that is not UTF-8.
    CHECK(!message->dump().empty());
  }
  std::vector<uint8_t> bytes;
  trireme::DecodeBase64(body, &bytes);
  if (const auto elements = trireme::SplitJsonArray(body)) {
    for (const absl::string_view element : *elements) {
      CHECK(!element.empty() && element.data() >= body.data() &&
            element.data() + element.size() <= body.data() + body.size());
    }
  }
  return 0;
}
