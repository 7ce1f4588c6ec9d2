// A disk in memory that forgets what was not synced: the simulator's
// FileSystem, also used by the unit tests of the segment log.
//
// After Crash() the disk holds what a power failure could leave: of every
// write since the file's last Sync(), in 512-byte sectors, all, nothing or
// any part. Names are durable when CreateFile() and RenameFile() return;
// a removed file may come back if no name was made durable since.
// Deterministic from the generator given. Thread-safe.
#ifndef TRIREME_TESTS_SIM_FAULT_DISK_H_
#define TRIREME_TESTS_SIM_FAULT_DISK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/file_system.h"

namespace trireme::sim {

class FaultDisk : public FileSystem {
 public:
  // `random` must outlive the disk.
  explicit FaultDisk(std::mt19937_64* random) : random_(random) {}

  absl::Status CreateDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> ListDirectory(
      const std::string& path) override;
  absl::StatusOr<std::unique_ptr<File>> CreateFile(const std::string& path,
                                                   uint64_t size) override;
  absl::StatusOr<std::unique_ptr<File>> OpenFile(
      const std::string& path) override;
  absl::Status RenameFile(const std::string& from,
                          const std::string& to) override;
  absl::Status RemoveFile(const std::string& path) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) override;

  // --- faults ---

  // Power failure and restart. Every File opened before is dead: it answers
  // Unavailable from now on.
  void Crash();
  // The process dies, the machine does not: nothing written is lost, every
  // File opened before is dead.
  void KillProcess();

  // The Sync() after `more` further ones fails, on whatever file. As with a
  // real one, any part of the writes may have reached the disk, and the rest
  // stays in the cache, where a later Sync() will not write it.
  void FailSync(int more = 0);
  // The WriteAt() after `more` further ones fails half-way.
  void FailWrite(int more = 0);
  // After `operations` further changes nothing is changed any more, and every
  // change fails: the moment of a power cut. Until Crash() or KillProcess().
  void StopAfter(uint64_t operations);
  // What can still be allocated; it shrinks and grows with the files.
  void SetFreeBytes(uint64_t bytes);
  // Damages what is stored, durably. The place must exist.
  void FlipBit(const std::string& path, uint64_t offset, int bit);
  void Overwrite(const std::string& path, uint64_t offset,
                 absl::string_view bytes);
  void Truncate(const std::string& path, uint64_t size);

  // The file as a reader sees it now.
  std::string Content(const std::string& path) const;
  // Copies all files of `other` as they are now, synced.
  void CopyFrom(const FaultDisk& other);
  // Changes of any kind since construction: equal for equal runs.
  uint64_t operations() const;

 private:
  friend class FaultFile;

  // The sectors a write touched, as the cache held them after it.
  struct UnsyncedWrite {
    uint64_t offset = 0;  // Of a sector.
    std::string sectors;
  };
  struct Node {
    std::string cached;   // What reads see.
    std::string durable;  // What is on the platter.
    std::vector<UnsyncedWrite> unsynced;
  };

  uint64_t Random(uint64_t below) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static bool Counts(int* countdown);
  // Counts the change; an error when it must not happen.
  absl::Status Change() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Any part of the unsynced writes reaches the platter, the rest never.
  void Settle(Node& node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Restart() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void Put(std::string& content, uint64_t offset,
                  absl::string_view bytes);

  // What File calls; `generation` tells the living from the dead.
  absl::Status WriteNode(Node& node, uint64_t generation, uint64_t offset,
                         std::span<const absl::string_view> pieces);
  absl::Status SyncNode(Node& node, uint64_t generation);
  absl::StatusOr<std::string> ReadNode(const Node& node, uint64_t generation,
                                       uint64_t offset, uint64_t size) const;

  mutable absl::Mutex mu_;
  std::mt19937_64* const random_ ABSL_PT_GUARDED_BY(mu_);
  std::map<std::string, std::shared_ptr<Node>> files_ ABSL_GUARDED_BY(mu_);
  // Removed since names were last made durable.
  std::map<std::string, std::shared_ptr<Node>> removed_ ABSL_GUARDED_BY(mu_);
  uint64_t free_bytes_ ABSL_GUARDED_BY(mu_) = uint64_t{1} << 40;
  uint64_t generation_ ABSL_GUARDED_BY(mu_) = 1;
  int syncs_to_failure_ ABSL_GUARDED_BY(mu_) = -1;
  int writes_to_failure_ ABSL_GUARDED_BY(mu_) = -1;
  uint64_t operations_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t operations_max_ ABSL_GUARDED_BY(mu_) = UINT64_MAX;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_FAULT_DISK_H_
