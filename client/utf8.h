// Text as the API wants it: its strings are UTF-8, and limits on them count
// characters.
#ifndef TRIREME_CLIENT_UTF8_H_
#define TRIREME_CLIENT_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace trireme::client {

// Bytes of the character that starts at `i`; 0 when none does.
size_t Utf8CharacterBytes(absl::string_view text, size_t i);
bool IsUtf8(absl::string_view text);
// Of well-formed text.
size_t Utf8Characters(absl::string_view text);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_UTF8_H_
