#include "tests/sim/stream_commands.h"

#include "storage/check.h"
#include "storage/hash_key.h"

namespace trireme::sim {

v1::Command CreateCommand(const std::string& name, uint32_t shards) {
  v1::Command command;
  v1::CreateStreamCommand& create = *command.mutable_create_stream();
  create.set_name(name);
  create.set_shard_count(shards);
  create.set_retention_hours(24);
  create.set_record_bytes_max(1 << 20);
  return command;
}

v1::Command DeleteCommand(const std::string& name) {
  v1::Command command;
  command.mutable_delete_stream()->set_name(name);
  return command;
}

v1::Command SplitCommand(const Stream& stream, uint32_t index,
                         uint32_t percent) {
  const Shard* const shard = stream.FindShard(ShardIndex(index));
  CHECK(shard != nullptr, "no such shard to split");
  const HashKeyRange& range = shard->range;
  v1::Command command;
  v1::SplitShardCommand& split = *command.mutable_split_shard();
  split.set_stream_id(stream.id.value());
  split.set_shard(index);
  split.set_new_starting_hash_key(
      HashKeyToBytes(range.start + (range.end - range.start) / 100 * percent));
  return command;
}

v1::Command MergeCommand(const Stream& stream, uint32_t shard,
                         uint32_t adjacent) {
  v1::Command command;
  v1::MergeShardsCommand& merge = *command.mutable_merge_shards();
  merge.set_stream_id(stream.id.value());
  merge.set_shard(shard);
  merge.set_adjacent_shard(adjacent);
  return command;
}

v1::Command CountCommand(const Stream& stream, uint32_t target) {
  v1::Command command;
  v1::UpdateShardCountCommand& update = *command.mutable_update_shard_count();
  update.set_stream_id(stream.id.value());
  update.set_target(target);
  return command;
}

v1::Command RetentionCommand(const Stream& stream, uint32_t hours) {
  v1::Command command;
  v1::UpdateRetentionCommand& update = *command.mutable_update_retention();
  update.set_stream_id(stream.id.value());
  update.set_retention_hours(hours);
  return command;
}

v1::Command ModeCommand(const Stream& stream, StreamMode mode) {
  v1::Command command;
  command.mutable_change_capacity()->set_stream_id(stream.id.value());
  command.mutable_change_capacity()->set_mode(static_cast<uint32_t>(mode));
  return command;
}

v1::Command EncryptionCommand(const Stream& stream, const std::string& key_id) {
  v1::Command command;
  command.mutable_change_encryption()->set_stream_id(stream.id.value());
  command.mutable_change_encryption()->set_key_id(key_id);
  return command;
}

}  // namespace trireme::sim
