// How fast a node applies records and reads them back: 1 KiB records in
// 256 KiB entries over 8 groups of 4 shards, flushes in the background as the
// node's upkeep thread makes them. Usage: state_machine_bench [seconds]
// [directory]
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "storage/check.h"
#include "storage/entry_payload.h"
#include "storage/record.h"
#include "storage/sequence_number.h"
#include "storage/state_machine.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr uint32_t kGroups = 8;
constexpr uint32_t kShards = 4;
constexpr uint32_t kRecordBytes = 1024;
constexpr uint32_t kEntryBytes = 256 << 10;
constexpr double kMega = 1e6;

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// User and system time of all threads.
double CpuMilliseconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 +
           static_cast<double>(time.tv_usec) / 1e3;
  };
  return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

ShardKey ShardOf(uint32_t shard) { return {StreamId(1), ShardIndex(shard)}; }

Payload OpenShards() {
  v1::Command command;
  auto* open = command.mutable_open_shards();
  open->set_stream_id(1);
  open->set_retention_hours(24);
  for (uint32_t i = 0; i < kShards; ++i) open->add_shards()->set_shard(i);
  return MakePayload(EncodeCommandPayload(1, command.SerializeAsString()));
}

Payload Records(int64_t stamp_ms) {
  std::string batch;
  const std::string data(kRecordBytes, 'd');
  const uint32_t records = kEntryBytes / kShards / kRecordBytes;
  for (uint32_t i = 0; i < records; ++i)
    AppendRecord({"partition-key", data}, &batch);
  std::vector<ShardBatch> pieces;
  for (uint32_t shard = 0; shard < kShards; ++shard)
    pieces.push_back({ShardOf(shard), records, batch});
  return MakePayload(EncodeRecordsPayload(stamp_ms, pieces));
}

class Bench {
 public:
  explicit Bench(const std::string& directory) {
    auto opened = StateMachine::Open(directory, StateMachineOptions());
    CHECK(opened.ok(), opened.status().ToString());
    state_ = *std::move(opened);
    for (uint32_t group = 1; group <= kGroups; ++group)
      Apply(group, OpenShards());
  }

  void MeasureApply(double seconds) {
    std::atomic<bool> stop = false;
    std::thread upkeep([&] { FlushWhenDue(&stop); });
    // A fresh payload each time, as from the network, but made outside of the
    // measured time: 64 of them are more than the processor's caches hold.
    std::vector<Payload> payloads;
    for (int i = 0; i < 64; ++i) payloads.push_back(Records(1'000 + i));
    const double cpu_before = CpuMilliseconds();
    const auto start = SteadyClock::now();
    uint64_t bytes = 0;
    double slowest = 0;
    for (uint64_t i = 0; SecondsSince(start) < seconds; ++i) {
      const Payload& payload = payloads[i % payloads.size()];
      const auto before = SteadyClock::now();
      Apply(static_cast<uint32_t>(i % kGroups) + 1, payload);
      slowest = std::max(slowest, SecondsSince(before));
      bytes += payload->size();
    }
    const double applied_s = SecondsSince(start);
    stop = true;
    upkeep.join();
    CHECK(state_->Flush().ok());
    const double total_s = SecondsSince(start);
    const double megabytes = static_cast<double>(bytes) / kMega;
    std::printf(
        "apply: %.0f MB/s (%.0f MB/s with the last flush), %.2f ms CPU/MB, "
        "slowest %.1f ms\n",
        megabytes / applied_s, megabytes / total_s,
        (CpuMilliseconds() - cpu_before) / megabytes, slowest * 1e3);
  }

  // At the rate a node must carry, how long does the applier wait at worst?
  void MeasurePaced(double megabytes_per_s, double seconds) {
    std::atomic<bool> stop = false;
    std::thread upkeep([&] { FlushWhenDue(&stop); });
    const Payload payload = Records(2'000);
    const double interval_s =
        static_cast<double>(payload->size()) / kMega / megabytes_per_s;
    std::vector<double> waits_ms;
    const double cpu_before = CpuMilliseconds();
    const auto start = SteadyClock::now();
    for (uint64_t i = 0; SecondsSince(start) < seconds; ++i) {
      std::this_thread::sleep_until(
          start + std::chrono::duration_cast<SteadyClock::duration>(
                      std::chrono::duration<double>(interval_s *
                                                    static_cast<double>(i))));
      const auto before = SteadyClock::now();
      Apply(static_cast<uint32_t>(i % kGroups) + 1, payload);
      waits_ms.push_back(SecondsSince(before) * 1e3);
    }
    const double megabytes =
        static_cast<double>(waits_ms.size() * payload->size()) / kMega;
    std::printf("apply at %.0f MB/s: ", megabytes / SecondsSince(start));
    stop = true;
    upkeep.join();
    CHECK(state_->Flush().ok());
    std::sort(waits_ms.begin(), waits_ms.end());
    std::printf("%.2f ms CPU/MB, p50 %.2f ms, p99 %.2f ms, slowest %.1f ms\n",
                (CpuMilliseconds() - cpu_before) / megabytes,
                waits_ms[waits_ms.size() / 2],
                waits_ms[waits_ms.size() * 99 / 100], waits_ms.back());
  }

  void MeasureRead(size_t bytes_max) {
    const double cpu_before = CpuMilliseconds();
    const auto start = SteadyClock::now();
    uint64_t bytes = 0;
    uint64_t reads = 0;
    for (uint32_t group = 1; group <= kGroups; ++group) {
      for (uint32_t shard = 0; shard < kShards; ++shard) {
        Counter from = 0;
        while (true) {
          const auto blocks = state_->shard_log().Read(
              GroupId(group), ShardOf(shard), from, bytes_max, 0);
          CHECK(blocks.ok(), blocks.status().ToString());
          ++reads;
          if (blocks->empty()) break;
          for (const Block& block : *blocks) bytes += block.batch.size();
          from = blocks->back().last() + 1;
        }
      }
    }
    const double megabytes = static_cast<double>(bytes) / kMega;
    std::printf(
        "read %zu KiB at a time: %.0f MB/s, %.2f ms CPU/MB, %.0f us "
        "a read\n",
        bytes_max >> 10, megabytes / SecondsSince(start),
        (CpuMilliseconds() - cpu_before) / megabytes,
        SecondsSince(start) * 1e6 / static_cast<double>(reads));
  }

  // A consumer at the tip that has read everything.
  void MeasureReadAtTip() {
    constexpr int kReads = 20'000;
    const Counter next = state_->GetShardState(GroupId(1), ShardOf(0)).next;
    const auto start = SteadyClock::now();
    for (int i = 0; i < kReads; ++i) {
      const auto blocks = state_->shard_log().Read(GroupId(1), ShardOf(0),
                                                   next - 1, 1 << 20, 0);
      CHECK(blocks.ok() && blocks->size() == 1);
    }
    std::printf("read of the newest block: %.1f us\n",
                SecondsSince(start) * 1e6 / kReads);
  }

 private:
  void FlushWhenDue(const std::atomic<bool>* stop) {
    while (!*stop) {
      if (state_->FlushDue()) CHECK(state_->Flush().ok());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void Apply(uint32_t group, const Payload& payload) {
    CommittedEntry entry;
    entry.group = GroupId(group);
    entry.index = state_->Applied(entry.group).index + 1;
    entry.term = 1;
    entry.payload = payload;
    const auto result = state_->Apply(entry);
    CHECK(result.ok(), result.status().ToString());
  }

  std::unique_ptr<StateMachine> state_;
};

void MeasureSequenceNumbers() {
  constexpr int kNumbers = 2'000'000;
  std::string out;
  out.reserve(64);
  uint64_t sum = 0;
  const auto start = SteadyClock::now();
  for (int i = 0; i < kNumbers; ++i) {
    out.clear();
    SequenceNumber{1'700'000'000, ShardIndex(7), static_cast<Counter>(i) << 20,
                   1'700'000'100}
        .AppendTo(&out);
    sum += static_cast<uint64_t>(out[40]);
  }
  std::printf("sequence number to text: %.0f ns (%llu)\n",
              SecondsSince(start) * 1e9 / kNumbers,
              static_cast<unsigned long long>(sum % 10));
}

}  // namespace
}  // namespace trireme

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  const std::string directory =
      argc > 2 ? argv[2]
               : std::filesystem::temp_directory_path() / "trireme-state-bench";
  std::filesystem::remove_all(directory);
  {
    trireme::Bench bench(directory);
    bench.MeasureApply(seconds);
    bench.MeasurePaced(100, seconds);
    bench.MeasureReadAtTip();
    bench.MeasureRead(1 << 20);
    bench.MeasureRead(64 << 10);
  }
  trireme::MeasureSequenceNumbers();
  std::filesystem::remove_all(directory);
  return 0;
}
