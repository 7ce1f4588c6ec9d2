#include "storage/hash_key.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/errors.h"
#include "storage/fixed_ints.h"

namespace trireme {
namespace {

constexpr size_t kMd5Bytes = 16;

// Fetched once: looking an algorithm up costs more than hashing a key.
const EVP_MD* Md5() {
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  CHECK(md5 != nullptr, "OpenSSL offers no MD5 (FIPS mode?)");
  return md5;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

absl::Status OutOfRange(absl::string_view text) {
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("Invalid ExplicitHashKey. ExplicitHashKey must be in the "
                   "range: [0, 2^128-1]. Specified value was ",
                   text));
}

}  // namespace

HashKey HashPartitionKey(absl::string_view partition_key) {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(
      EVP_MD_CTX_new());
  std::array<unsigned char, kMd5Bytes> digest;
  const bool hashed =
      EVP_DigestInit_ex2(context.get(), Md5(), nullptr) == 1 &&
      EVP_DigestUpdate(context.get(), partition_key.data(),
                       partition_key.size()) == 1 &&
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
  CHECK(hashed, "MD5 failed");
  HashKey key = 0;
  for (const unsigned char byte : digest) key = key << 8 | byte;
  return key;
}

absl::StatusOr<HashKey> ParseExplicitHashKey(absl::string_view text) {
  // 39 digits hold 2^128-1; the bound also keeps hostile input short.
  if (text.empty() || text.size() > 39) return OutOfRange(text.substr(0, 64));
  if (text.size() > 1 && text[0] == '0') return OutOfRange(text);
  HashKey key = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)))
      return OutOfRange(text);
    const HashKey digit = static_cast<uint64_t>(c - '0');
    if (key > (absl::Uint128Max() - digit) / 10) return OutOfRange(text);
    key = key * 10 + digit;
  }
  return key;
}

std::string HashKeyToString(HashKey key) {
  constexpr uint64_t kChunk = 10'000'000'000'000'000'000u;  // 10^19
  const auto low = absl::Uint128Low64(key % kChunk);
  const HashKey rest = key / kChunk;
  if (rest == 0) return absl::StrCat(low);
  const std::string low_digits = absl::StrCat(low);
  const auto middle = absl::Uint128Low64(rest % kChunk);
  const auto high = absl::Uint128Low64(rest / kChunk);
  std::string text = high == 0 ? "" : absl::StrCat(high);
  const std::string middle_digits = absl::StrCat(middle);
  if (high != 0) text.append(19 - middle_digits.size(), '0');
  text += middle_digits;
  text.append(19 - low_digits.size(), '0');
  return text + low_digits;
}

std::string HashKeyToBytes(HashKey key) {
  std::string bytes;
  AppendBig(absl::Uint128High64(key), &bytes);
  AppendBig(absl::Uint128Low64(key), &bytes);
  return bytes;
}

bool HashKeyFromBytes(absl::string_view bytes, HashKey* key) {
  ByteCursor cursor(bytes);
  uint64_t high = 0;
  uint64_t low = 0;
  if (!cursor.TakeBig(&high) || !cursor.TakeBig(&low) || !cursor.empty())
    return false;
  *key = absl::MakeUint128(high, low);
  return true;
}

std::vector<HashKeyRange> DivideHashKeySpace(uint32_t shard_count) {
  CHECK(shard_count >= 1, "a stream has at least one shard");
  // floor(2^128 / n) without a 129th bit: 2^128 = (2^128-1) + 1, and the one
  // matters only when n divides 2^128.
  const HashKey max = absl::Uint128Max();
  const HashKey n = shard_count;
  HashKey size = max / n;
  if (shard_count > 1 && max % n == n - 1) ++size;
  std::vector<HashKeyRange> ranges(shard_count);
  for (uint32_t i = 0; i < shard_count; ++i) {
    ranges[i].start = size * i;
    ranges[i].end = i + 1 == shard_count ? max : size * (i + 1) - 1;
  }
  return ranges;
}

}  // namespace trireme
