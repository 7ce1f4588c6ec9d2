// SHA-256 and HMAC-SHA256, as AWS's signatures use them.
#ifndef TRIREME_SERVER_AWS_SHA256_H_
#define TRIREME_SERVER_AWS_SHA256_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace trireme {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest Sha256(absl::string_view bytes);
Sha256Digest HmacSha256(absl::string_view key, absl::string_view message);

inline absl::string_view AsBytes(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// 64 digits, lower case.
std::string ToHex(const Sha256Digest& digest);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_SHA256_H_
