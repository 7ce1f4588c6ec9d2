#include "client/utf8.h"

#include <algorithm>

namespace trireme::client {

size_t Utf8CharacterBytes(absl::string_view text, size_t i) {
  const auto byte = [&](size_t at) {
    return static_cast<unsigned char>(text[at]);
  };
  const unsigned char lead = byte(i);
  const size_t bytes = lead < 0x80             ? 1
                       : (lead & 0xE0) == 0xC0 ? 2
                       : (lead & 0xF0) == 0xE0 ? 3
                       : (lead & 0xF8) == 0xF0 ? 4
                                               : 0;
  if (bytes == 0 || i + bytes > text.size()) return 0;
  for (size_t j = 1; j < bytes; ++j) {
    if ((byte(i + j) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond Unicode.
  if (lead == 0xC0 || lead == 0xC1 || (lead == 0xE0 && byte(i + 1) < 0xA0) ||
      (lead == 0xED && byte(i + 1) >= 0xA0) ||
      (lead == 0xF0 && byte(i + 1) < 0x90) || lead > 0xF4 ||
      (lead == 0xF4 && byte(i + 1) >= 0x90)) {
    return 0;
  }
  return bytes;
}

bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = Utf8CharacterBytes(text, i);
    if (bytes == 0) return false;
    i += bytes;
  }
  return true;
}

size_t Utf8Characters(absl::string_view text) {
  // Every character has exactly one byte that does not continue another.
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace trireme::client
