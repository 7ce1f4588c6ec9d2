#include "storage/catalog_commands.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/catalog_tables.h"
#include "storage/clock.h"
#include "storage/errors.h"
#include "storage/stream_name.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

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

std::shared_ptr<Stream> WithStatus(const Stream& stream, StreamStatus status) {
  auto changed = std::make_shared<Stream>(stream);
  changed->status = status;
  return changed;
}

// The data group with the fewest open shards, the lowest of equals. Takes the
// place it gives.
GroupId TakePlace(std::vector<uint32_t>* open_shards) {
  const auto least =
      std::min_element(open_shards->begin() + 1, open_shards->end());
  ++*least;
  return GroupId(static_cast<uint32_t>(least - open_shards->begin()));
}

// Where all creations meet, so that none passes the limits beside another.
absl::Status CheckRoom(const CatalogState& state,
                       const v1::CreateStreamCommand& command) {
  const auto streams = state.catalog.List("", state.catalog.stream_count());
  const auto creating =
      std::count_if(streams.begin(), streams.end(), [](const auto& stream) {
        return stream->status == StreamStatus::kCreating;
      });
  if (command.streams_creating_max() > 0 &&
      creating >= command.streams_creating_max()) {
    return MakeError(
        ErrorReason::kLimitExceeded,
        absl::StrCat(creating, " streams are being created; the limit is ",
                     command.streams_creating_max(),
                     "; wait until one is ACTIVE"));
  }
  const std::vector<uint32_t> by_group =
      state.catalog.OpenShardsByGroup(state.group_count);
  const uint64_t open =
      std::accumulate(by_group.begin(), by_group.end(), uint64_t{0});
  if (command.shards_open_max() > 0 &&
      open + command.shard_count() > command.shards_open_max()) {
    return MakeError(
        ErrorReason::kLimitExceeded,
        absl::StrCat("the cluster has ", open, " open shards; ",
                     command.shard_count(), " more would pass the limit of ",
                     command.shards_open_max()));
  }
  return absl::OkStatus();
}

CatalogDecision Create(const CatalogState& state,
                       const v1::CreateStreamCommand& command,
                       int64_t stamp_ms) {
  if (absl::Status named = CheckName(command.name(), "streamName"); !named.ok())
    return Refuse(named);
  if (command.shard_count() < 1 || command.shard_count() > kStreamShardsMax) {
    return Refuse(
        ErrorReason::kInvalidArgument,
        absl::StrCat("a stream of ", command.shard_count(),
                     " shards; the limits are 1 and ", kStreamShardsMax));
  }
  if (state.catalog.Find(absl::string_view(command.name())) != nullptr) {
    return Refuse(ErrorReason::kResourceInUse,
                  absl::StrCat("Stream ", command.name(), " already exists."));
  }
  if (absl::Status room = CheckRoom(state, command); !room.ok()) {
    return Refuse(room);
  }
  auto stream = std::make_shared<Stream>();
  stream->id = StreamId(state.next_stream_id);
  stream->name = command.name();
  stream->status = StreamStatus::kCreating;
  stream->created = absl::FromUnixMillis(stamp_ms);
  stream->retention_hours = command.retention_hours();
  stream->record_bytes_max = command.record_bytes_max();
  std::vector<uint32_t> places =
      state.catalog.OpenShardsByGroup(state.group_count);
  const auto ranges = DivideHashKeySpace(command.shard_count());
  stream->shards.resize(ranges.size());
  for (uint32_t i = 0; i < ranges.size(); ++i) {
    Shard& shard = stream->shards[i];
    shard.index = ShardIndex(i);
    shard.group = TakePlace(&places);
    shard.range = ranges[i];
    shard.created_s = UnixSecondOf(stamp_ms);
  }
  ListOpenShards(stream.get());

  v1::CreateStreamReply reply;
  reply.set_stream_id(stream->id.value());
  CatalogDecision decision;
  decision.reply = reply.SerializeAsString();
  decision.next_stream_id = state.next_stream_id + 1;
  decision.put = std::move(stream);
  return decision;
}

CatalogDecision Activate(const CatalogState& state,
                         const v1::ActivateStreamCommand& command) {
  const auto stream = state.catalog.Find(StreamId(command.stream_id()));
  if (stream == nullptr) return RefuseUnknown(command.stream_id());
  CatalogDecision decision;
  if (stream->status == StreamStatus::kCreating)
    decision.put = WithStatus(*stream, StreamStatus::kActive);
  return decision;
}

CatalogDecision Delete(const CatalogState& state,
                       const v1::DeleteStreamCommand& command) {
  const auto stream = state.catalog.Find(absl::string_view(command.name()));
  if (stream == nullptr) {
    return Refuse(ErrorReason::kResourceNotFound,
                  absl::StrCat("Stream ", command.name(), " not found."));
  }
  if (stream->status == StreamStatus::kDeleting) {
    return Refuse(ErrorReason::kResourceInUse,
                  absl::StrCat("Stream ", command.name(),
                               " not ACTIVE, instead in state DELETING"));
  }
  v1::DeleteStreamReply reply;
  reply.set_stream_id(stream->id.value());
  CatalogDecision decision;
  decision.reply = reply.SerializeAsString();
  decision.put = WithStatus(*stream, StreamStatus::kDeleting);
  return decision;
}

CatalogDecision Remove(const CatalogState& state,
                       const v1::RemoveStreamCommand& command,
                       int64_t stamp_ms) {
  const auto stream = state.catalog.Find(StreamId(command.stream_id()));
  CatalogDecision decision;
  // Driven again after a crash, it finds its work done.
  if (stream == nullptr) return decision;
  if (stream->status != StreamStatus::kDeleting) {
    return Refuse(ErrorReason::kResourceInUse,
                  absl::StrCat("Stream ", stream->name, " is not DELETING"));
  }
  // Sequence numbers tell a stream from a later one of its name by the second
  // of their creation (kinesis-contract.md §2.2), so it must be over.
  const uint64_t now_s = UnixSecondOf(stamp_ms);
  const auto is_of_this_second = [now_s](const Shard& shard) {
    return shard.created_s >= now_s;
  };
  if (std::any_of(stream->shards.begin(), stream->shards.end(),
                  is_of_this_second)) {
    return Refuse(ErrorReason::kResourceInUse,
                  absl::StrCat("Stream ", stream->name,
                               " was created within this second; it is "
                               "removed in the next"));
  }
  decision.remove = stream->id;
  return decision;
}

}  // namespace

bool IsCatalogCommand(const v1::Command& command) {
  switch (command.command_case()) {
    case v1::Command::kCreateStream:
    case v1::Command::kActivateStream:
    case v1::Command::kDeleteStream:
    case v1::Command::kRemoveStream:
      return true;
    default:
      return false;
  }
}

CatalogDecision DecideCatalogCommand(const CatalogState& state,
                                     const v1::Command& command,
                                     int64_t stamp_ms) {
  switch (command.command_case()) {
    case v1::Command::kCreateStream:
      return Create(state, command.create_stream(), stamp_ms);
    case v1::Command::kActivateStream:
      return Activate(state, command.activate_stream());
    case v1::Command::kDeleteStream:
      return Delete(state, command.delete_stream());
    case v1::Command::kRemoveStream:
      return Remove(state, command.remove_stream(), stamp_ms);
    default:
      return Refuse(ErrorReason::kInvalidArgument,
                    "not a command to the meta group");
  }
}

}  // namespace trireme
