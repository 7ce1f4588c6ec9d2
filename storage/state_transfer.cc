#include "storage/state_transfer.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/catalog_tables.h"
#include "storage/crc32c.h"
#include "storage/fixed_ints.h"
#include "storage/retention.h"
#include "storage/status_macros.h"
#include "storage/table_rows.h"

namespace trireme {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kCrcBytes = 4;
constexpr size_t kChunkBytes = 1 << 20;

// Sent between nodes; never renumber.
enum class Item : uint8_t {
  kBegin = 1,         // index u64 | term u64 | stamp_ms i64
  kShard = 2,         // stream u32 | shard u32 | size u32 | ShardStateRow
  kBlock = 3,         // stream u32 | shard u32 | counter u64 | size u32 | block
  kStream = 4,        // size u32 | StreamRow
  kNextStreamId = 5,  // id u32
  kEnd = 6,           // nothing
  kAccount = 7,       // size u32 | AccountRow
  kClaims = 8,        // size u32 | ClaimsRow
  // stream u32 | shard u32 | index u64 | ordinal u32 | size u32 | ProducerRow
  kProducer = 9,
  // size u32 | key (keys.h) | size u32 | ConsumerGroupRow, WorkerRow, LeaseRow
  kConsumerGroup = 10,
  // size u32 | key (keys.h) | size u32 | ItemTableRow, or an item's version and
  // bytes
  kItemTable = 11,
};

absl::Status Malformed(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("malformed catch-up chunk: ", what));
}

class ChunkWriter {
 public:
  explicit ChunkWriter(GroupId group) : bytes_(kCrcBytes, '\0') {
    AppendLittle(kVersion, &bytes_);
    AppendLittle(group.value(), &bytes_);
  }

  bool full() const { return bytes_.size() >= kChunkBytes; }
  size_t room() const { return full() ? 0 : kChunkBytes - bytes_.size(); }
  std::string Take() {
    StoreLittle(Crc32c(absl::string_view(bytes_).substr(kCrcBytes)),
                bytes_.data());
    return std::move(bytes_);
  }

  void Begin(const AppliedPosition& position) {
    Start(Item::kBegin);
    AppendLittle(position.index, &bytes_);
    AppendLittle(position.term, &bytes_);
    AppendLittle(position.stamp_ms, &bytes_);
  }
  void AddShard(const ShardChange& shard) {
    Start(Item::kShard);
    AppendShard(shard.shard);
    AppendSized(EncodeShardRecord(shard.record));
  }
  void AddBlock(const BlockView& block) {
    Start(Item::kBlock);
    AppendShard(block.id.shard);
    AppendLittle(block.id.first, &bytes_);
    AppendSized(block.value);
  }
  void AddStream(const Stream& stream) {
    Start(Item::kStream);
    AppendSized(EncodeStream(stream));
  }
  void AddClaims(const Claims& claims) {
    Start(Item::kClaims);
    AppendSized(EncodeClaims(claims));
  }
  void AddProducer(const ProducerRowPlace& place, absl::string_view row) {
    Start(Item::kProducer);
    AppendShard(place.shard);
    AppendLittle(place.row.index, &bytes_);
    AppendLittle(place.row.ordinal, &bytes_);
    AppendSized(row);
  }
  void AddNextStreamId(uint32_t id) {
    Start(Item::kNextStreamId);
    AppendLittle(id, &bytes_);
  }
  void AddAccount(const AccountSettings& account) {
    Start(Item::kAccount);
    AppendSized(EncodeAccount(account));
  }
  void AddConsumerGroup(const GroupRowChange& row) {
    Start(Item::kConsumerGroup);
    AppendSized(row.key);
    AppendSized(*row.row);
  }
  void AddItemTable(absl::string_view key, absl::string_view row) {
    Start(Item::kItemTable);
    AppendSized(key);
    AppendSized(row);
  }
  void End() { Start(Item::kEnd); }

 private:
  void Start(Item item) { AppendLittle(static_cast<uint8_t>(item), &bytes_); }
  void AppendShard(const ShardKey& shard) {
    AppendLittle(shard.stream.value(), &bytes_);
    AppendLittle(shard.shard.value(), &bytes_);
  }
  void AppendSized(absl::string_view bytes) {
    AppendLittle(static_cast<uint32_t>(bytes.size()), &bytes_);
    bytes_.append(bytes.data(), bytes.size());
  }

  std::string bytes_;
};

bool TakeSized(ByteCursor* cursor, absl::string_view* bytes) {
  uint32_t size = 0;
  return cursor->TakeLittle(&size) && cursor->TakeBytes(size, bytes);
}

bool TakeShard(ByteCursor* cursor, ShardKey* shard) {
  uint32_t stream = 0;
  uint32_t index = 0;
  if (!cursor->TakeLittle(&stream) || !cursor->TakeLittle(&index)) return false;
  *shard = {StreamId(stream), ShardIndex(index)};
  return true;
}

// --- the giving side ---

constexpr Counter kNothingWanted = std::numeric_limits<Counter>::max();

class ShardSource : public StateSource {
 public:
  ShardSource(GroupId group, const AppliedPosition& position,
              ShardSourceParts parts, const HeldShards& held)
      : group_(group), position_(position), parts_(std::move(parts)) {
    LogIndex lowest = std::numeric_limits<LogIndex>::max();
    for (const ShardChange& shard : parts_.shards) {
      const auto found = held.find(shard.shard);
      const Counter from = found == held.end() ? 0 : found->second;
      // Nobody will read a dropped shard's blocks again.
      if (shard.record.dropped || from >= shard.record.next) continue;
      if (!shard.record.elsewhere.empty()) {
        merged_.push_back({shard.shard, from});
        continue;
      }
      wanted_[shard.shard] = from;
      lowest = std::min(lowest, CounterIndex(from));
    }
    std::erase_if(parts_.partitions, [lowest](const PartitionView& partition) {
      return partition.last_index < lowest;
    });
  }

  AppliedPosition position() const override { return position_; }

  absl::StatusOr<std::string> Next() override {
    if (ended_) return std::string();
    ChunkWriter chunk(group_);
    if (!begun_) {
      chunk.Begin(position_);
      chunk.AddClaims(parts_.claims);
    }
    begun_ = true;
    for (; shard_ < parts_.shards.size() && !chunk.full(); ++shard_)
      chunk.AddShard(parts_.shards[shard_]);
    if (!producers_ended_ && !chunk.full()) {
      RETURN_IF_ERROR(parts_.store->NoteRead(AddProducers(&chunk)));
    }
    while (partition_ < parts_.partitions.size() && !chunk.full())
      RETURN_IF_ERROR(parts_.store->NoteRead(AddBlocks(&chunk)));
    while (!merged_.empty() && !chunk.full())
      RETURN_IF_ERROR(AddMerged(&chunk));
    if (!chunk.full()) {
      chunk.End();
      ended_ = true;
    }
    return chunk.Take();
  }

 private:
  // Adds rows of producers until the chunk is full or there are no more.
  absl::Status AddProducers(ChunkWriter* chunk) {
    const Key group_key = GroupProducersKey(group_);
    const auto rows = parts_.store->NewIterator(
        parts_.store->tables(), group_key.PrefixEnd(), parts_.snapshot.get());
    rows->Seek(resume_.empty() ? group_key.view() : absl::string_view(resume_));
    for (; rows->Valid() && !chunk->full(); rows->Next()) {
      const std::optional<ProducerRowPlace> place =
          DecodeProducerKey(rows->key());
      if (!place) return absl::DataLossError("malformed key of a producer");
      chunk->AddProducer(*place, rows->value());
    }
    RETURN_IF_ERROR(rows->status());
    producers_ended_ = !rows->Valid();
    resume_ = producers_ended_ ? std::string() : std::string(rows->key());
    return absl::OkStatus();
  }

  // Adds blocks of the current partition until the chunk is full or the
  // partition ends. The iterator is made anew each time: kept between chunks
  // it would hold on to memory that was flushed long ago.
  absl::Status AddBlocks(ChunkWriter* chunk) {
    const Key group_key = GroupBlocksKey(group_);
    const auto blocks =
        parts_.store->NewIterator(parts_.partitions[partition_].family,
                                  group_key.PrefixEnd(), parts_.snapshot.get());
    blocks->Seek(resume_.empty() ? group_key.view()
                                 : absl::string_view(resume_));
    while (blocks->Valid()) {
      if (chunk->full()) {
        resume_ = std::string(blocks->key());
        return absl::OkStatus();
      }
      const std::optional<BlockId> id = DecodeBlockKey(blocks->key());
      if (!id) return absl::DataLossError("malformed key of a block");
      const Counter from = Wanted(id->shard);
      if (from == kNothingWanted || CounterIndex(id->first) > position_.index) {
        blocks->Seek(ShardBlocksKey(group_, id->shard).PrefixEnd());
      } else if (id->first < from) {
        blocks->Seek(BlockKey({group_, id->shard, from}).view());
      } else {
        ASSIGN_OR_RETURN(const BlockView block,
                         VerifyBlock(blocks->key(), blocks->value()));
        chunk->AddBlock(block);
        blocks->Next();
      }
    }
    RETURN_IF_ERROR(blocks->status());
    resume_.clear();
    ++partition_;
    return absl::OkStatus();
  }

  // The next blocks of the last of the shards whose blocks must be merged.
  absl::Status AddMerged(ChunkWriter* chunk) {
    auto& [shard, from] = merged_.back();
    ASSIGN_OR_RETURN(
        const std::vector<Block> blocks,
        parts_.log->Read(group_, shard, from, chunk->room(), /*horizon_ms=*/0));
    for (const Block& block : blocks) {
      if (CounterIndex(block.first) > position_.index) break;
      const BlockId id = {group_, shard, block.first};
      const auto header =
          MakeBlockHeader(BlockKey(id).view(), block.record_count,
                          block.arrival_ms, block.batch);
      const std::string value = absl::StrCat(
          absl::string_view(header.data(), header.size()), block.batch);
      chunk->AddBlock({id, block.record_count, block.arrival_ms, {}, value});
      from = block.last() + 1;
    }
    const bool ended =
        blocks.empty() || CounterIndex(blocks.back().first) > position_.index;
    if (ended) merged_.pop_back();
    return absl::OkStatus();
  }

  Counter Wanted(const ShardKey& shard) const {
    const auto found = wanted_.find(shard);
    return found == wanted_.end() ? kNothingWanted : found->second;
  }

  const GroupId group_;
  const AppliedPosition position_;
  ShardSourceParts parts_;
  HeldShards wanted_;  // Where to begin; shards that are not here are skipped.
  std::vector<std::pair<ShardKey, Counter>> merged_;  // The same, of others.
  bool begun_ = false;
  bool ended_ = false;
  size_t shard_ = 0;
  bool producers_ended_ = false;
  size_t partition_ = 0;
  // The key to go on from among the producers, then in the partition.
  std::string resume_;
};

class CatalogSource : public StateSource {
 public:
  CatalogSource(GroupId group, const AppliedPosition& position,
                CatalogSourceParts parts)
      : group_(group), position_(position), parts_(std::move(parts)) {}

  AppliedPosition position() const override { return position_; }

  absl::StatusOr<std::string> Next() override {
    if (ended_) return std::string();
    ChunkWriter chunk(group_);
    if (!begun_) {
      chunk.Begin(position_);
      chunk.AddNextStreamId(parts_.next_stream_id);
      chunk.AddAccount(parts_.account);
    }
    begun_ = true;
    for (; stream_ < parts_.streams.size() && !chunk.full(); ++stream_)
      chunk.AddStream(*parts_.streams[stream_]);
    for (; group_row_ < parts_.groups.size() && !chunk.full(); ++group_row_)
      chunk.AddConsumerGroup(parts_.groups[group_row_]);
    if (!tables_ended_ && !chunk.full()) {
      RETURN_IF_ERROR(parts_.store->NoteRead(AddTables(&chunk)));
    }
    if (!chunk.full()) {
      chunk.End();
      ended_ = true;
    }
    return chunk.Take();
  }

 private:
  // Adds rows of tables and items until the chunk is full or there are no more.
  absl::Status AddTables(ChunkWriter* chunk) {
    const auto rows = parts_.store->NewIterator(
        parts_.store->tables(), Key(KeyKind::kItem).PrefixEnd(),
        parts_.snapshot.get());
    const Key first(KeyKind::kItemTable);
    rows->Seek(resume_.empty() ? first.view() : absl::string_view(resume_));
    for (; rows->Valid() && !chunk->full(); rows->Next()) {
      chunk->AddItemTable(rows->key(), rows->value());
    }
    RETURN_IF_ERROR(rows->status());
    tables_ended_ = !rows->Valid();
    resume_ = tables_ended_ ? std::string() : std::string(rows->key());
    return absl::OkStatus();
  }

  const GroupId group_;
  const AppliedPosition position_;
  const CatalogSourceParts parts_;
  bool begun_ = false;
  bool ended_ = false;
  size_t stream_ = 0;
  size_t group_row_ = 0;
  bool tables_ended_ = false;
  std::string resume_;  // The key to go on from among them.
};

}  // namespace

std::unique_ptr<StateSource> MakeShardSource(GroupId group,
                                             const AppliedPosition& position,
                                             ShardSourceParts parts,
                                             const HeldShards& held) {
  return std::make_unique<ShardSource>(group, position, std::move(parts), held);
}

std::unique_ptr<StateSource> MakeCatalogSource(GroupId group,
                                               const AppliedPosition& position,
                                               CatalogSourceParts parts) {
  return std::make_unique<CatalogSource>(group, position, std::move(parts));
}

std::string EncodeHeld(std::span<const ShardChange> shards) {
  std::string held;
  AppendLittle(kVersion, &held);
  for (const ShardChange& shard : shards) {
    AppendLittle(shard.shard.stream.value(), &held);
    AppendLittle(shard.shard.shard.value(), &held);
    AppendLittle(shard.record.next, &held);
  }
  return held;
}

absl::StatusOr<HeldShards> DecodeHeld(absl::string_view held) {
  HeldShards shards;
  if (held.empty()) return shards;  // Nothing is held.
  ByteCursor cursor(held);
  uint8_t version = 0;
  if (!cursor.TakeLittle(&version) || version != kVersion)
    return Malformed("unknown version of what is held");
  while (!cursor.empty()) {
    ShardKey shard;
    Counter next = 0;
    if (!TakeShard(&cursor, &shard) || !cursor.TakeLittle(&next))
      return Malformed("what is held ends in the middle");
    shards[shard] = next;
  }
  return shards;
}

// --- the receiving side ---

absl::Status GroupInstall::Add(GroupId group, absl::string_view chunk,
                               std::vector<BlockView>* blocks) {
  ByteCursor cursor(chunk);
  uint32_t crc = 0;
  uint8_t version = 0;
  uint32_t chunk_group = 0;
  if (!cursor.TakeLittle(&crc) || crc != Crc32c(cursor.rest()))
    return Malformed("checksum differs");
  if (!cursor.TakeLittle(&version) || version != kVersion)
    return Malformed("unknown version");
  if (!cursor.TakeLittle(&chunk_group) || chunk_group != group.value())
    return Malformed("it is of another group");
  for (bool is_first = true; !cursor.empty(); is_first = false)
    RETURN_IF_ERROR(AddItem(group, is_first, &cursor, blocks));
  return absl::OkStatus();
}

absl::Status GroupInstall::AddItem(GroupId group, bool is_first,
                                   ByteCursor* chunk,
                                   std::vector<BlockView>* blocks) {
  uint8_t item = 0;
  chunk->TakeLittle(&item);
  if (static_cast<Item>(item) == Item::kBegin && is_first) return Begin(chunk);
  if (!begun_ || complete_) return Malformed("it is out of order");
  switch (static_cast<Item>(item)) {
    case Item::kShard:
      return AddShard(chunk);
    case Item::kBlock:
      return AddBlock(group, chunk, blocks);
    case Item::kStream:
      return AddStream(chunk);
    case Item::kNextStreamId:
      if (!chunk->TakeLittle(&next_stream_id_)) return Malformed("cut short");
      return absl::OkStatus();
    case Item::kClaims:
      return AddClaims(chunk);
    case Item::kProducer:
      return AddProducer(chunk);
    case Item::kAccount:
      return AddAccount(chunk);
    case Item::kConsumerGroup:
      return AddConsumerGroup(chunk);
    case Item::kItemTable:
      return AddItemTable(chunk);
    case Item::kEnd:
      complete_ = true;
      return absl::OkStatus();
    case Item::kBegin:
      return Malformed("it begins anew in its middle");
  }
  return Malformed(absl::StrCat("unknown item ", item));
}

absl::Status GroupInstall::Begin(ByteCursor* chunk) {
  *this = GroupInstall();
  begun_ = true;
  if (!chunk->TakeLittle(&position_.index) ||
      !chunk->TakeLittle(&position_.term) ||
      !chunk->TakeLittle(&position_.stamp_ms))
    return Malformed("cut short");
  return absl::OkStatus();
}

absl::Status GroupInstall::AddShard(ByteCursor* chunk) {
  ShardKey shard;
  absl::string_view row;
  if (!TakeShard(chunk, &shard) || !TakeSized(chunk, &row))
    return Malformed("cut short");
  ASSIGN_OR_RETURN(ShardRecord record, DecodeShardRecord(row));
  shards_.push_back({shard, record});
  return absl::OkStatus();
}

absl::Status GroupInstall::AddBlock(GroupId group, ByteCursor* chunk,
                                    std::vector<BlockView>* blocks) {
  BlockId id;
  id.group = group;
  absl::string_view value;
  if (!TakeShard(chunk, &id.shard) || !chunk->TakeLittle(&id.first) ||
      !TakeSized(chunk, &value))
    return Malformed("cut short");
  ASSIGN_OR_RETURN(BlockView block, VerifyBlock(BlockKey(id).view(), value));
  if (CounterIndex(id.first) > position_.index)
    return Malformed("a block beyond the source's position");
  blocks->push_back(block);
  return absl::OkStatus();
}

uint32_t GroupInstall::RetentionHoursOf(ShardKey shard) const {
  const auto found = std::lower_bound(
      shards_.begin(), shards_.end(), shard,
      [](const ShardChange& a, const ShardKey& b) { return a.shard < b; });
  if (found == shards_.end() || found->shard != shard)
    return kRetentionHoursMin;
  return found->record.retention_hours;
}

absl::Status GroupInstall::AddClaims(ByteCursor* chunk) {
  absl::string_view row;
  if (!TakeSized(chunk, &row)) return Malformed("cut short");
  ASSIGN_OR_RETURN(claims_, DecodeClaims(row));
  return absl::OkStatus();
}

absl::Status GroupInstall::AddProducer(ByteCursor* chunk) {
  ShardKey shard;
  ProducerRowId id;
  absl::string_view bytes;
  if (!TakeShard(chunk, &shard) || !chunk->TakeLittle(&id.index) ||
      !chunk->TakeLittle(&id.ordinal) || !TakeSized(chunk, &bytes))
    return Malformed("cut short");
  ASSIGN_OR_RETURN(ProducerRow row, DecodeProducerRow(bytes));
  // They are built from in this order.
  if (!producers_.empty() &&
      std::tie(producers_.back().shard, producers_.back().id) >=
          std::tie(shard, id))
    return Malformed("producers are out of order");
  producers_.push_back({shard, id, std::move(row)});
  return absl::OkStatus();
}

absl::Status GroupInstall::AddStream(ByteCursor* chunk) {
  absl::string_view row;
  if (!TakeSized(chunk, &row)) return Malformed("cut short");
  ASSIGN_OR_RETURN(std::shared_ptr<const Stream> stream, DecodeStream(row));
  streams_.push_back(std::move(stream));
  return absl::OkStatus();
}

absl::Status GroupInstall::AddAccount(ByteCursor* chunk) {
  absl::string_view row;
  if (!TakeSized(chunk, &row)) return Malformed("cut short");
  ASSIGN_OR_RETURN(account_, DecodeAccount(row));
  return absl::OkStatus();
}

absl::Status GroupInstall::AddConsumerGroup(ByteCursor* chunk) {
  absl::string_view key;
  absl::string_view row;
  if (!TakeSized(chunk, &key) || !TakeSized(chunk, &row))
    return Malformed("cut short");
  return AddGroupRow(key, row, &groups_);
}

absl::Status GroupInstall::AddItemTable(ByteCursor* chunk) {
  absl::string_view key;
  absl::string_view row;
  if (!TakeSized(chunk, &key) || !TakeSized(chunk, &row))
    return Malformed("cut short");
  return AddTableRow(key, row, &tables_);
}

}  // namespace trireme
