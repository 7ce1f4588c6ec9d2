#include "server/aws/utf8.h"

#include <cstdint>
#include <cstring>

#include "rapidjson/encodings.h"
#include "rapidjson/memorystream.h"

namespace trireme {
namespace {

struct NoOutput {
  using Ch = char;
  void Put(char) {}
};

// Bytes at the front that are ASCII, by eights.
size_t AsciiPrefix(absl::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  size_t at = 0;
  for (uint64_t word = 0; at + sizeof(word) <= text.size();
       at += sizeof(word)) {
    std::memcpy(&word, text.data() + at, sizeof(word));
    if ((word & kHighBits) != 0) break;
  }
  return at;
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  const size_t ascii = AsciiPrefix(text);
  rapidjson::MemoryStream in(text.data() + ascii, text.size() - ascii);
  NoOutput out;
  while (in.Tell() < text.size() - ascii) {
    if (!rapidjson::UTF8<>::Validate(in, out)) return false;
  }
  return true;
}

std::string ToUtf8(absl::string_view text) {
  std::string result(text);
  if (IsUtf8(text)) return result;
  for (char& c : result) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return result;
}

}  // namespace trireme
