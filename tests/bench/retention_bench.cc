// What a node holds open for long retentions: a year of small records on a
// simulated clock, five streams (24 hours, 7 days, 365 days, and two whose
// retention is raised and lowered again and again), upkeep as a node does it.
// Prints a line a month: column families, memory, space, and at the end how
// long opening takes. Usage: retention_bench [days] [directory]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "storage/check.h"
#include "storage/entry_payload.h"
#include "storage/record.h"
#include "storage/retention.h"
#include "storage/state_machine.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kMinute = 60'000;
constexpr int64_t kStep = 5 * kMinute;  // A record of each stream.
constexpr int64_t kUpkeepSteps = 12;    // A flush and an expiry an hour.
constexpr int64_t kStepsOfDay = 24 * 60 / 5;
constexpr int kDaysOfReport = 30;
const std::vector<uint32_t> kRetentions = {24, 168, 8760, 24, 168};

double ResidentMebibytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:"))
      return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

class Year {
 public:
  explicit Year(const std::string& directory) : directory_(directory) {
    Open();
    for (uint32_t stream = 0; stream < kRetentions.size(); ++stream) {
      v1::Command command;
      auto* open = command.mutable_open_shards();
      open->set_stream_id(stream);
      open->set_retention_hours(kRetentions[stream]);
      open->add_shards()->set_shard(0);
      Apply(CommandPayload(command));
    }
  }

  void Run(int days) {
    std::printf("%6s %9s %9s %9s %9s %11s\n", "day", "families", "RSS MiB",
                "disk MB", "records", "ms a day");
    auto begun = std::chrono::steady_clock::now();
    for (int day = 0; day < days; ++day) {
      SetRetention(3, day % 7 == 3 ? 8760 : 24);
      SetRetention(4, day % 11 == 5 ? 400 : 168);
      for (int64_t step = 0; step < kStepsOfDay; ++step) {
        PutAll();
        now_ms_ += kStep;
        if (step % kUpkeepSteps == 0) Upkeep();
      }
      most_ = std::max(most_, state_->partition_count());
      if ((day + 1) % kDaysOfReport != 0 && day + 1 != days) continue;
      const auto now = std::chrono::steady_clock::now();
      const double ms =
          std::chrono::duration<double, std::milli>(now - begun).count();
      begun = now;
      std::printf("%6d %9zu %9.0f %9.1f %9llu %11.0f\n", day + 1,
                  state_->partition_count(), ResidentMebibytes(),
                  static_cast<double>(state_->bytes_on_disk()) / 1e6,
                  static_cast<unsigned long long>(records_),
                  ms / kDaysOfReport);
      std::fflush(stdout);
    }
    CHECK(state_->Flush().ok());
    std::printf("most families at once: %zu\n", most_);
  }

  void MeasureOpen() {
    std::vector<double> seconds;
    for (int i = 0; i < 3; ++i) {
      state_.reset();
      const auto start = std::chrono::steady_clock::now();
      Open();
      seconds.push_back(std::chrono::duration<double>(
                            std::chrono::steady_clock::now() - start)
                            .count());
    }
    std::sort(seconds.begin(), seconds.end());
    std::printf("opening it again: %.2f s\n", seconds[1]);
  }

  // The year-long stream from its first record on.
  void MeasureReplay() {
    const auto start = std::chrono::steady_clock::now();
    uint64_t blocks = 0;
    for (Counter from = 0;;) {
      const auto read = state_->shard_log().Read(
          GroupId(1), {StreamId(2), ShardIndex(0)}, from, 1 << 20, 0);
      CHECK(read.ok(), read.status().ToString());
      if (read->empty()) break;
      blocks += read->size();
      from = read->back().last() + 1;
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    std::printf("replay of the year-long stream: %llu records in %.2f s\n",
                static_cast<unsigned long long>(blocks), seconds);
  }

 private:
  void Open() {
    StateMachineOptions options;
    options.group_count = 2;
    auto opened = StateMachine::Open(directory_, options);
    CHECK(opened.ok(), opened.status().ToString());
    state_ = *std::move(opened);
  }
  Payload CommandPayload(const v1::Command& command) const {
    return MakePayload(
        EncodeCommandPayload(now_ms_, command.SerializeAsString()));
  }
  void Apply(Payload payload) {
    CommittedEntry entry;
    entry.group = GroupId(1);
    entry.index = state_->Applied(entry.group).index + 1;
    entry.term = 1;
    entry.has_payload = true;
    entry.payload = std::move(payload);
    const auto result = state_->Apply(entry);
    CHECK(result.ok(), result.status().ToString());
  }
  void SetRetention(uint32_t stream, uint32_t hours) {
    v1::Command command;
    auto* set = command.mutable_set_retention();
    set->set_stream_id(stream);
    set->set_retention_hours(hours);
    set->add_shards(0);
    Apply(CommandPayload(command));
  }
  void PutAll() {
    std::string batch;
    AppendRecord({"key", std::string(64, 'r')}, &batch);
    std::vector<ShardBatch> pieces;
    for (uint32_t stream = 0; stream < kRetentions.size(); ++stream)
      pieces.push_back({{StreamId(stream), ShardIndex(0)}, 1, batch});
    Apply(MakePayload(EncodeRecordsPayload(now_ms_, pieces)));
    records_ += pieces.size();
  }
  void Upkeep() {
    CHECK(state_->Flush().ok());
    CHECK(state_->DropExpired(now_ms_).ok());
    while (state_->HasRaised(now_ms_)) CHECK(state_->KeepRaised(now_ms_).ok());
  }

  const std::string directory_;
  std::unique_ptr<StateMachine> state_;
  int64_t now_ms_ = kStart;
  uint64_t records_ = 0;
  size_t most_ = 0;
};

}  // namespace
}  // namespace trireme

int main(int argc, char** argv) {
  const int days = argc > 1 ? std::atoi(argv[1]) : 365;
  const std::string directory =
      argc > 2 ? argv[2]
               : std::filesystem::temp_directory_path() / "trireme-year-bench";
  std::filesystem::remove_all(directory);
  {
    trireme::Year year(directory);
    year.Run(days);
    year.MeasureOpen();
    year.MeasureReplay();
  }
  std::filesystem::remove_all(directory);
  return 0;
}
