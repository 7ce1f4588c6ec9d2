#include "server/aws/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <initializer_list>
#include <memory>

#include "absl/strings/escaping.h"
#include "storage/check.h"

namespace trireme {
namespace {

constexpr size_t kBlockBytes = 64;

// Fetched once: EVP_sha256() is looked up anew at each use.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm =
      EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CHECK(algorithm != nullptr, "OpenSSL has no SHA256");
  return algorithm;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// The digest of the parts, one after another.
Sha256Digest Digest(std::initializer_list<absl::string_view> parts) {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(
      EVP_MD_CTX_new());
  CHECK(EVP_DigestInit_ex2(context.get(), Algorithm(), nullptr) == 1);
  for (const absl::string_view part : parts) {
    CHECK(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  }
  Sha256Digest digest;
  unsigned int digest_bytes = 0;
  CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), &digest_bytes) == 1);
  CHECK(digest_bytes == digest.size());
  return digest;
}

}  // namespace

Sha256Digest Sha256(absl::string_view bytes) { return Digest({bytes}); }

// RFC 2104. By hand: OpenSSL's own HMAC() makes and frees three contexts at
// each call, which takes longer than the hashing.
Sha256Digest HmacSha256(absl::string_view key, absl::string_view message) {
  std::array<char, kBlockBytes> inner = {};
  if (key.size() > kBlockBytes) {
    const Sha256Digest short_key = Sha256(key);
    std::copy(short_key.begin(), short_key.end(), inner.begin());
  } else {
    std::copy(key.begin(), key.end(), inner.begin());
  }
  std::array<char, kBlockBytes> outer = inner;
  for (char& c : inner) c ^= 0x36;
  for (char& c : outer) c ^= 0x5c;
  const Sha256Digest within =
      Digest({absl::string_view(inner.data(), inner.size()), message});
  return Digest(
      {absl::string_view(outer.data(), outer.size()), AsBytes(within)});
}

std::string ToHex(const Sha256Digest& digest) {
  return absl::BytesToHexString(AsBytes(digest));
}

}  // namespace trireme
