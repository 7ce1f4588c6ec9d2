#include "client/hash_key.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace trireme::client {

std::optional<Md5Digest> Md5(absl::string_view bytes) {
  // Looked up once: that takes longer than to hash a key.
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  Md5Digest digest;
  if (md5 == nullptr ||
      EVP_Digest(bytes.data(), bytes.size(),
                 reinterpret_cast<unsigned char*>(digest.data()), nullptr, md5,
                 nullptr) != 1) {
    return std::nullopt;
  }
  return digest;
}

std::optional<HashKey> HashKeyOf(absl::string_view partition_key,
                                 absl::string_view explicit_hash_key) {
  if (!explicit_hash_key.empty()) return ParseHashKey(explicit_hash_key);
  const std::optional<Md5Digest> digest = Md5(partition_key);
  if (!digest.has_value()) return std::nullopt;
  HashKey hash = 0;  // Read big-endian.
  for (const char byte : *digest) {
    hash = hash << 8 | static_cast<unsigned char>(byte);
  }
  return hash;
}

std::optional<HashKey> ParseHashKey(absl::string_view text) {
  // SimpleAtoi takes signs and spaces too, which the service does not.
  const bool has_zeros = text.size() > 1 && text.front() == '0';
  HashKey key = 0;
  if (has_zeros ||
      !std::all_of(text.begin(), text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(text, &key)) {
    return std::nullopt;
  }
  return key;
}

std::string HashKeyText(HashKey key) {
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(key % 10));
    key /= 10;
  } while (key != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::optional<HashKeyRange> ParseHashKeyRange(const v1::HashKeyRange& range) {
  const auto first = ParseHashKey(range.starting_hash_key());
  const auto last = ParseHashKey(range.ending_hash_key());
  if (!first.has_value() || !last.has_value()) return std::nullopt;
  return HashKeyRange{*first, *last};
}

}  // namespace trireme::client
