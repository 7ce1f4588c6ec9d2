#include "storage/producers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/clock.h"
#include "storage/errors.h"
#include "storage/record.h"

namespace trireme {
namespace {

absl::Status Fenced(const ProducerStamp& stamp, uint64_t epoch) {
  return MakeError(
      ErrorReason::kProducerFenced,
      absl::StrCat("producer ", stamp.producer, " has begun epoch ", epoch,
                   "; epoch ", stamp.epoch, " may not put any more"));
}

absl::Status Stale(const ProducerStamp& stamp, uint64_t number,
                   uint64_t oldest_number) {
  return MakeError(
      ErrorReason::kStaleProducerNumber,
      absl::StrCat("number ", number, " of producer ", stamp.producer,
                   " is below ", oldest_number,
                   ", its oldest one whose outcome it did not know yet; "
                   "nothing was written now"));
}

// The records of `batch` that were written.
std::string KeepWritten(absl::string_view batch,
                        const std::vector<RecordFate>& fates) {
  std::string kept;
  kept.reserve(batch.size());
  RecordBatchReader reader(batch);
  RecordView record;
  for (const RecordFate& fate : fates) {
    CHECK(reader.Next(&record), "a batch holds fewer records than it says");
    if (fate.status.ok() && !fate.duplicate) AppendRecord(record, &kept);
  }
  return kept;
}

}  // namespace

SequenceNumber Producers::Row::NumberAt(uint32_t position) const {
  return {shard_created_s, shard, MakeCounter(index, position),
          UnixSecondOf(stamp_ms)};
}

// Goes through one batch from front to back.
class Producers::BatchDecider {
 public:
  BatchDecider(const Shard* shard, const ShardBatch& batch,
               const BatchPlace& place)
      : shard_(shard), batch_(batch), place_(place) {}

  Decision Decide() && {
    for (const StampedRecords& stamped : batch_.stamped) {
      WriteUpTo(stamped.first);
      Add(*stamped.stamp);
    }
    WriteUpTo(batch_.record_count);
    Decision decision;
    for (NewRow& made : rows_) {
      // Whoever is new and was refused all is not known afterwards either.
      const bool stays_unknown =
          made.known == nullptr && made.row.records.empty();
      if (!made.is_news || stays_unknown) continue;
      const auto ordinal = static_cast<uint32_t>(decision.rows.size());
      decision.rows.push_back(
          {batch_.shard, {place_.index, ordinal}, std::move(made.row)});
    }
    decision.batch.written = batch_;
    decision.batch.written.stamped.clear();
    if (written_ == batch_.record_count) return decision;
    decision.batch.rebuilt = MakePayload(KeepWritten(batch_.batch, fates_));
    decision.batch.written.record_count = written_;
    decision.batch.written.batch = *decision.batch.rebuilt;
    decision.batch.fates = std::move(fates_);
    return decision;
  }

 private:
  // What this batch brings of one producer.
  struct NewRow {
    const Producer* known = nullptr;  // Null: of a producer that is new.
    ProducerRow row;
    // Of the row's numbers, once they come out of order.
    absl::flat_hash_map<uint64_t, uint32_t> positions = {};
    uint64_t highest = 0;  // Of the row's numbers.
    bool is_news = false;  // It says what is not known yet.
  };

  SequenceNumber NumberAt(uint32_t position) const {
    return Row{place_.stamp_ms, batch_.shard.shard, place_.shard_created_s,
               place_.index}
        .NumberAt(position);
  }

  // Records that were looked at.
  size_t seen() const { return all_written_ ? written_ : fates_.size(); }

  void Write() {
    if (!all_written_)
      fates_.push_back({absl::OkStatus(), NumberAt(written_), false});
    ++written_;
  }
  void WriteUpTo(uint32_t record) {
    if (all_written_) written_ = record;
    while (seen() < record) Write();
  }
  // The next record is not written. Mostly there is none, and then nobody needs
  // to be told of each.
  void Skip(const RecordFate& fate) {
    if (std::exchange(all_written_, false)) {
      fates_.reserve(batch_.record_count);
      for (uint32_t i = 0; i < written_; ++i)
        fates_.push_back({absl::OkStatus(), NumberAt(i), false});
    }
    fates_.push_back(fate);
  }

  void Add(const ProducerStamp& stamp) {
    NewRow& made = RowOf(stamp);
    if (stamp.epoch < made.row.epoch) {
      const absl::Status fenced = Fenced(stamp, made.row.epoch);
      for (size_t i = 0; i < stamp.numbers.size(); ++i)
        Skip({fenced, {}, false});
      return;
    }
    ProducerRow& row = made.row;
    made.is_news |=
        stamp.epoch > row.epoch || stamp.oldest_number > row.oldest_number;
    row.epoch = stamp.epoch;
    row.oldest_number = std::max(row.oldest_number, stamp.oldest_number);
    for (const uint64_t number : stamp.numbers) AddNumber(stamp, number, made);
  }

  void AddNumber(const ProducerStamp& stamp, uint64_t number, NewRow& made) {
    if (number < made.row.oldest_number) {
      Skip({Stale(stamp, number, made.row.oldest_number), {}, false});
      return;
    }
    if (const auto before = FindWritten(made, number)) {
      Skip({absl::OkStatus(), *before, true});
      return;
    }
    if (IsFull(made)) {
      Skip({Full(batch_.shard, *shard_), {}, false});
      return;
    }
    made.is_news = true;
    made.highest = std::max(made.highest, number);
    made.row.records.push_back({number, written_});
    Write();
  }

  std::optional<SequenceNumber> FindWritten(NewRow& made,
                                            uint64_t number) const {
    if (made.known != nullptr && !made.known->numbers.empty() &&
        number <= made.known->numbers.rbegin()->first) {
      const auto found = made.known->numbers.find(number);
      if (found != made.known->numbers.end()) {
        return made.known->rows.at(found->second.row)
            .NumberAt(found->second.position);
      }
    }
    if (number > made.highest) return std::nullopt;
    for (size_t i = made.positions.size(); i < made.row.records.size(); ++i) {
      const NumberedRecord& record = made.row.records[i];
      made.positions.emplace(record.number, record.position);
    }
    const auto here = made.positions.find(number);
    if (here == made.positions.end()) return std::nullopt;
    return NumberAt(here->second);
  }

  NewRow& RowOf(const ProducerStamp& stamp) {
    const auto [at, is_first] =
        row_of_.try_emplace(stamp.producer, rows_.size());
    if (!is_first) return rows_[at->second];
    NewRow& made = rows_.emplace_back();
    made.row.producer = stamp.producer;
    made.row.stamp_ms = place_.stamp_ms;
    made.row.shard = batch_.shard.shard;
    made.row.shard_created_s = place_.shard_created_s;
    made.row.index = place_.index;
    if (shard_ == nullptr) return made;
    const auto known = shard_->producers.find(stamp.producer);
    if (known == shard_->producers.end()) return made;
    made.known = &known->second;
    made.row.epoch = known->second.epoch;
    made.row.oldest_number = known->second.oldest_number;
    return made;
  }

  // Whether one more number of the producer would be too much. What is known
  // already never is: else nobody could settle anything in a full shard.
  bool IsFull(const NewRow& made) const {
    if (shard_ == nullptr || shard_->by_newest_row.empty()) return false;
    const bool is_new = made.known == nullptr;
    if (shard_->numbers < kShardNumbersMax &&
        (!is_new || shard_->producers.size() < kShardProducersMax))
      return false;
    const auto& [row, idlest] = *shard_->by_newest_row.begin();
    const int64_t idle_ms =
        place_.stamp_ms - shard_->producers.at(idlest).rows.at(row).stamp_ms;
    // Its place is taken when the row is added.
    return idle_ms <= kProducerIdleMinMs;
  }

  static absl::Status Full(ShardKey shard, const Shard& known) {
    return MakeError(
        ErrorReason::kLimitExceeded,
        absl::StrCat("shard ", shard.shard.value(), " of stream ",
                     shard.stream.value(), " knows ", known.producers.size(),
                     " active producers with ", known.numbers,
                     " numbers that they may send again; the limits are ",
                     kShardProducersMax, " and ", kShardNumbersMax));
  }

  const Shard* const shard_;  // Null: it knows no producers.
  const ShardBatch& batch_;
  const BatchPlace place_;
  bool all_written_ = true;
  std::vector<RecordFate>
      fates_;             // Of the records up to here, if not all were.
  uint32_t written_ = 0;  // Of the records up to here.
  std::vector<NewRow> rows_;
  absl::flat_hash_map<absl::string_view, size_t> row_of_;  // By producer.
};

Producers::Decision Producers::Decide(const ShardBatch& batch,
                                      const BatchPlace& place) const {
  return BatchDecider(FindShard(batch.shard), batch, place).Decide();
}

const Producers::Shard* Producers::FindShard(ShardKey shard) const {
  const auto found = shards_.find(shard);
  return found == shards_.end() ? nullptr : &found->second;
}

void Producers::Add(PlacedProducerRow placed) {
  const ShardKey shard = placed.shard;
  const int64_t now_ms = placed.row.stamp_ms;
  Restore(std::move(placed));
  Evict(shard, shards_[shard], now_ms);
}

void Producers::Restore(PlacedProducerRow placed) {
  ProducerRow& row = placed.row;
  Shard& shard = shards_[placed.shard];
  Producer& producer = shard.producers[row.producer];
  if (!producer.rows.empty())
    shard.by_newest_row.erase(producer.rows.rbegin()->first);
  producer.epoch = std::max(producer.epoch, row.epoch);
  producer.oldest_number = std::max(producer.oldest_number, row.oldest_number);
  Row& held = producer.rows[placed.id];
  held = {row.stamp_ms, row.shard, row.shard_created_s, row.index, 0};
  for (const NumberedRecord& record : row.records) {
    const size_t before = producer.numbers.size();
    producer.numbers.try_emplace(producer.numbers.end(), record.number,
                                 Place{placed.id, record.position});
    if (producer.numbers.size() == before) continue;
    ++held.live;
    ++shard.numbers;
  }
  Trim(placed.shard, shard, producer);
  shard.by_newest_row.emplace(placed.id, std::move(row.producer));
}

void Producers::Trim(ShardKey key, Shard& shard, Producer& producer) {
  const ProducerRowId newest = producer.rows.rbegin()->first;
  const auto bury_if_dead =
      [&](absl::btree_map<ProducerRowId, Row>::iterator row) {
        if (row->second.live > 0 || row->first == newest) return;
        dead_.push_back({key, row->first});
        producer.rows.erase(row);
      };
  // The one that was newest before stood for the producer without numbers too.
  if (producer.rows.size() > 1) bury_if_dead(std::prev(producer.rows.end(), 2));
  while (!producer.numbers.empty() &&
         producer.numbers.begin()->first < producer.oldest_number) {
    const auto row = producer.rows.find(producer.numbers.begin()->second.row);
    --row->second.live;
    --shard.numbers;
    producer.numbers.erase(producer.numbers.begin());
    bury_if_dead(row);
  }
}

void Producers::Evict(ShardKey key, Shard& shard, int64_t now_ms) {
  while (!shard.by_newest_row.empty()) {
    const auto idlest = shard.by_newest_row.begin();
    const auto producer = shard.producers.find(idlest->second);
    const int64_t idle_ms =
        now_ms - producer->second.rows.at(idlest->first).stamp_ms;
    const bool is_full = shard.producers.size() > kShardProducersMax ||
                         shard.numbers > kShardNumbersMax;
    if (idle_ms <= (is_full ? kProducerIdleMinMs : kProducerIdleMaxMs)) return;
    for (const auto& [id, row] : producer->second.rows)
      dead_.push_back({key, id});
    shard.numbers -= producer->second.numbers.size();
    shard.producers.erase(producer);
    shard.by_newest_row.erase(idlest);
  }
}

void Producers::Drop(ShardKey key) {
  const auto found = shards_.find(key);
  if (found == shards_.end()) return;
  for (const auto& [name, producer] : found->second.producers) {
    for (const auto& [id, row] : producer.rows) dead_.push_back({key, id});
  }
  shards_.erase(found);
}

std::vector<Producers::DeadRow> Producers::TakeDead() {
  return std::exchange(dead_, {});
}

}  // namespace trireme
