// AccessKeys are the callers a server knows: access key ids and the secrets
// they sign with. Set at construction, then only read; any thread may look up.
// Nothing here, errors included, shows a secret, nor an id: whoever swaps the
// two in a file would find the secret in a log.
#ifndef TRIREME_SERVER_AWS_ACCESS_KEYS_H_
#define TRIREME_SERVER_AWS_ACCESS_KEYS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trireme {

struct AccessKey {
  std::string id;      // 3..128 of A-Z, a-z, 0-9 and '_'.
  std::string secret;  // 8..256 printable ASCII characters, no blanks.
};

class AccessKeys {
 public:
  static constexpr size_t kKeysMax = 10'000;

  AccessKeys() = default;  // Knows nobody.

  // InvalidArgument names the key by its place in the list: "access key 3 ...".
  static absl::StatusOr<AccessKeys> Make(std::vector<AccessKey> keys);
  // Lines "ID SECRET"; empty ones and those that begin with '#' say nothing.
  // A text without any key is an error too. InvalidArgument names the line:
  // "`source_name`:3: ...".
  static absl::StatusOr<AccessKeys> Parse(absl::string_view text,
                                          absl::string_view source_name);

  bool empty() const { return secrets_.empty(); }
  size_t size() const { return secrets_.size(); }
  // Lives as long as the keys; nullptr for an id that is not known.
  const std::string* FindSecret(absl::string_view id) const;

 private:
  absl::Status Add(AccessKey key);

  absl::flat_hash_map<std::string, std::string> secrets_;  // By id.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_ACCESS_KEYS_H_
