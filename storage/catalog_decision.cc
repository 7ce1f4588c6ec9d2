#include "storage/catalog_decision.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace trireme {
namespace {

absl::Status NotActive(const Stream& stream) {
  return MakeError(
      ErrorReason::kResourceInUse,
      absl::StrCat("Stream ", stream.name, " not ACTIVE, instead in state ",
                   StreamStatusName(stream.status)));
}

}  // namespace

CatalogDecision Refuse(absl::Status status) {
  CatalogDecision decision;
  decision.status = std::move(status);
  return decision;
}

CatalogDecision Refuse(ErrorReason reason, absl::string_view message) {
  return Refuse(MakeError(reason, message));
}

CatalogDecision RefuseUnknown(uint32_t stream_id) {
  return Refuse(ErrorReason::kResourceNotFound,
                absl::StrCat("Stream number ", stream_id, " not found."));
}

absl::StatusOr<std::shared_ptr<Stream>> TakeActive(const CatalogState& state,
                                                   uint32_t stream_id) {
  auto stream = TakeLiving(state, stream_id);
  if (!stream.ok() || (*stream)->status == StreamStatus::kActive) return stream;
  return NotActive(**stream);
}

absl::StatusOr<std::shared_ptr<Stream>> TakeLiving(const CatalogState& state,
                                                   uint32_t stream_id) {
  const auto stream = state.catalog.Find(StreamId(stream_id));
  if (stream == nullptr) return RefuseUnknown(stream_id).status;
  if (stream->status != StreamStatus::kActive &&
      stream->status != StreamStatus::kUpdating)
    return NotActive(*stream);
  return std::make_shared<Stream>(*stream);
}

void MakeActive(Stream* stream) {
  stream->status = StreamStatus::kActive;
  if (!stream->warm) return;
  // A shard takes 1 MiB/s; the scaling that makes the rest of them comes next.
  stream->warm->current_mibps =
      std::min<uint32_t>(stream->warm->target_mibps, stream->open.size());
}

absl::Status CheckOnDemandRoom(const CatalogState& state,
                               uint32_t on_demand_streams_max) {
  const size_t count = state.catalog.on_demand_stream_count();
  if (on_demand_streams_max == 0 || count < on_demand_streams_max)
    return absl::OkStatus();
  return MakeError(
      ErrorReason::kLimitExceeded,
      absl::StrCat("there are ", count, " on-demand streams; the limit is ",
                   on_demand_streams_max));
}

absl::Status CheckModeSettings(const Stream& stream) {
  if (stream.mode == StreamMode::kOnDemand) return absl::OkStatus();
  absl::string_view what;
  if (stream.distribution == RecordDistribution::kAuto) {
    what = "the record distribution strategy AUTO";
  } else if (stream.warm) {
    what = "warm throughput";
  } else {
    return absl::OkStatus();
  }
  return MakeError(ErrorReason::kInvalidArgument,
                   absl::StrCat("Stream ", stream.name,
                                " is in Provisioned mode, and only on-demand "
                                "streams have ",
                                what));
}

absl::Status CheckShardCount(uint32_t shard_count) {
  if (shard_count >= 1 && shard_count <= kStreamShardsMax)
    return absl::OkStatus();
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("a stream of ", shard_count,
                   " shards; the limits are 1 and ", kStreamShardsMax));
}

ShardPlaces PlacesOf(const CatalogState& state) {
  return ShardPlaces(state.catalog.OpenShardsByGroup(state.group_count));
}

absl::Status CheckShardRoom(const ShardPlaces& places, uint64_t more,
                            uint64_t shards_open_max) {
  if (shards_open_max == 0 || places.shard_count() + more <= shards_open_max)
    return absl::OkStatus();
  return MakeError(
      ErrorReason::kLimitExceeded,
      absl::StrCat("the cluster has ", places.shard_count(), " open shards; ",
                   more, " more would pass the limit of ", shards_open_max));
}

}  // namespace trireme
