// The configuration of one node: a YAML file (deploy/config/ has examples,
// docs/operations.md describes every key). Unknown keys and wrong values are
// errors that name the key, its line and what is allowed.
#ifndef TRIREME_SERVER_CONFIG_H_
#define TRIREME_SERVER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/limits_profile.h"
#include "server/read_operations.h"
#include "server/resource_names.h"
#include "server/tls_files.h"
#include "storage/ids.h"

namespace trireme {

// Another node of the cluster.
struct PeerConfig {
  NodeId node;
  std::string zone;
  std::string address;  // Of its peer_listen, as seen from here.
};

// The endpoint for AWS clients (docs/kinesis-endpoint.md).
struct KinesisConfig {
  std::string listen;
  std::optional<TlsFiles> tls;
  std::string access_keys;  // A file; empty: any keys will do.
};

struct NodeConfig {
  std::string cluster;
  NodeId node;
  std::string zone;
  std::string data_dir;
  std::string listen;       // For clients.
  std::string advertise;    // Where clients reach it; `listen` by default.
  std::string peer_listen;  // For the other nodes.
  std::vector<PeerConfig> peers;  // The other two.
  uint32_t groups = 8;            // Data groups; the meta group is one more.
  ReadFrom read = ReadFrom::kLeader;
  LimitsOptions limits;
  Account account;
  std::string iterator_secret;  // The same on every node; may be empty.
  std::string log_level = "info";
  bool insecure = false;
  std::optional<KinesisConfig> kinesis;
  std::optional<TlsFiles> tls;       // For clients.
  std::optional<TlsFiles> peer_tls;  // Between nodes; with a ca (mTLS).

  // All three nodes' ids, ascending.
  std::vector<NodeId> NodeIds() const;
};

// `source` names the text in errors, as a file's name does. `insecure` is the
// flag of the command line; the file may say the same.
absl::StatusOr<NodeConfig> ParseNodeConfig(const std::string& text,
                                           absl::string_view source,
                                           bool insecure = false);
absl::StatusOr<NodeConfig> LoadNodeConfig(const std::string& path,
                                          bool insecure = false);

// Refuses an address that others can reach without TLS, unless `insecure`
// (design.md D16). `key` is the address's name in the message.
absl::Status CheckExposure(absl::string_view key, absl::string_view address,
                           bool has_tls, bool insecure);
// The same of the endpoint for AWS clients, which must know its callers too.
absl::Status CheckKinesisExposure(absl::string_view key,
                                  absl::string_view address, bool has_tls,
                                  bool has_access_keys, bool insecure);

}  // namespace trireme

#endif  // TRIREME_SERVER_CONFIG_H_
