#include "storage/store.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/errors.h"
#include "storage/keys.h"
#include "storage/status_macros.h"
#include "storage/store_files.h"
#include "storage/store_log.h"

namespace trireme {
namespace {

// Files, or levels, of a long partition that a read has to merge.
constexpr int kSortedRunsMax = 16;

rocksdb::Slice ToSlice(absl::string_view bytes) {
  return rocksdb::Slice(bytes.data(), bytes.size());
}

absl::string_view ToView(const rocksdb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

absl::Status ToStatus(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsCorruption()) return absl::DataLossError(status.ToString());
  return absl::InternalError(status.ToString());
}

absl::Status Damaged(const std::string& directory, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(
      "the store in ", directory, " is damaged: ", what,
      ". Move the directory away and start the node again: it copies its "
      "state from its peers"));
}

std::shared_ptr<rocksdb::TableFactory> TableFactory(
    std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  // Our blocks are as large as an entry's share of a shard, often 64 KiB: a
  // RocksDB block holds one of them, or many small ones.
  table.block_size = 32 << 10;
  // An open partition has a file for each flush. With first keys in the index
  // a reader touches only the blocks it returns, not one in each file.
  table.index_type = rocksdb::BlockBasedTableOptions::kBinarySearchWithFirstKey;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  return std::shared_ptr<rocksdb::TableFactory>(
      rocksdb::NewBlockBasedTableFactory(table));
}

rocksdb::ColumnFamilyOptions TablesOptions(
    uint64_t write_buffer_bytes, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = write_buffer_bytes;
  options.max_write_buffer_number = 2;
  options.table_factory = TableFactory(cache);
  options.compression = rocksdb::kNoCompression;
  options.target_file_size_base = 8 << 20;
  // Each flush adds a small file here. A late compaction must not stall the
  // records' path, which writes in the same batches.
  options.level0_slowdown_writes_trigger = 200;
  options.level0_stop_writes_trigger = 400;
  return options;
}

rocksdb::ColumnFamilyOptions PartitionOptions(
    uint64_t write_buffer_bytes, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = write_buffer_bytes;
  // One being filled, one being flushed; a third would only hide a disk that
  // is too slow until memory is gone.
  options.max_write_buffer_number = 2;
  options.table_factory = TableFactory(cache);
  // Producers that care compress or aggregate records themselves, and the
  // processor is what a node runs out of first, not the disk.
  options.compression = rocksdb::kNoCompression;
  // Records are written once and dropped with their partition (design.md D4).
  options.disable_auto_compactions = true;
  options.level0_file_num_compaction_trigger = 1 << 30;
  options.level0_slowdown_writes_trigger = 1 << 30;
  options.level0_stop_writes_trigger = 1 << 30;
  options.soft_pending_compaction_bytes_limit = 0;
  options.hard_pending_compaction_bytes_limit = 0;
  return options;
}

// Of partitions that are open for hours or days: with a file for each flush a
// read would touch thousands. Runs of about the same size are merged, many at a
// time, so that a record is rewritten a few times at most.
rocksdb::ColumnFamilyOptions LongPartitionOptions(
    uint64_t write_buffer_bytes, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options =
      PartitionOptions(write_buffer_bytes, cache);
  options.disable_auto_compactions = false;
  options.compaction_style = rocksdb::kCompactionStyleUniversal;
  options.level0_file_num_compaction_trigger = kSortedRunsMax;
  options.compaction_options_universal.min_merge_width = kSortedRunsMax / 2;
  // Nothing is ever written twice, so there is no dead space to win.
  options.compaction_options_universal.max_size_amplification_percent =
      std::numeric_limits<unsigned>::max();
  options.compaction_options_universal.allow_trivial_move = true;
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions(
    const std::string& name, uint64_t write_buffer_bytes,
    const std::shared_ptr<rocksdb::Cache>& cache) {
  if (name == rocksdb::kDefaultColumnFamilyName)
    return TablesOptions(write_buffer_bytes, cache);
  const std::optional<PartitionId> partition = ParsePartitionName(name);
  return partition && partition->retention != RetentionClass::kDay
             ? LongPartitionOptions(write_buffer_bytes, cache)
             : PartitionOptions(write_buffer_bytes, cache);
}

// How often to look whether a flush has come to wait for space.
constexpr absl::Duration kLookAgainPeriod = absl::Milliseconds(100);

// tmpfs of older kernels and some network file systems cannot.
bool CanWriteDirectly(const std::string& directory) {
  const std::string path = directory + "/direct-io-probe";
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_DIRECT, 0600);
  ::unlink(path.c_str());
  if (file < 0) return false;
  ::close(file);
  return true;
}

rocksdb::DBOptions DatabaseOptions(rocksdb::Env* env, bool direct_io) {
  rocksdb::DBOptions options;
  options.env = env;
  options.info_log = std::make_shared<StoreLog>();
  // A write that failed is not tried again behind our back (design.md D12).
  options.max_bgerror_resume_count = 0;
  options.create_if_missing = true;
  // Applied positions and the data below them reach the disk in one step.
  options.atomic_flush = true;
  // Whoever closes in order calls Flush() first; a destructor must not block.
  options.avoid_flush_during_shutdown = true;
  options.max_background_flushes = 2;
  options.max_background_compactions = 1;
  // Around the page cache where the file system can: copying into it took
  // three times the processor of all else, and its write-back holds up the
  // segment log's fsync. Readers at the tip have memtables and tail buffers.
  options.use_direct_io_for_flush_and_compaction = direct_io;
  // Without it, at least write while a flush runs, not all at its end.
  options.bytes_per_sync = 1 << 20;
  options.max_open_files = 256;
  options.max_manifest_file_size = 16 << 20;
  options.skip_stats_update_on_db_open = true;
  options.allow_concurrent_memtable_write = false;  // There is one writer.
  options.enable_write_thread_adaptive_yield = false;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

absl::Status NoSpaceTo(absl::string_view change, absl::string_view directory) {
  return MakeError(ErrorReason::kDiskFull,
                   absl::StrCat("the disk of ", directory, " has no space to ",
                                change, " a column family"));
}

// RocksDB would start anew in a directory without its file CURRENT, and then
// delete the files it does not know.
absl::Status CheckNothingIsOrphaned(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::InternalError(
        absl::StrCat("cannot create ", directory, ": ", error.message()));
  }
  if (std::filesystem::exists(directory + "/CURRENT")) return absl::OkStatus();
  for (const auto& file :
       std::filesystem::directory_iterator(directory, error)) {
    const std::string name = file.path().filename().string();
    if (absl::EndsWith(name, ".sst") || absl::StartsWith(name, "MANIFEST-"))
      return Damaged(directory,
                     absl::StrCat("CURRENT is missing beside ", name));
  }
  if (error) {
    return absl::InternalError(
        absl::StrCat("cannot list ", directory, ": ", error.message()));
  }
  return absl::OkStatus();
}

}  // namespace

// --- Family, Batch, Snapshot, Iterator ---

Store::Family::Family(std::shared_ptr<rocksdb::DB> db,
                      rocksdb::ColumnFamilyHandle* handle, std::string name)
    : db_(std::move(db)), handle_(handle), name_(std::move(name)) {}

Store::Family::~Family() {
  // Fails only for the default family, whose handle is the database's.
  (void)db_->DestroyColumnFamilyHandle(handle_);
}

Store::Batch::Batch() : batch_(std::make_unique<rocksdb::WriteBatch>()) {}
Store::Batch::~Batch() = default;

void Store::Batch::Put(const Family& family, absl::string_view key,
                       absl::string_view value) {
  const rocksdb::Status status =
      batch_->Put(family.handle_, ToSlice(key), ToSlice(value));
  CHECK(status.ok(), status.ToString());
}

void Store::Batch::PutParts(const Family& family, absl::string_view key,
                            std::span<const absl::string_view> parts) {
  std::array<rocksdb::Slice, 4> slices;
  CHECK(parts.size() <= slices.size(), "too many parts of a value");
  for (size_t i = 0; i < parts.size(); ++i) slices[i] = ToSlice(parts[i]);
  const rocksdb::Slice key_slice = ToSlice(key);
  const rocksdb::Status status = batch_->Put(
      family.handle_, rocksdb::SliceParts(&key_slice, 1),
      rocksdb::SliceParts(slices.data(), static_cast<int>(parts.size())));
  CHECK(status.ok(), status.ToString());
}

void Store::Batch::Delete(const Family& family, absl::string_view key) {
  const rocksdb::Status status = batch_->Delete(family.handle_, ToSlice(key));
  CHECK(status.ok(), status.ToString());
}

void Store::Batch::Clear() { batch_->Clear(); }
size_t Store::Batch::bytes() const { return batch_->GetDataSize(); }

Store::Snapshot::Snapshot(std::shared_ptr<rocksdb::DB> db)
    : db_(std::move(db)), snapshot_(db_->GetSnapshot()) {}

Store::Snapshot::~Snapshot() { db_->ReleaseSnapshot(snapshot_); }

// RocksDB keeps a pointer to the bound for the iterator's whole life.
struct Store::Iterator::Bounds {
  std::string upper;
  rocksdb::Slice upper_slice;
};

Store::Iterator::Iterator(FamilyRef family, std::unique_ptr<Bounds> bounds,
                          std::unique_ptr<rocksdb::Iterator> iterator)
    : family_(std::move(family)),
      bounds_(std::move(bounds)),
      iterator_(std::move(iterator)) {}

Store::Iterator::~Iterator() = default;

void Store::Iterator::Seek(absl::string_view key) {
  iterator_->Seek(ToSlice(key));
}
void Store::Iterator::SeekForPrev(absl::string_view key) {
  iterator_->SeekForPrev(ToSlice(key));
}
void Store::Iterator::Next() { iterator_->Next(); }
bool Store::Iterator::Valid() const { return iterator_->Valid(); }
absl::string_view Store::Iterator::key() const {
  return ToView(iterator_->key());
}
absl::string_view Store::Iterator::value() const {
  return ToView(iterator_->value());
}
absl::Status Store::Iterator::status() const {
  return ToStatus(iterator_->status());
}

// --- Store ---

Store::Store(std::string directory) : directory_(std::move(directory)) {}
Store::~Store() { StopWaiting(); }

absl::StatusOr<std::unique_ptr<Store>> Store::Open(
    const std::string& directory, const StoreOptions& options) {
  RETURN_IF_ERROR(CheckNothingIsOrphaned(directory));
  std::unique_ptr<Store> store(new Store(directory));
  RETURN_IF_ERROR(store->OpenDatabase(options));
  store->files_->OpeningEnds();
  store->files_->RestoreReserve();
  return store;
}

absl::Status Store::OpenDatabase(const StoreOptions& options) {
  write_buffer_bytes_ = options.write_buffer_bytes;
  cache_ = rocksdb::NewLRUCache(options.cache_bytes);
  files_ = std::make_shared<StoreFiles>(directory_, options.stop_opening);
  std::shared_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files_);
  const rocksdb::DBOptions db_options =
      DatabaseOptions(env.get(), CanWriteDirectly(directory_));
  std::vector<std::string> names = {rocksdb::kDefaultColumnFamilyName};
  rocksdb::Status status;
  if (std::filesystem::exists(directory_ + "/CURRENT"))
    status = rocksdb::DB::ListColumnFamilies(db_options, directory_, &names);

  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) {
    descriptors.emplace_back(name,
                             FamilyOptions(name, write_buffer_bytes_, cache_));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  if (status.ok()) {
    status =
        rocksdb::DB::Open(db_options, directory_, descriptors, &handles, &db);
  }
  if (status.IsCorruption() || status.IsPathNotFound() || status.IsNotFound() ||
      status.IsInvalidArgument())
    return Damaged(directory_, status.ToString());
  if (!status.ok()) {
    return absl::InternalError(absl::StrCat(
        "cannot open the store in ", directory_, ": ", status.ToString()));
  }
  // Families that readers hold keep the database, and it what it lives on.
  db_ = std::shared_ptr<rocksdb::DB>(
      db, [env = std::move(env)](rocksdb::DB* closed) { delete closed; });
  absl::MutexLock lock(&families_mu_);
  for (size_t i = 0; i < names.size(); ++i) {
    auto family = std::make_shared<const Family>(db_, handles[i], names[i]);
    if (names[i] == rocksdb::kDefaultColumnFamilyName) {
      tables_ = std::move(family);
    } else {
      families_[names[i]] = {std::move(family)};
    }
  }
  return absl::OkStatus();
}

std::vector<Store::FamilyRef> Store::families() const {
  std::vector<FamilyRef> families;
  absl::MutexLock lock(&families_mu_);
  for (const auto& [name, known] : families_) families.push_back(known.family);
  return families;
}

absl::Status Store::CheckSpace() const {
  if (files_->HasSpaceForSmallFiles()) return absl::OkStatus();
  return NoSpaceTo("drop", directory_);
}

bool Store::AwaitFlush() {
  while (flushing_ && !files_->waits_for_space()) {
    families_mu_.Unlock();
    flush_ended_.WaitFor(kLookAgainPeriod);
    families_mu_.Lock();
  }
  return !flushing_;
}

absl::StatusOr<Store::FamilyRef> Store::CreateFamily(const std::string& name) {
  absl::MutexLock lock(&families_mu_);
  if (!AwaitFlush()) {
    return MakeError(ErrorReason::kDiskFull,
                     absl::StrCat("a flush of ", directory_,
                                  " waits for space on its disk"));
  }
  if (!files_->HasSpaceToSpare()) return NoSpaceTo("make", directory_);
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  const rocksdb::Status status = db_->CreateColumnFamily(
      FamilyOptions(name, write_buffer_bytes_, cache_), name, &handle);
  RETURN_IF_ERROR(ToStatus(status));
  auto family = std::make_shared<const Family>(db_, handle, name);
  families_[name] = {family};
  return family;
}

void Store::Seal(const Family& family) {
  absl::MutexLock lock(&families_mu_);
  const auto found = families_.find(family.name());
  if (found != families_.end() && found->second.writes == Writes::kOpen)
    found->second.writes = Writes::kSealed;
}

absl::Status Store::DropFamily(const FamilyRef& family) {
  absl::MutexLock lock(&families_mu_);
  AwaitFlush();  // One that waits for space may get it from us.
  RETURN_IF_ERROR(ToStatus(db_->DropColumnFamily(family->handle_)));
  families_.erase(family->name());
  return absl::OkStatus();
}

absl::Status Store::Write(Batch* batch) {
  RETURN_IF_ERROR(files_->failure());
  rocksdb::WriteOptions options;
  options.disableWAL = true;  // The segment log is the write-ahead log.
  return ToStatus(db_->Write(options, batch->batch_.get()));
}

absl::StatusOr<std::optional<std::string>> Store::Get(
    const Family& family, absl::string_view key) const {
  std::string value;
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), family.handle_, ToSlice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  RETURN_IF_ERROR(ToStatus(status));
  return std::optional<std::string>(std::move(value));
}

std::unique_ptr<Store::Iterator> Store::NewIterator(
    FamilyRef family, absl::string_view upper_bound,
    const Snapshot* snapshot) const {
  auto bounds = std::make_unique<Iterator::Bounds>();
  bounds->upper = std::string(upper_bound);
  bounds->upper_slice = bounds->upper;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &bounds->upper_slice;
  if (snapshot != nullptr) options.snapshot = snapshot->snapshot_;
  std::unique_ptr<rocksdb::Iterator> iterator(
      db_->NewIterator(options, family->handle_));
  return std::unique_ptr<Iterator>(
      new Iterator(std::move(family), std::move(bounds), std::move(iterator)));
}

std::unique_ptr<Store::Snapshot> Store::NewSnapshot() const {
  return std::make_unique<Snapshot>(db_);
}

absl::Status Store::Flush() {
  std::vector<FamilyRef> families = {tables_};
  std::vector<std::string> sealed;
  {
    absl::MutexLock lock(&families_mu_);
    families_mu_.Await(absl::Condition(
        +[](bool* flushing) { return !*flushing; }, &flushing_));
    flushing_ = true;
    flush_ended_.Reset();
    for (const auto& [name, known] : families_) {
      if (known.writes == Writes::kSealedAndFlushed) continue;
      families.push_back(known.family);
      if (known.writes == Writes::kSealed) sealed.push_back(name);
    }
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  for (const FamilyRef& family : families) handles.push_back(family->handle_);
  rocksdb::FlushOptions options;
  options.wait = true;
  options.allow_write_stall = true;  // Waiting for less load may wait forever.
  absl::Status status = ToStatus(db_->Flush(options, handles));
  // RocksDB may call a flush done that was not, once it has met an error.
  if (status.ok()) status = files_->failure();
  if (status.ok()) files_->RestoreReserve();
  absl::MutexLock lock(&families_mu_);
  for (const std::string& name : sealed) {
    const auto found = families_.find(name);
    if (status.ok() && found != families_.end())
      found->second.writes = Writes::kSealedAndFlushed;
  }
  flushing_ = false;
  flush_ended_.Set();
  return status;
}

bool Store::waits_for_space() const { return files_->waits_for_space(); }
void Store::StopWaiting() {
  if (files_ != nullptr) files_->StopWaiting();
}

absl::Status Store::NoteRead(absl::Status status) const {
  if (absl::IsDataLoss(status)) {
    absl::MutexLock lock(&damage_mu_);
    damage_.Update(status);
  }
  return status;
}

absl::Status Store::damage() const {
  absl::MutexLock lock(&damage_mu_);
  return damage_;
}

uint64_t Store::bytes_on_disk() const {
  uint64_t bytes = 0;
  (void)db_->GetAggregatedIntProperty(
      rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  return bytes;
}

uint64_t Store::family_bytes_on_disk(const Family& family) const {
  uint64_t bytes = 0;
  (void)db_->GetIntProperty(
      family.handle_, rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  return bytes;
}

}  // namespace trireme
