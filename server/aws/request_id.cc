#include "server/aws/request_id.h"

#include <cstdint>
#include <cstring>

#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace trireme {
namespace {

constexpr int kExtendedWords = 9;  // 72 bytes, as the service's.

uint64_t RandomWord() {
  // Ids need no secrecy, and there is one for each call.
  thread_local absl::InsecureBitGen bits;
  return absl::Uniform<uint64_t>(bits);
}

}  // namespace

std::string MakeRequestId() {
  const uint64_t high = RandomWord();
  const uint64_t low = RandomWord();
  // RFC 4122: version 4, variant 1.
  return absl::StrFormat("%08x-%04x-4%03x-%04x-%012x", high >> 32,
                         high >> 16 & 0xffff, high & 0xfff,
                         (low >> 48 & 0x3fff) | 0x8000, low & 0xffffffffffff);
}

std::string MakeExtendedRequestId() {
  std::string bytes;
  for (int i = 0; i < kExtendedWords; ++i) {
    const uint64_t word = RandomWord();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  return absl::Base64Escape(bytes);
}

}  // namespace trireme
