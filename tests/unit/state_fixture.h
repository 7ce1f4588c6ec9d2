// What tests of the state machine share: a temporary folder, entries made from
// few words, and records read back as "key=data" strings.
#ifndef TRIREME_TESTS_UNIT_STATE_FIXTURE_H_
#define TRIREME_TESTS_UNIT_STATE_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "storage/entry_payload.h"
#include "storage/record.h"
#include "storage/state_machine.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

#define ASSERT_OK(expression) \
  ASSERT_TRUE((expression).ok()) << StatusText(expression)
#define EXPECT_OK(expression) \
  EXPECT_TRUE((expression).ok()) << StatusText(expression)

inline std::string StatusText(const absl::Status& status) {
  return status.ToString();
}
template <typename T>
std::string StatusText(const absl::StatusOr<T>& status_or) {
  return status_or.status().ToString();
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path().string() +
                          "/trireme-test-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline ShardKey ShardOf(uint32_t stream, uint32_t shard) {
  return {StreamId(stream), ShardIndex(shard)};
}

// A record's data for each shard of an entry.
using DataByShard = std::vector<std::pair<ShardKey, std::vector<std::string>>>;

inline Payload RecordsPayload(int64_t stamp_ms, const DataByShard& data) {
  std::vector<std::string> batches;
  batches.reserve(data.size());
  std::vector<ShardBatch> pieces;
  for (const auto& [shard, records] : data) {
    std::string& batch = batches.emplace_back();
    for (const std::string& record : records)
      AppendRecord({"key", record}, &batch);
    pieces.push_back({shard, static_cast<uint32_t>(records.size()), batch});
  }
  return MakePayload(EncodeRecordsPayload(stamp_ms, pieces));
}

inline Payload CommandPayload(int64_t stamp_ms, const v1::Command& command) {
  return MakePayload(
      EncodeCommandPayload(stamp_ms, command.SerializeAsString()));
}

inline CommittedEntry Entry(uint32_t group, LogIndex index, Payload payload) {
  CommittedEntry entry;
  entry.group = GroupId(group);
  entry.index = index;
  entry.term = 1 + index / 100;
  entry.has_payload = payload != nullptr;
  entry.payload = std::move(payload);
  return entry;
}

inline v1::Command OpenShards(uint32_t stream, std::vector<uint32_t> shards) {
  v1::Command command;
  auto* open = command.mutable_open_shards();
  open->set_stream_id(stream);
  open->set_retention_hours(24);
  for (const uint32_t shard : shards) {
    auto* one = open->add_shards();
    one->set_shard(shard);
    one->set_created_s(1'700'000'000);
  }
  return command;
}

inline v1::Command SealShard(uint32_t stream, uint32_t shard) {
  v1::Command command;
  command.mutable_seal_shards()->set_stream_id(stream);
  command.mutable_seal_shards()->add_shards(shard);
  return command;
}

inline v1::Command DropShards(uint32_t stream, std::vector<uint32_t> shards) {
  v1::Command command;
  command.mutable_drop_shards()->set_stream_id(stream);
  for (const uint32_t shard : shards)
    command.mutable_drop_shards()->add_shards(shard);
  return command;
}

inline v1::Command CreateStream(const std::string& name, uint32_t shards) {
  v1::Command command;
  auto* create = command.mutable_create_stream();
  create->set_name(name);
  create->set_shard_count(shards);
  create->set_retention_hours(24);
  create->set_record_bytes_max(1 << 20);
  return command;
}

// A state machine in a folder of its own, with three groups.
class Replica {
 public:
  explicit Replica(StateMachineOptions options = SmallOptions())
      : options_(options) {
    Open();
  }

  static StateMachineOptions SmallOptions() {
    StateMachineOptions options;
    options.group_count = 3;
    options.memtable_bytes_max = 8 << 20;
    options.cache_bytes = 1 << 20;
    return options;
  }

  StateMachine& state() { return *state_; }
  const std::string path() const { return directory_.path() + "/state"; }

  void Open() {
    auto opened = StateMachine::Open(path(), options_);
    ASSERT_OK(opened);
    state_ = *std::move(opened);
  }
  // What was not flushed is gone, as after a power failure.
  void Crash() {
    state_.reset();
    Open();
  }
  void Close() { state_.reset(); }

  // Applies the next entry of the group.
  ApplyResult Apply(uint32_t group, Payload payload) {
    const LogIndex index = state_->Applied(GroupId(group)).index + 1;
    auto result = state_->Apply(Entry(group, index, std::move(payload)));
    EXPECT_OK(result);
    return result.ok() ? *std::move(result) : ApplyResult();
  }
  ApplyResult Command(uint32_t group, const v1::Command& command,
                      int64_t stamp_ms = 0) {
    return Apply(group, CommandPayload(stamp_ms, command));
  }

  // The data of all records of the shard from `from`, "counter:data".
  std::vector<std::string> ReadAll(uint32_t group, ShardKey shard,
                                   Counter from = 0, int64_t horizon_ms = 0,
                                   size_t bytes_max = 1) {
    std::vector<std::string> found;
    while (true) {
      auto blocks = state_->shard_log().Read(GroupId(group), shard, from,
                                             bytes_max, horizon_ms);
      EXPECT_OK(blocks);
      if (!blocks.ok() || blocks->empty()) return found;
      for (const Block& block : *blocks) {
        RecordBatchReader reader(block.batch);
        RecordView record;
        for (Counter counter = block.first; reader.Next(&record); ++counter) {
          if (counter < from) continue;
          found.push_back(std::to_string(counter) + ":" +
                          std::string(record.data));
        }
        EXPECT_OK(reader.status());
      }
      EXPECT_GT(blocks->back().last() + 1, from);
      from = blocks->back().last() + 1;
    }
  }

  uint64_t DirectoryBytes() const {
    uint64_t bytes = 0;
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(path())) {
      std::error_code gone;  // RocksDB deletes files in the background.
      const auto size = file.file_size(gone);
      if (!gone) bytes += size;
    }
    return bytes;
  }

 private:
  const TemporaryDirectory directory_;
  const StateMachineOptions options_;
  std::unique_ptr<StateMachine> state_;
};

inline std::string At(LogIndex index, uint32_t position,
                      const std::string& data) {
  return std::to_string(MakeCounter(index, position)) + ":" + data;
}

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_STATE_FIXTURE_H_
