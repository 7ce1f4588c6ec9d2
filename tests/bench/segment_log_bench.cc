// What SegmentLog::Write() costs beside its floor: a bare pwrite and fdatasync
// of the same bytes to a zeroed file, in alternating slices of the same run.
// Then how fast the log is replayed.
//
//   segment_log_bench [directory]      (default: the current one)
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "storage/check.h"
#include "storage/crc32c.h"
#include "storage/segment_log.h"

namespace trireme {
namespace {

constexpr size_t kEntryBytes = 1024;
constexpr uint32_t kGroups = 8;
constexpr absl::Duration kRowTime = absl::Seconds(2);
constexpr absl::Duration kSlice = absl::Milliseconds(50);

void CheckOk(const absl::Status& status) {
  CHECK(status.ok(), status.ToString());
}

template <typename T>
T ValueOf(absl::StatusOr<T> value) {
  CheckOk(value.status());
  return *std::move(value);
}

class Latencies {
 public:
  template <typename Action>
  void Time(const Action& action) {
    const absl::Time begin = absl::Now();
    action();
    taken_.push_back(absl::Now() - begin);
    total_ += taken_.back();
  }
  absl::Duration Percentile(double percent) {
    std::sort(taken_.begin(), taken_.end());
    return taken_[static_cast<size_t>(percent / 100 * (taken_.size() - 1))];
  }
  double per_second() const {
    return static_cast<double>(taken_.size()) / absl::ToDoubleSeconds(total_);
  }

 private:
  std::vector<absl::Duration> taken_;
  absl::Duration total_;
};

// The log under test, with entries spread over the groups and trimmed so that
// files are recycled as in production.
class LogUnderTest {
 public:
  explicit LogUnderTest(const std::string& directory) : directory_(directory) {
    Replay replay;
    log_ = ValueOf(SegmentLog::Open(PosixFileSystem::Get(), directory_,
                                    SegmentLogOptions(), &replay));
  }

  void Prepare(size_t entries) {
    batch_ = LogBatch();
    for (size_t i = 0; i < entries; ++i) {
      LogEntry& entry = batch_.entries.emplace_back();
      entry.group = GroupId(static_cast<uint32_t>(i * kGroups / entries));
      entry.index = ++last_[entry.group.value()];
      entry.term = 1;
      entry.payload = payload_;
      entry.payload_crc = payload_crc_;
    }
  }
  void Write() { CheckOk(log_->Write(batch_)); }
  void Finish(bool trim) {
    log_->Publish(batch_);
    for (uint32_t group = 0; trim && group < kGroups; ++group)
      log_->Trim(GroupId(group), last_[group]);
    CheckOk(log_->PrepareNextSegment());
  }
  uint64_t bytes_written() const { return log_->bytes_written(); }

 private:
  const std::string directory_;
  const Payload payload_ = MakePayload(std::string(kEntryBytes, 'r'));
  const uint32_t payload_crc_ = Crc32c(*payload_);
  std::unique_ptr<SegmentLog> log_;
  LogBatch batch_;
  LogIndex last_[kGroups] = {};
};

// Writes the same number of bytes round and round one file.
class Floor {
 public:
  Floor(const std::string& path, uint64_t bytes)
      : file_(ValueOf(PosixFileSystem::Get()->CreateFile(path, kFileBytes))),
        bytes_(bytes, 'f') {}

  void Write() {
    if (offset_ + bytes_.size() > kFileBytes) offset_ = 0;
    const absl::string_view piece = bytes_;
    CheckOk(file_->WriteAt(offset_, {&piece, 1}));
    CheckOk(file_->Sync());
    offset_ += bytes_.size();
  }

 private:
  static constexpr uint64_t kFileBytes = 64u << 20;
  const std::unique_ptr<File> file_;
  const std::string bytes_;
  uint64_t offset_ = 0;
};

void PrintRow(const char* name, size_t entries, Latencies& latencies) {
  const double records = latencies.per_second() * static_cast<double>(entries);
  std::printf("%5zu  %-5s %9.0f rec/s %8.1f MB/s  p50 %7.0f us  p99 %7.0f us\n",
              entries, name, records, records * kEntryBytes / 1e6,
              absl::ToDoubleMicroseconds(latencies.Percentile(50)),
              absl::ToDoubleMicroseconds(latencies.Percentile(99)));
}

void RunRow(const std::string& directory, size_t entries) {
  LogUnderTest log(directory + "/log");
  // Fills the segments once, so that what is measured runs on recycled files.
  while (log.bytes_written() < (160u << 20)) {
    log.Prepare(2048);
    log.Write();
    log.Finish(true);
  }
  const uint64_t before = log.bytes_written();
  log.Prepare(entries);
  log.Write();
  log.Finish(true);
  Floor floor(directory + "/floor", log.bytes_written() - before);

  Latencies log_times, floor_times;
  const absl::Time end = absl::Now() + kRowTime;
  while (absl::Now() < end) {
    for (absl::Time slice = absl::Now() + kSlice; absl::Now() < slice;) {
      log.Prepare(entries);
      log_times.Time([&] { log.Write(); });
      log.Finish(true);
    }
    for (absl::Time slice = absl::Now() + kSlice; absl::Now() < slice;)
      floor_times.Time([&] { floor.Write(); });
  }
  PrintRow("log", entries, log_times);
  PrintRow("floor", entries, floor_times);
  std::printf("       log / floor: %.2f\n\n",
              log_times.per_second() / floor_times.per_second());
  std::filesystem::remove_all(directory);
  std::filesystem::create_directory(directory);
}

void RunReplay(const std::string& directory) {
  {
    LogUnderTest log(directory + "/log");
    while (log.bytes_written() < (512u << 20)) {
      log.Prepare(512);
      log.Write();
      log.Finish(false);
    }
  }
  Replay replay;
  const absl::Time begin = absl::Now();
  const auto log =
      ValueOf(SegmentLog::Open(PosixFileSystem::Get(), directory + "/log",
                               SegmentLogOptions(), &replay));
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  CheckOk(replay.damage);
  std::printf("replay: %.0f MB in %.2f s, %.2f GB/s\n",
              static_cast<double>(replay.bytes_read) / 1e6, seconds,
              static_cast<double>(replay.bytes_read) / 1e9 / seconds);
}

void Run(const std::string& parent) {
  std::string directory = parent + "/segment_log_bench_XXXXXX";
  CHECK(::mkdtemp(directory.data()) != nullptr);
  std::printf("1 KiB entries of %u groups; one batch = one fdatasync\n\n",
              kGroups);
  for (const size_t entries : {1, 8, 64, 512}) RunRow(directory, entries);
  RunReplay(directory);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace trireme

int main(int argc, char** argv) { trireme::Run(argc > 1 ? argv[1] : "."); }
