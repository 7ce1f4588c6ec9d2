#include "server/signed_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/check.h"

namespace trireme {
namespace {

std::array<uint8_t, 32> HmacSha256(absl::string_view key,
                                   absl::string_view message) {
  std::array<uint8_t, 32> digest;
  unsigned int digest_bytes = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()),
           message.size(), digest.data(), &digest_bytes);
  CHECK(made != nullptr && digest_bytes == digest.size(), "HMAC failed");
  return digest;
}

}  // namespace

TokenSigner::TokenSigner(absl::string_view cluster, absl::string_view secret)
    : key_(HmacSha256(absl::StrCat("trireme token key:", secret), cluster)) {}

std::string TokenSigner::Sign(absl::string_view kind,
                              absl::string_view payload) const {
  return absl::WebSafeBase64Escape(absl::StrCat(payload, Tag(kind, payload)));
}

std::optional<std::string> TokenSigner::Open(absl::string_view kind,
                                             absl::string_view token) const {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() < kTagBytes) {
    return std::nullopt;
  }
  const std::string tag = bytes.substr(bytes.size() - kTagBytes);
  bytes.resize(bytes.size() - kTagBytes);
  const std::string expected = Tag(kind, bytes);
  // In constant time: the answer must not tell how much of a guess was right.
  if (CRYPTO_memcmp(tag.data(), expected.data(), kTagBytes) != 0) {
    return std::nullopt;
  }
  return bytes;
}

std::string TokenSigner::Tag(absl::string_view kind,
                             absl::string_view payload) const {
  const absl::string_view key(reinterpret_cast<const char*>(key_.data()),
                              key_.size());
  const auto digest = HmacSha256(key, absl::StrCat(kind, ":", payload));
  return std::string(reinterpret_cast<const char*>(digest.data()), kTagBytes);
}

}  // namespace trireme
