#include "server/aws/signing_keys.h"

namespace trireme {

std::optional<Sha256Digest> SigningKeys::Find(
    absl::string_view credential) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = keys_.find(credential);
  if (found == keys_.end()) return std::nullopt;
  return found->second;
}

void SigningKeys::Remember(absl::string_view credential,
                           const Sha256Digest& key) {
  absl::MutexLock lock(&mu_);
  if (keys_.size() >= kKeysMax) keys_.clear();
  keys_.insert_or_assign(std::string(credential), key);
}

}  // namespace trireme
