#include "storage/store_files.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "spdlog/spdlog.h"
#include "storage/file_system.h"

namespace trireme {
namespace {

constexpr absl::Duration kTryAgainPeriod = absl::Milliseconds(100);

// Whenever a family is made or dropped RocksDB would write the options of all
// families anew, and read them back: with hundreds of partitions most of what
// that costs. It goes on without; ours are in the program.
bool IsOptions(absl::string_view path) {
  return absl::StrContains(path, "/OPTIONS-");
}

bool IsTable(absl::string_view path) { return absl::EndsWith(path, ".sst"); }

bool IsNoSpace(const rocksdb::IOStatus& status) {
  // RocksDB has a code for ENOSPC only; a quota shows in its words.
  return status.IsNoSpace() ||
         absl::StrContains(status.ToString(), std::strerror(EDQUOT));
}

}  // namespace

// Writes at offsets of its own, so that one that was cut short by a full disk
// can be repeated from its beginning.
class StoreFiles::WaitingFile final
    : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WaitingFile(StoreFiles* files, std::string path,
              std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)),
        files_(files),
        path_(std::move(path)) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data,
                           const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    return PositionedAppend(data, end_, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data,
                           const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&,
                           rocksdb::IODebugContext* debug) override {
    return PositionedAppend(data, end_, options, debug);
  }
  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& data,
                                     uint64_t offset,
                                     const rocksdb::IOOptions& options,
                                     rocksdb::IODebugContext* debug) override {
    end_ = offset + data.size();
    return files_->WriteWithSpace(path_, [&] {
      return target()->PositionedAppend(data, offset, options, debug);
    });
  }
  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& data,
                                     uint64_t offset,
                                     const rocksdb::IOOptions& options,
                                     const rocksdb::DataVerificationInfo&,
                                     rocksdb::IODebugContext* debug) override {
    return PositionedAppend(data, offset, options, debug);
  }
  // A failed sync is never repeated, not even for want of space: the kernel may
  // have dropped the pages.
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    return files_->Keep(target()->Sync(options, debug));
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    return files_->Keep(target()->Fsync(options, debug));
  }
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    return files_->Keep(target()->Close(options, debug));
  }

 private:
  StoreFiles* const files_;
  const std::string path_;
  uint64_t end_ = 0;
};

StoreFiles::StoreFiles(const std::string& directory,
                       std::function<bool()> stop_opening)
    : FileSystemWrapper(rocksdb::FileSystem::Default()),
      directory_(directory),
      reserve_(directory + "/reserve"),
      stop_opening_(std::move(stop_opening)) {}

uint64_t StoreFiles::FreeBytes() const {
  return PosixFileSystem::Get()->FreeBytes(directory_).value_or(0);
}

bool StoreFiles::HasSpaceForSmallFiles() const {
  return !reserve_.empty() || FreeBytes() >= SpaceReserve::kSmallFileBytes;
}

bool StoreFiles::HasSpaceToSpare() const {
  const uint64_t files = reserve_.empty() ? 2 : 1;
  return FreeBytes() >= files * SpaceReserve::kSmallFileBytes;
}

absl::Status StoreFiles::failure() const {
  absl::MutexLock lock(&mu_);
  return failure_;
}

void StoreFiles::OpeningEnds() {
  absl::MutexLock lock(&mu_);
  stop_opening_ = nullptr;
}

bool StoreFiles::OpeningIsStopped() const {
  absl::MutexLock lock(&mu_);
  return stop_opening_ != nullptr && stop_opening_();
}

void StoreFiles::StopWaiting() { stop_.Set(); }

bool StoreFiles::Pause() {
  return !OpeningIsStopped() && !stop_.WaitFor(kTryAgainPeriod);
}

rocksdb::IOStatus StoreFiles::WriteWithSpace(absl::string_view path,
                                             Write write) {
  rocksdb::IOStatus status = write();
  if (!IsNoSpace(status)) return Keep(std::move(status));
  if (!IsTable(path) && reserve_.GiveUp()) status = write();
  if (!IsNoSpace(status)) return Keep(std::move(status));

  if (waiting_.fetch_add(1) == 0) {
    spdlog::warn("store: waits for space: {}", status.ToString());
  }
  while (IsNoSpace(status) && Pause()) status = write();
  if (waiting_.fetch_sub(1) == 1 && status.ok()) {
    spdlog::info("store: has space again");
  }
  return Keep(std::move(status));
}

rocksdb::IOStatus StoreFiles::Keep(rocksdb::IOStatus status) {
  if (status.ok()) return status;
  absl::MutexLock lock(&mu_);
  if (failure_.ok()) failure_ = absl::InternalError(status.ToString());
  return status;
}

rocksdb::IOStatus StoreFiles::NewWritableFile(
    const std::string& path, const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSWritableFile>* file,
    rocksdb::IODebugContext* debug) {
  if (IsOptions(path)) {
    return rocksdb::IOStatus::NotSupported("options are not kept in files");
  }
  std::unique_ptr<rocksdb::FSWritableFile> made;
  rocksdb::IOStatus status = WriteWithSpace(path, [&] {
    return target()->NewWritableFile(path, options, &made, debug);
  });
  if (status.ok()) {
    *file = std::make_unique<WaitingFile>(this, path, std::move(made));
  }
  return status;
}

rocksdb::IOStatus StoreFiles::RenameFile(const std::string& from,
                                         const std::string& to,
                                         const rocksdb::IOOptions& options,
                                         rocksdb::IODebugContext* debug) {
  return WriteWithSpace(
      to, [&] { return target()->RenameFile(from, to, options, debug); });
}

}  // namespace trireme
