// SigningKeys remembers the keys that callers' signatures were verified with:
// one holds for a day, a region and a service, and to derive it costs more than
// the rest of a verification. Any thread. Lost at a restart, without harm.
#ifndef TRIREME_SERVER_AWS_SIGNING_KEYS_H_
#define TRIREME_SERVER_AWS_SIGNING_KEYS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/aws/sha256.h"

namespace trireme {

class SigningKeys {
 public:
  static constexpr size_t kKeysMax = 4096;

  // `credential`: "AKID/20150830/us-east-1/kinesis/aws4_request".
  std::optional<Sha256Digest> Find(absl::string_view credential) const;
  // Only once a signature made with it was right: who merely knows an id could
  // push the others' keys out otherwise. When full, begins anew.
  void Remember(absl::string_view credential, const Sha256Digest& key);

 private:
  mutable absl::Mutex mu_;
  absl::flat_hash_map<std::string, Sha256Digest> keys_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_SIGNING_KEYS_H_
