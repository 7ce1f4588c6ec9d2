// TokenSigner makes the opaque tokens clients hand back: shard iterators and
// list tokens. A token is base64url of {payload, HMAC-SHA256 cut to 16 bytes}.
//
// All nodes of a cluster must sign alike. With `iterator_secret` configured a
// token cannot be forged; without one the key follows from the cluster's name,
// which guards against damage and mix-ups between clusters, not against
// someone who knows this code and the name.
#ifndef TRIREME_SERVER_SIGNED_TOKEN_H_
#define TRIREME_SERVER_SIGNED_TOKEN_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace trireme {

class TokenSigner {
 public:
  TokenSigner(absl::string_view cluster, absl::string_view secret);

  // `kind` keeps one sort of token from being taken for another.
  std::string Sign(absl::string_view kind, absl::string_view payload) const;
  // The payload; nullopt for what this cluster did not sign as `kind`.
  std::optional<std::string> Open(absl::string_view kind,
                                  absl::string_view token) const;

 private:
  using Key = std::array<uint8_t, 32>;
  static constexpr size_t kTagBytes = 16;

  std::string Tag(absl::string_view kind, absl::string_view payload) const;

  Key key_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SIGNED_TOKEN_H_
