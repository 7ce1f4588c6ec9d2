#include "storage/catalog_commands.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/catalog_decision.h"
#include "storage/catalog_tables.h"
#include "storage/clock.h"
#include "storage/consumer_commands.h"
#include "storage/errors.h"
#include "storage/reshard_commands.h"
#include "storage/retention_commands.h"
#include "storage/settings_commands.h"
#include "storage/shard_places.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"
#include "storage/tag_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

std::shared_ptr<Stream> WithStatus(const Stream& stream, StreamStatus status) {
  auto changed = std::make_shared<Stream>(stream);
  changed->status = status;
  return changed;
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
  if (command.mode() == static_cast<uint32_t>(StreamMode::kOnDemand)) {
    RETURN_IF_ERROR(CheckOnDemandRoom(state, command.on_demand_streams_max()));
  }
  return CheckShardRoom(PlacesOf(state), command.shard_count(),
                        command.shards_open_max());
}

CatalogDecision Create(const CatalogState& state,
                       const v1::CreateStreamCommand& command,
                       int64_t stamp_ms) {
  if (absl::Status named = CheckName(command.name(), "streamName"); !named.ok())
    return Refuse(named);
  if (absl::Status count = CheckShardCount(command.shard_count()); !count.ok())
    return Refuse(count);
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
  SetTags(command.tags(), &stream->tags);
  stream->mode = static_cast<StreamMode>(command.mode() & 1);
  stream->distribution =
      static_cast<RecordDistribution>(command.distribution() & 1);
  if (command.has_warm_mibps()) {
    stream->warm = WarmThroughput{command.warm_mibps(), 0};
  }
  if (absl::Status fits = CheckModeSettings(*stream); !fits.ok())
    return Refuse(fits);
  ShardPlaces places = PlacesOf(state);
  const auto ranges = DivideHashKeySpace(command.shard_count());
  stream->shards.resize(ranges.size());
  for (uint32_t i = 0; i < ranges.size(); ++i) {
    Shard& shard = stream->shards[i];
    shard.index = ShardIndex(i);
    shard.group = places.Take();
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
  if (stream->status != StreamStatus::kCreating) return decision;
  auto active = std::make_shared<Stream>(*stream);
  MakeActive(active.get());
  decision.put = std::move(active);
  return decision;
}

CatalogDecision Delete(const CatalogState& state,
                       const v1::DeleteStreamCommand& command) {
  const auto stream = state.catalog.Find(absl::string_view(command.name()));
  const bool is_other = stream != nullptr && command.stream_id() != 0 &&
                        stream->id != StreamId(command.stream_id());
  if (stream == nullptr || is_other) {
    return Refuse(ErrorReason::kResourceNotFound,
                  absl::StrCat("Stream ", command.name(), " not found."));
  }
  if (stream->status == StreamStatus::kDeleting) {
    return Refuse(ErrorReason::kResourceInUse,
                  absl::StrCat("Stream ", command.name(),
                               " not ACTIVE, instead in state DELETING"));
  }
  if (!stream->consumers.by_name.empty() &&
      !command.enforce_consumer_deletion()) {
    return Refuse(ErrorReason::kResourceInUse,
                  absl::StrCat("Stream ", command.name(), " has ",
                               stream->consumers.by_name.size(),
                               " registered consumers"));
  }
  v1::DeleteStreamReply reply;
  reply.set_stream_id(stream->id.value());
  auto deleting = WithStatus(*stream, StreamStatus::kDeleting);
  deleting->consumers.ForgetAll();
  CatalogDecision decision;
  decision.reply = reply.SerializeAsString();
  decision.put = std::move(deleting);
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
  const auto begins_one = [&is_of_this_second](const Reshard& reshard) {
    return std::any_of(reshard.children.begin(), reshard.children.end(),
                       is_of_this_second);
  };
  // The same goes for the ARNs of its consumers.
  if (stream->consumers.created_s_min > now_s ||
      std::any_of(stream->shards.begin(), stream->shards.end(),
                  is_of_this_second) ||
      std::any_of(stream->reshards.begin(), stream->reshards.end(),
                  begins_one)) {
    return Refuse(
        ErrorReason::kResourceInUse,
        absl::StrCat("Stream ", stream->name,
                     ", or a shard or consumer of it, was created "
                     "within this second; it is removed in the next"));
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
    case v1::Command::kSplitShard:
    case v1::Command::kMergeShards:
    case v1::Command::kUpdateShardCount:
    case v1::Command::kCompleteReshards:
    case v1::Command::kTagStream:
    case v1::Command::kUpdateStreamSettings:
    case v1::Command::kUpdateRetention:
    case v1::Command::kCompleteRetention:
    case v1::Command::kForgetShards:
    case v1::Command::kCompleteForget:
    case v1::Command::kRegisterConsumer:
    case v1::Command::kDeregisterConsumer:
    case v1::Command::kTagConsumer:
    case v1::Command::kSetPolicy:
    case v1::Command::kChangeMonitoring:
    case v1::Command::kChangeEncryption:
    case v1::Command::kUpdateAccountSettings:
    case v1::Command::kChangeCapacity:
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
    case v1::Command::kSplitShard:
      return SplitShard(state, command.split_shard(), stamp_ms);
    case v1::Command::kMergeShards:
      return MergeShards(state, command.merge_shards(), stamp_ms);
    case v1::Command::kUpdateShardCount:
      return UpdateShardCount(state, command.update_shard_count(), stamp_ms);
    case v1::Command::kCompleteReshards:
      return CompleteReshards(state, command.complete_reshards(), stamp_ms);
    case v1::Command::kTagStream:
      return TagStream(state, command.tag_stream());
    case v1::Command::kUpdateStreamSettings:
      return UpdateStreamSettings(state, command.update_stream_settings());
    case v1::Command::kUpdateRetention:
      return UpdateRetention(state, command.update_retention());
    case v1::Command::kCompleteRetention:
      return CompleteRetention(state, command.complete_retention(), stamp_ms);
    case v1::Command::kForgetShards:
      return ForgetShards(state, command.forget_shards(), stamp_ms);
    case v1::Command::kCompleteForget:
      return CompleteForget(state, command.complete_forget());
    case v1::Command::kRegisterConsumer:
      return RegisterConsumer(state, command.register_consumer(), stamp_ms);
    case v1::Command::kDeregisterConsumer:
      return DeregisterConsumer(state, command.deregister_consumer());
    case v1::Command::kTagConsumer:
      return TagConsumer(state, command.tag_consumer());
    case v1::Command::kSetPolicy:
      return SetPolicy(state, command.set_policy());
    case v1::Command::kChangeMonitoring:
      return ChangeMonitoring(state, command.change_monitoring());
    case v1::Command::kChangeEncryption:
      return ChangeEncryption(state, command.change_encryption(), stamp_ms);
    case v1::Command::kUpdateAccountSettings:
      return UpdateAccountSettings(state, command.update_account_settings(),
                                   stamp_ms);
    case v1::Command::kChangeCapacity:
      return ChangeCapacity(state, command.change_capacity(), stamp_ms);
    default:
      return Refuse(ErrorReason::kInvalidArgument,
                    "not a command to the meta group");
  }
}

}  // namespace trireme
