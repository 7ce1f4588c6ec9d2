#include "storage/file_system.h"

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/sim/fault_disk.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PosixFileSystemTest : public testing::Test {
 protected:
  PosixFileSystemTest() {
    std::string pattern = testing::TempDir() + "/file_system_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~PosixFileSystemTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const {
    return directory_ + "/" + name;
  }

  PosixFileSystem* const fs_ = PosixFileSystem::Get();
  std::string directory_;
};

absl::Status WriteString(File* file, uint64_t offset, absl::string_view bytes) {
  return file->WriteAt(offset, {&bytes, 1});
}

TEST_F(PosixFileSystemTest, AFileHasItsSizeAndZerosFromTheStart) {
  const auto file = fs_->CreateFile(Path("a"), 5000);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*(*file)->Size(), 5000u);
  EXPECT_EQ(*(*file)->ReadAt(0, 6000), std::string(5000, '\0'));
  EXPECT_TRUE(absl::IsAlreadyExists(fs_->CreateFile(Path("a"), 1).status()));
}

TEST_F(PosixFileSystemTest, MorePiecesThanOneSystemCallTakesAreWritten) {
  const auto file = fs_->CreateFile(Path("a"), 1 << 20);
  ASSERT_TRUE(file.ok()) << file.status();
  std::vector<std::string> strings;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    strings.push_back(std::to_string(i));
    if (i % 7 == 0) strings.back().clear();
    expected += strings.back();
  }
  const std::vector<absl::string_view> pieces(strings.begin(), strings.end());
  ASSERT_TRUE((*file)->WriteAt(100, pieces).ok());
  ASSERT_TRUE((*file)->Sync().ok());
  const auto again = fs_->OpenFile(Path("a"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*(*again)->ReadAt(100, expected.size()), expected);
}

TEST_F(PosixFileSystemTest, ReadsEndAtTheEndOfTheFile) {
  const auto file = fs_->CreateFile(Path("a"), 10);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(WriteString(file->get(), 5, "abcde").ok());
  EXPECT_EQ(*(*file)->ReadAt(7, 100), "cde");
  EXPECT_EQ(*(*file)->ReadAt(10, 1), "");
}

TEST_F(PosixFileSystemTest, NamesAreListedSortedRenamedAndRemoved) {
  ASSERT_TRUE(fs_->CreateDirectory(Path("x/y/z")).ok());
  for (const char* name : {"x/y/z/b", "x/y/z/a"})
    ASSERT_TRUE(fs_->CreateFile(Path(name), 0).ok());
  ASSERT_TRUE(fs_->RenameFile(Path("x/y/z/a"), Path("x/y/z/c")).ok());
  EXPECT_THAT(*fs_->ListDirectory(Path("x/y/z")), ElementsAre("b", "c"));
  ASSERT_TRUE(fs_->RemoveFile(Path("x/y/z/b")).ok());
  EXPECT_THAT(*fs_->ListDirectory(Path("x/y/z")), ElementsAre("c"));
}

TEST_F(PosixFileSystemTest, ErrorsNameThePathAndTheReason) {
  const absl::Status status = fs_->OpenFile(Path("none")).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("none")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("No such file"));
  EXPECT_TRUE(absl::IsNotFound(fs_->ListDirectory(Path("none")).status()));
  EXPECT_TRUE(absl::IsNotFound(fs_->RenameFile(Path("none"), Path("x"))));
}

TEST_F(PosixFileSystemTest, AFileTooLargeForTheDiskLeavesNothing) {
  const absl::Status status =
      fs_->CreateFile(Path("huge"), uint64_t{1} << 52).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(*fs_->ListDirectory(directory_), ElementsAre());
}

TEST_F(PosixFileSystemTest, FreeBytesArePlausible) {
  EXPECT_GT(*fs_->FreeBytes(directory_), 0u);
}

class FaultDiskTest : public testing::Test {
 protected:
  std::unique_ptr<File> Create(const std::string& path, uint64_t size) {
    return std::move(disk_.CreateFile(path, size)).value();
  }

  std::mt19937_64 random_{7};
  sim::FaultDisk disk_{&random_};
};

TEST_F(FaultDiskTest, SyncedBytesSurviveACrash) {
  const auto file = Create("d/a", 4096);
  ASSERT_TRUE(WriteString(file.get(), 1000, "hello").ok());
  ASSERT_TRUE(file->Sync().ok());
  disk_.Crash();
  EXPECT_EQ(disk_.Content("d/a").substr(1000, 5), "hello");
  EXPECT_TRUE(absl::IsUnavailable(file->Sync()));
}

TEST_F(FaultDiskTest, UnsyncedBytesSurviveWhollyPartlyOrNot) {
  int whole = 0, none = 0, torn = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string path = "d/" + std::to_string(i);
    const auto file = Create(path, 8192);
    ASSERT_TRUE(WriteString(file.get(), 0, std::string(8192, 'x')).ok());
    disk_.Crash();
    const std::string content = disk_.Content(path);
    const auto kept = std::count(content.begin(), content.end(), 'x');
    EXPECT_EQ(kept % 512, 0);
    (kept == 0 ? none : kept == 8192 ? whole : torn) += 1;
  }
  EXPECT_GT(whole, 20);
  EXPECT_GT(none, 20);
  EXPECT_GT(torn, 20);
}

TEST_F(FaultDiskTest, AFailedSyncLeavesBytesInTheCacheThatNoSyncWillWrite) {
  int lost = 0;
  for (int i = 0; i < 50; ++i) {
    const std::string path = "d/" + std::to_string(i);
    const auto file = Create(path, 512);
    ASSERT_TRUE(WriteString(file.get(), 0, "data").ok());
    disk_.FailSync();
    EXPECT_FALSE(file->Sync().ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_EQ(disk_.Content(path).substr(0, 4), "data");
    disk_.Crash();
    lost += disk_.Content(path).substr(0, 4) != "data";
  }
  EXPECT_GT(lost, 10);
}

TEST_F(FaultDiskTest, SpaceIsCounted) {
  disk_.SetFreeBytes(1000);
  Create("d/a", 600);
  EXPECT_TRUE(absl::IsResourceExhausted(disk_.CreateFile("d/b", 600).status()));
  EXPECT_EQ(*disk_.FreeBytes("d"), 400u);
  ASSERT_TRUE(disk_.RemoveFile("d/a").ok());
  EXPECT_EQ(*disk_.FreeBytes("d"), 1000u);
}

TEST_F(FaultDiskTest, NothingChangesAfterThePowerIsCut) {
  const auto file = Create("d/a", 512);
  disk_.StopAfter(0);
  EXPECT_FALSE(WriteString(file.get(), 0, "data").ok());
  EXPECT_FALSE(disk_.RenameFile("d/a", "d/b").ok());
  disk_.Crash();
  EXPECT_EQ(disk_.Content("d/a"), std::string(512, '\0'));
}

}  // namespace
}  // namespace trireme
