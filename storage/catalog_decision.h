// What a command to the meta group is decided upon, and what it decides: the
// vocabulary of catalog_commands and reshard_commands.
#ifndef TRIREME_STORAGE_CATALOG_DECISION_H_
#define TRIREME_STORAGE_CATALOG_DECISION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/catalog.h"
#include "storage/errors.h"
#include "storage/shard_places.h"

namespace trireme {

// Bounds what one command may make every replica allocate; the service's own
// limits are checked by whoever proposes.
inline constexpr uint32_t kStreamShardsMax = 1'000'000;

struct CatalogState {
  const Catalog& catalog;
  uint32_t next_stream_id = 1;
  uint32_t group_count = 0;  // The meta group included.
};

struct CatalogDecision {
  absl::Status status;  // Not OK: nothing changes.
  std::string reply;
  std::shared_ptr<const Stream> put;  // Null: none.
  std::optional<StreamId> remove;
  std::optional<uint32_t> next_stream_id;
  std::optional<AccountSettings> account;
};

CatalogDecision Refuse(absl::Status status);
CatalogDecision Refuse(ErrorReason reason, absl::string_view message);
// ResourceNotFound.
CatalogDecision RefuseUnknown(uint32_t stream_id);

// A copy to change of an ACTIVE stream. ResourceNotFound, ResourceInUse.
absl::StatusOr<std::shared_ptr<Stream>> TakeActive(const CatalogState& state,
                                                   uint32_t stream_id);
// Of one that is ACTIVE or UPDATING: what consumers belong to.
absl::StatusOr<std::shared_ptr<Stream>> TakeLiving(const CatalogState& state,
                                                   uint32_t stream_id);

// What the stream was UPDATING or CREATING for holds now.
void MakeActive(Stream* stream);

// LimitExceeded when one more on-demand stream would pass the limit (0: none).
absl::Status CheckOnDemandRoom(const CatalogState& state,
                               uint32_t on_demand_streams_max);
// InvalidArgument for settings that only on-demand streams have.
absl::Status CheckModeSettings(const Stream& stream);

// InvalidArgument for a stream of no shards, or of more than kStreamShardsMax.
absl::Status CheckShardCount(uint32_t shard_count);
// The groups with what they hold now.
ShardPlaces PlacesOf(const CatalogState& state);
// LimitExceeded when `more` shards would pass `shards_open_max` in all groups
// (0: no limit).
absl::Status CheckShardRoom(const ShardPlaces& places, uint64_t more,
                            uint64_t shards_open_max);

}  // namespace trireme

#endif  // TRIREME_STORAGE_CATALOG_DECISION_H_
