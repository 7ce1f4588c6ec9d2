// StoreFiles is the file system that RocksDB is given: the machine's, except
// that a write which finds no space waits for it. RocksDB must not hear of a
// full disk: after one failed flush it takes no more writes, and resumed, its
// Flush() returns OK for what is not on disk (docs/decisions/0004).
//
// Owned by a Store; thread-safe. Any other failed write or sync is final, and
// kept for the owner to see.
#ifndef TRIREME_STORAGE_STORE_FILES_H_
#define TRIREME_STORAGE_STORE_FILES_H_

#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "storage/monotonic_event.h"
#include "storage/space_reserve.h"

namespace trireme {

class StoreFiles final : public rocksdb::FileSystemWrapper {
 public:
  // Of the store in `directory`, which exists. Until OpeningEnds,
  // `stop_opening` (may be empty) is asked while a write waits; once true, such
  // writes fail.
  StoreFiles(const std::string& directory, std::function<bool()> stop_opening);

  // True while a write waits.
  bool waits_for_space() const { return waiting_.load() > 0; }
  // Whether a small file can be written now, with the help of the reserve.
  bool HasSpaceForSmallFiles() const;
  // Whether it can, and HasSpaceForSmallFiles() will be true after it still.
  bool HasSpaceToSpare() const;
  // The first error that RocksDB was told of.
  absl::Status failure() const;
  void RestoreReserve() { reserve_.Restore(); }
  void OpeningEnds();
  // Writes that wait fail from now on: the owner closes the store.
  void StopWaiting();

  // rocksdb::FileSystem
  const char* Name() const override { return "TriremeStoreFiles"; }
  rocksdb::IOStatus NewWritableFile(
      const std::string& path, const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSWritableFile>* file,
      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  class WaitingFile;
  using Write = absl::FunctionRef<rocksdb::IOStatus()>;

  // Tries `write`, which may be repeated, until it finds space.
  rocksdb::IOStatus WriteWithSpace(absl::string_view path, Write write);
  // Keeps an error for failure(); what cannot be repeated goes through here.
  rocksdb::IOStatus Keep(rocksdb::IOStatus status);
  // False: stopped.
  bool Pause();
  bool OpeningIsStopped() const;
  uint64_t FreeBytes() const;

  const std::string directory_;  // Set at construction.
  std::atomic<int> waiting_{0};
  // For all files but tables: those are small, and what makes room again
  // (dropping a family) or lets a node start (a new manifest) must not wait for
  // room.
  SpaceReserve reserve_;

  MonotonicEvent stop_;  // Ends the pauses of writes that wait.

  mutable absl::Mutex mu_;
  std::function<bool()> stop_opening_ ABSL_GUARDED_BY(mu_);
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_STORE_FILES_H_
