// Text from outside that must be UTF-8, because clients will read it.
#ifndef TRIREME_SERVER_AWS_UTF8_H_
#define TRIREME_SERVER_AWS_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace trireme {

bool IsUtf8(absl::string_view text);
// The text, or with a '?' for each byte that is not ASCII when it is not UTF-8.
std::string ToUtf8(absl::string_view text);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_UTF8_H_
