// Store is one node's RocksDB, reduced to what Trireme needs: column families,
// atomic batches without a write-ahead log, ordered reading, snapshots, and
// one flush of everything at one moment. No other file includes RocksDB.
//
// Thread-safe. What was written before a Flush() survives a crash of the
// machine, all families together; what came later is gone as a whole or there
// as a whole up to some batch (atomic flush), never in parts.
//
// A full disk is not an error: what must write waits, reads and Write() go on
// in memory. kDiskFull is only said by what the caller can do without for now.
#ifndef TRIREME_STORAGE_STORE_H_
#define TRIREME_STORAGE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "storage/monotonic_event.h"

namespace rocksdb {
class Cache;
class ColumnFamilyHandle;
class DB;
class Iterator;
class Snapshot;
class Env;
class WriteBatch;
}  // namespace rocksdb

namespace trireme {

class StoreFiles;

struct StoreOptions {
  // A family's unflushed bytes that make RocksDB flush by itself, and at twice
  // of which writers wait. The owner is expected to Flush() well before.
  uint64_t write_buffer_bytes = 192u << 20;
  uint64_t cache_bytes = 64u << 20;
  // Asked while Open waits for space on a full disk; once true, Open fails.
  std::function<bool()> stop_opening;
};

class Store {
 public:
  // A column family. Readers that hold one may go on after it was dropped.
  class Family {
   public:
    Family(std::shared_ptr<rocksdb::DB> db, rocksdb::ColumnFamilyHandle* handle,
           std::string name);
    ~Family();
    Family(const Family&) = delete;
    const std::string& name() const { return name_; }

   private:
    friend class Store;
    const std::shared_ptr<rocksdb::DB> db_;
    rocksdb::ColumnFamilyHandle* const handle_;
    const std::string name_;
  };
  using FamilyRef = std::shared_ptr<const Family>;

  // Writes that happen together. Not thread-safe; Clear() keeps its memory.
  class Batch {
   public:
    Batch();
    ~Batch();
    void Put(const Family& family, absl::string_view key,
             absl::string_view value);
    // The value is `parts` one after another (at most four).
    void PutParts(const Family& family, absl::string_view key,
                  std::span<const absl::string_view> parts);
    void Delete(const Family& family, absl::string_view key);
    void Clear();
    size_t bytes() const;

   private:
    friend class Store;
    const std::unique_ptr<rocksdb::WriteBatch> batch_;
  };

  // The store as it was at one moment.
  class Snapshot {
   public:
    explicit Snapshot(std::shared_ptr<rocksdb::DB> db);
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;

   private:
    friend class Store;
    const std::shared_ptr<rocksdb::DB> db_;
    const rocksdb::Snapshot* const snapshot_;
  };

  // Keys of one family in order, below an upper bound. Not thread-safe. Views
  // last until the next move.
  class Iterator {
   public:
    ~Iterator();
    void Seek(absl::string_view key);
    // To the last key at or before `key`.
    void SeekForPrev(absl::string_view key);
    void Next();
    // False at the end and on an error: ask status() then.
    bool Valid() const;
    absl::string_view key() const;
    absl::string_view value() const;
    absl::Status status() const;

   private:
    friend class Store;
    struct Bounds;
    Iterator(FamilyRef family, std::unique_ptr<Bounds> bounds,
             std::unique_ptr<rocksdb::Iterator> iterator);

    const FamilyRef family_;  // Keeps the files of a dropped family.
    const std::unique_ptr<Bounds> bounds_;
    const std::unique_ptr<rocksdb::Iterator> iterator_;
  };

  // Opens or creates the store in `directory`. DataLoss, with what to do,
  // when its files are damaged or missing.
  static absl::StatusOr<std::unique_ptr<Store>> Open(
      const std::string& directory, const StoreOptions& options);
  ~Store();

  // The family of small tables, compacted as RocksDB usually does.
  const FamilyRef& tables() const { return tables_; }
  // All other families, by name. Those are written in ascending time and
  // dropped as a whole; partitions of a day (keys.h) are never compacted.
  std::vector<FamilyRef> families() const;

  // Both write RocksDB's manifest and take milliseconds. On a full disk
  // CreateFamily does nothing (kDiskFull): it leaves what a DropFamily needs.
  // Before that one CheckSpace tells.
  absl::Status CheckSpace() const;
  absl::StatusOr<FamilyRef> CreateFamily(const std::string& name);
  // Promises that nothing is written to the family any more: once flushed, it
  // is no part of later flushes, and dropping it returns its space even while
  // one of those waits for space.
  void Seal(const Family& family);
  absl::Status DropFamily(const FamilyRef& family);

  absl::Status Write(Batch* batch);
  absl::StatusOr<std::optional<std::string>> Get(const Family& family,
                                                 absl::string_view key) const;
  // `snapshot`, if any, must outlive the iterator.
  std::unique_ptr<Iterator> NewIterator(
      FamilyRef family, absl::string_view upper_bound,
      const Snapshot* snapshot = nullptr) const;
  std::unique_ptr<Snapshot> NewSnapshot() const;

  // Makes everything written before this call durable. Blocks, on a full disk
  // until there is space or StopWaiting() was called.
  absl::Status Flush();
  // True while something waits for space: what is written stays in memory.
  bool waits_for_space() const;
  // What waits for space fails, now and later: for an owner that is about to
  // close the store.
  void StopWaiting();
  // Every read of records passes its outcome through here. DataLoss, the first
  // there was, is kept: the store can no longer be relied on.
  absl::Status NoteRead(absl::Status status) const;
  absl::Status damage() const;
  uint64_t bytes_on_disk() const;
  uint64_t family_bytes_on_disk(const Family& family) const;

 private:
  explicit Store(std::string directory);
  absl::Status OpenDatabase(const StoreOptions& options);
  // Returns when no flush runs, or the one that does waits for space: false.
  bool AwaitFlush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(families_mu_);

  // Set by Open.
  const std::string directory_;
  std::shared_ptr<StoreFiles> files_;
  uint64_t write_buffer_bytes_ = 0;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::shared_ptr<rocksdb::DB> db_;
  FamilyRef tables_;

  // Not held by readers and writers, nor while a flush runs.
  mutable absl::Mutex families_mu_;
  // No family is made meanwhile: a flush without it would bring to the disk
  // that it holds something, but not what it holds.
  bool flushing_ ABSL_GUARDED_BY(families_mu_) = false;
  MonotonicEvent flush_ended_;
  enum class Writes { kOpen, kSealed, kSealedAndFlushed };
  struct KnownFamily {
    FamilyRef family;
    Writes writes = Writes::kOpen;
  };
  absl::btree_map<std::string, KnownFamily> families_
      ABSL_GUARDED_BY(families_mu_);

  mutable absl::Mutex damage_mu_;
  mutable absl::Status damage_ ABSL_GUARDED_BY(damage_mu_);
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_STORE_H_
