#include "server/stream_steps.h"

#include <utility>

namespace trireme {
namespace {

void AddOpen(const Stream& stream, const Shard& shard, StreamStep* step) {
  v1::OpenShardsCommand& open = *(*step)[shard.group].mutable_open_shards();
  open.set_stream_id(stream.id.value());
  open.set_retention_hours(stream.retention_hours);
  open.set_retention_change(stream.retention_change);
  v1::ShardToOpen& opened = *open.add_shards();
  opened.set_shard(shard.index.value());
  opened.set_created_s(shard.created_s);
}

void AddDrop(const Stream& stream, const Shard& shard, StreamStep* step) {
  v1::DropShardsCommand& drop = *(*step)[shard.group].mutable_drop_shards();
  drop.set_stream_id(stream.id.value());
  drop.add_shards(shard.index.value());
}

void AddSeal(const Stream& stream, const Shard& shard, StreamStep* step) {
  v1::SealShardsCommand& seal = *(*step)[shard.group].mutable_seal_shards();
  seal.set_stream_id(stream.id.value());
  seal.add_shards(shard.index.value());
}

void AddRetention(const Stream& stream, const Shard& shard, StreamStep* step) {
  v1::SetRetentionCommand& set = *(*step)[shard.group].mutable_set_retention();
  set.set_stream_id(stream.id.value());
  set.set_retention_hours(stream.retention_hours_next);
  set.set_change(stream.retention_change);
  set.add_shards(shard.index.value());
}

StreamStep RetentionStep(const Stream& stream) {
  StreamStep step;
  for (const Shard& shard : stream.shards) AddRetention(stream, shard, &step);
  return step;
}

StreamStep ForgetStep(const Stream& stream) {
  StreamStep step;
  for (const Shard& shard : stream.forgotten) AddDrop(stream, shard, &step);
  return step;
}

StreamStep DropStep(const Stream& stream) {
  StreamStep step = ForgetStep(stream);
  for (const Shard& shard : stream.shards) AddDrop(stream, shard, &step);
  // Also those that a reshard was about to open: a late OpenShards finds them
  // dropped.
  for (const Reshard& reshard : stream.reshards) {
    for (const Shard& child : reshard.children) AddDrop(stream, child, &step);
  }
  return step;
}

std::vector<StreamStep> ReshardSteps(const Stream& stream) {
  if (stream.reshards.empty()) return {};
  StreamStep open;
  StreamStep seal;
  for (const Reshard& reshard : stream.reshards) {
    for (const Shard& child : reshard.children) AddOpen(stream, child, &open);
    for (const ShardIndex parent : reshard.parents) {
      AddSeal(stream, *stream.FindShard(parent), &seal);
    }
  }
  return {std::move(open), std::move(seal)};
}

}  // namespace

bool IsMoving(const Stream& stream) {
  return stream.status != StreamStatus::kActive || !stream.forgotten.empty();
}

std::optional<v1::Command> ForgetExpired(const Stream& stream, absl::Time now) {
  if (stream.status != StreamStatus::kActive) return std::nullopt;
  v1::Command command;
  v1::ForgetShardsCommand& forget = *command.mutable_forget_shards();
  forget.set_stream_id(stream.id.value());
  for (const Shard& shard : stream.shards) {
    if (stream.IsExpired(shard, now)) forget.add_shards(shard.index.value());
  }
  if (forget.shards().empty()) return std::nullopt;
  return command;
}

std::vector<StreamStep> StepsOf(const Stream& stream) {
  switch (stream.status) {
    case StreamStatus::kCreating: {
      StreamStep open;
      for (const Shard& shard : stream.shards) AddOpen(stream, shard, &open);
      return {std::move(open)};
    }
    case StreamStatus::kUpdating:
      if (stream.retention_hours_next != 0) return {RetentionStep(stream)};
      return ReshardSteps(stream);
    case StreamStatus::kDeleting:
      return {DropStep(stream)};
    case StreamStatus::kActive:
      return {ForgetStep(stream)};
  }
  return {};
}

v1::Command FinishOf(const Stream& stream, const ShardEnds& ends) {
  v1::Command command;
  switch (stream.status) {
    case StreamStatus::kDeleting:
      command.mutable_remove_stream()->set_stream_id(stream.id.value());
      break;
    case StreamStatus::kUpdating: {
      if (stream.retention_hours_next != 0) {
        v1::CompleteRetentionCommand& complete =
            *command.mutable_complete_retention();
        complete.set_stream_id(stream.id.value());
        complete.set_change(stream.retention_change);
        break;
      }
      v1::CompleteReshardsCommand& complete =
          *command.mutable_complete_reshards();
      complete.set_stream_id(stream.id.value());
      for (const auto& [shard, end] : ends) {
        v1::ShardEnd& ended = *complete.add_ends();
        ended.set_shard(shard.value());
        ended.set_end_counter(end);
      }
      break;
    }
    case StreamStatus::kCreating:
      command.mutable_activate_stream()->set_stream_id(stream.id.value());
      break;
    case StreamStatus::kActive: {
      v1::CompleteForgetCommand& complete = *command.mutable_complete_forget();
      complete.set_stream_id(stream.id.value());
      for (const Shard& shard : stream.forgotten)
        complete.add_shards(shard.index.value());
      break;
    }
  }
  return command;
}

absl::string_view FinishedName(const Stream& stream) {
  switch (stream.status) {
    case StreamStatus::kDeleting:
      return "removed";
    case StreamStatus::kUpdating:
      if (stream.retention_hours_next != 0) return "of another retention";
      return stream.reshards.empty() ? "updated" : "resharded";
    case StreamStatus::kCreating:
      return "active";
    case StreamStatus::kActive:
      return "rid of expired shards";
  }
  return "";
}

}  // namespace trireme
