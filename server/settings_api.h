// The part of the API that reads and changes settings, in C++ terms: as api.h.
#ifndef TRIREME_SERVER_SETTINGS_API_H_
#define TRIREME_SERVER_SETTINGS_API_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/resource_names.h"
#include "server/router.h"
#include "storage/catalog.h"
#include "storage/shard_metrics.h"

namespace trireme {

struct MonitoringRequest {
  StreamAddress stream;
  std::vector<absl::string_view> shard_level_metrics;
  bool enable = true;  // Else they are disabled.
};
struct MonitoringResponse {
  StreamPtr stream;
  ShardMetrics before;
  ShardMetrics after;
};

struct EncryptionRequest {
  StreamAddress stream;
  bool is_kms = true;  // Else it names the other type, NONE.
  absl::string_view key_id;
};

struct UpdateStreamModeRequest {
  StreamAddress stream;
  StreamMode mode = StreamMode::kProvisioned;
  std::optional<int32_t> warm_mibps;
};
struct UpdateWarmThroughputRequest {
  StreamAddress stream;
  int32_t warm_mibps = 0;
};
struct UpdateWarmThroughputResponse {
  StreamPtr stream;  // As it was before.
  WarmThroughput warm;
};
struct UpdateRecordDistributionRequest {
  StreamAddress stream;
  RecordDistribution distribution = RecordDistribution::kUserPartitionKey;
};

struct PutPolicyRequest {
  StreamAddress resource;
  absl::string_view policy;
};

struct UpdateAccountRequest {
  bool commitment = false;  // Enable it, or disable it.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SETTINGS_API_H_
