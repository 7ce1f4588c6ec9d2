// A state machine on a disk that is really full: a small tmpfs of its own.
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "storage/space_reserve.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kHourMs = 3'600'000;
constexpr uint64_t kDiskBytes = SpaceReserve::kBytes + (24u << 20);

class FullDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string size = "size=" + std::to_string(kDiskBytes);
    if (mount("tmpfs", mount_.path().c_str(), "tmpfs", 0, size.c_str()) != 0)
      GTEST_SKIP() << "cannot mount a tmpfs: " << std::strerror(errno);
    mounted_ = true;
    Open();
    Apply(CommandPayload(kStart, OpenShards(7, {0})));
  }

  void TearDown() override {
    state_.reset();
    if (mounted_) umount2(mount_.path().c_str(), MNT_DETACH);
  }

  static StateMachineOptions Options() {
    StateMachineOptions options = Replica::SmallOptions();
    options.partition_ms = kHourMs;
    return options;
  }
  void Open() {
    auto opened = StateMachine::Open(mount_.path() + "/state", Options());
    ASSERT_OK(opened);
    state_ = *std::move(opened);
  }

  absl::Status TryApply(Payload payload) {
    const LogIndex index = state_->Applied(GroupId(1)).index + 1;
    return state_->Apply(Entry(1, index, std::move(payload))).status();
  }
  void Apply(Payload payload) { ASSERT_OK(TryApply(std::move(payload))); }
  static Payload Megabyte(int64_t stamp_ms = kStart) {
    return RecordsPayload(stamp_ms,
                          {{ShardOf(7, 0), {std::string(1 << 20, 'x')}}});
  }
  // Entries that can be read, each a record.
  size_t CountRecords() const {
    const auto blocks =
        state_->shard_log().Read(GroupId(1), ShardOf(7, 0), 0, UINT64_MAX, 0);
    EXPECT_OK(blocks);
    return blocks.ok() ? blocks->size() : 0;
  }

  std::string filler() const { return mount_.path() + "/filler"; }
  std::string reserve() const { return mount_.path() + "/state/reserve"; }
  // Somebody else takes what is left, to the last byte.
  void FillDisk() {
    const int file = open(filler().c_str(), O_CREAT | O_WRONLY, 0600);
    ASSERT_GE(file, 0);
    const std::string page(4096, 'f');
    while (write(file, page.data(), page.size()) > 0) continue;
    ASSERT_EQ(errno, ENOSPC);
    close(file);
    struct statvfs disk;
    ASSERT_EQ(statvfs(mount_.path().c_str(), &disk), 0);
    ASSERT_EQ(disk.f_bavail, 0u);
  }
  void FreeDisk() { ASSERT_EQ(unlink(filler().c_str()), 0); }
  void AwaitWaiting() const {
    while (!state_->waits_for_space()) std::this_thread::yield();
  }

  const TemporaryDirectory mount_;
  bool mounted_ = false;
  std::unique_ptr<StateMachine> state_;
};

TEST_F(FullDiskTest, AFlushWaitsForSpaceWhileWritesAndReadsGoOn) {
  Apply(Megabyte());
  FillDisk();
  absl::Status flushed;
  std::thread flush([&] { flushed = state_->Flush(); });
  AwaitWaiting();
  Apply(Megabyte());
  EXPECT_EQ(CountRecords(), 2u);
  EXPECT_EQ(state_->Durable(GroupId(1)).index, 0u);
  FreeDisk();
  flush.join();
  EXPECT_OK(flushed);
  EXPECT_FALSE(state_->waits_for_space());
  EXPECT_EQ(state_->Durable(GroupId(1)).index, 2u);
  ASSERT_OK(state_->Flush());
  state_.reset();
  Open();
  EXPECT_EQ(CountRecords(), 2u);
}

TEST_F(FullDiskTest, MemoryIsBoundedWhileAFlushWaits) {
  Apply(Megabyte());
  FillDisk();
  std::thread flush([&] { EXPECT_OK(state_->Flush()); });
  AwaitWaiting();
  absl::Status status;
  int applied = 1;
  while (status.ok() && applied < 20) {
    status = TryApply(Megabyte());
    if (status.ok()) ++applied;
  }
  EXPECT_EQ(ReasonOf(status), ErrorReason::kDiskFull) << status;
  EXPECT_THAT(status.message(), HasSubstr("the limit is 4194304"));
  EXPECT_EQ(applied, 5);
  const LogIndex index = state_->Applied(GroupId(1)).index;
  // Nothing has happened: the same entry is applied once there is space.
  FreeDisk();
  flush.join();
  Apply(Megabyte());
  EXPECT_EQ(state_->Applied(GroupId(1)).index, index + 1);
  EXPECT_EQ(CountRecords(), 6u);
}

TEST_F(FullDiskTest, AStoreOpensWithoutAFreeByte) {
  Apply(Megabyte());
  ASSERT_OK(state_->Flush());
  state_.reset();
  FillDisk();
  Open();
  EXPECT_EQ(CountRecords(), 1u);
  Apply(Megabyte());
  EXPECT_EQ(CountRecords(), 2u);
  // What the start has not used of it is set aside again.
  EXPECT_GT(std::filesystem::file_size(reserve()), 0u);
  EXPECT_LE(std::filesystem::file_size(reserve()), SpaceReserve::kBytes);
  FreeDisk();
  ASSERT_OK(state_->Flush());
  EXPECT_EQ(std::filesystem::file_size(reserve()), SpaceReserve::kBytes);
}

TEST_F(FullDiskTest, ExpiryMakesTheSpaceAFlushWaitsFor) {
  for (int i = 0; i < 6; ++i) Apply(Megabyte());
  ASSERT_OK(state_->Flush());
  Apply(Megabyte(kStart + 2 * kHourMs));
  // The first partition is done with.
  ASSERT_OK(state_->Flush());
  Apply(Megabyte(kStart + 2 * kHourMs));
  FillDisk();
  std::thread flush([&] { EXPECT_OK(state_->Flush()); });
  AwaitWaiting();
  ASSERT_OK(state_->DropExpired(kStart + 25 * kHourMs));
  flush.join();
  EXPECT_EQ(CountRecords(), 2u);
}

TEST_F(FullDiskTest, AnOpeningThatWaitsForSpaceCanBeStopped) {
  Apply(Megabyte());
  ASSERT_OK(state_->Flush());
  state_.reset();
  ASSERT_EQ(unlink(reserve().c_str()), 0);
  FillDisk();
  int asked = 0;
  StateMachineOptions options = Options();
  options.stop_opening = [&asked] { return ++asked > 2; };
  const auto opened = StateMachine::Open(mount_.path() + "/state", options);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(asked, 3);
  FreeDisk();
  Open();
  EXPECT_EQ(CountRecords(), 1u);
}

TEST_F(FullDiskTest, PartitionsGoOnWhileNoneCanBeMade) {
  constexpr int kHours = 6;
  for (int hour = 0; hour < kHours; ++hour) {
    FillDisk();
    Apply(RecordsPayload(kStart + hour * kHourMs, {{ShardOf(7, 0), {"a"}}}));
  }
  EXPECT_FALSE(state_->waits_for_space());
  EXPECT_EQ(CountRecords(), size_t{kHours});
  FreeDisk();
  ASSERT_OK(state_->Flush());
  EXPECT_EQ(CountRecords(), size_t{kHours});
}

// Making them must not use up what dropping them needs.
TEST_F(FullDiskTest, ExpiryIsPossibleHoweverManyPartitionsAreWanted) {
  Apply(Megabyte());
  ASSERT_OK(state_->Flush());
  const uint64_t before = state_->bytes_on_disk();
  for (int hour = 1; hour < 6; ++hour) {
    FillDisk();
    Apply(RecordsPayload(kStart + hour * kHourMs, {{ShardOf(7, 0), {"a"}}}));
  }
  FillDisk();
  ASSERT_OK(state_->DropExpired(kStart + 24 * kHourMs + 1));
  EXPECT_LT(state_->bytes_on_disk(), before);
}

TEST_F(FullDiskTest, WhatWaitsEndsWithTheStore) {
  Apply(Megabyte());
  ASSERT_OK(state_->Flush());
  Apply(Megabyte());
  FillDisk();
  std::thread flush([&] { EXPECT_FALSE(state_->Flush().ok()); });
  AwaitWaiting();
  state_->StopWaiting();
  flush.join();
  EXPECT_EQ(state_->Durable(GroupId(1)).index, 2u);
  state_.reset();
  FreeDisk();
  Open();
  EXPECT_EQ(state_->Applied(GroupId(1)).index, 2u);
  EXPECT_EQ(CountRecords(), 1u);
}

// Files may not grow beyond a size while it lives: writes fail, and not for
// want of space.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST(FailedWriteTest, AnyOtherFailedWriteIsFinal) {
  Replica replica;
  replica.Command(1, OpenShards(7, {0}), kStart);
  const Payload payload =
      RecordsPayload(kStart, {{ShardOf(7, 0), {std::string(1 << 20, 'x')}}});
  for (int i = 0; i < 3; ++i) replica.Apply(1, payload);
  absl::Status flushed;
  {
    const FileSizeLimit limit(1 << 20);
    flushed = replica.state().Flush();
  }
  EXPECT_EQ(flushed.code(), absl::StatusCode::kInternal) << flushed;
  EXPECT_EQ(replica.state().Durable(GroupId(1)).index, 0u);
  // Not even when writes succeed again.
  EXPECT_FALSE(replica.state().Flush().ok());
  EXPECT_EQ(replica.state().Apply(Entry(1, 5, payload)).status().code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace trireme
