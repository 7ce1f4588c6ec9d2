// Bytes in JSON: base64 as the service takes it (kinesis-contract.md §3.1).
#ifndef TRIREME_SERVER_AWS_BASE64_H_
#define TRIREME_SERVER_AWS_BASE64_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace trireme {

// Decodes `text`, strictly: padded, no white space, no bits left over. What is
// wrong, in the words of a SerializationException; nothing when all is well.
std::optional<std::string> DecodeBase64(absl::string_view text,
                                        std::vector<uint8_t>* bytes);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_BASE64_H_
