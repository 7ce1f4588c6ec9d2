#include "replication/shard_rates.h"

#include <algorithm>
#include <utility>

#include "storage/errors.h"
#include "storage/record.h"

namespace trireme {
namespace {

// What is counted of a record's bytes.
uint64_t CountedBytes(const RecordView& record) {
  return record.partition_key.size() + record.data.size();
}

}  // namespace

absl::Status RateExceeded(absl::Duration wait) {
  return WithRetryAfter(
      MakeError(ErrorReason::kProvisionedThroughputExceeded, "Rate exceeded"),
      wait);
}

ProposalOutcome PutCut::Complete(ProposalOutcome outcome) const {
  if (!outcome.status.ok()) return outcome;
  std::vector<PutPlace> places;
  size_t next = 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] == 0) {
      places.push_back({RateExceeded(wait), 0, 0});
      continue;
    }
    places.push_back(std::move(outcome.places[next++]));
    // Another leader may have refused more of them.
    places.back().refused += refused[i];
  }
  outcome.places = std::move(places);
  return outcome;
}

std::optional<PutCut> ShardRates::Take(const ProposalBody& body,
                                       absl::Duration now) {
  std::optional<PutCut> cut;
  for (size_t i = 0; i < body.puts.size(); ++i) {
    const PutBatch& put = body.puts[i];
    const Taken taken = TakeFrom(put, now);
    if (taken.records == put.record_count && !cut.has_value()) continue;
    if (!cut.has_value()) {
      cut.emplace();
      cut->body = std::make_shared<ProposalBody>();
      cut->wait = taken.wait;
      for (size_t j = 0; j < i; ++j) {
        cut->body->puts.push_back(body.puts[j]);
        cut->kept.push_back(body.puts[j].record_count);
        cut->refused.push_back(0);
      }
    }
    cut->kept.push_back(taken.records);
    cut->refused.push_back(put.record_count - taken.records);
    if (taken.records == 0) continue;
    cut->body->puts.push_back(put.Front(taken.records, taken.batch_bytes));
  }
  MaybePrune(now);
  return cut;
}

ShardRates::Taken ShardRates::TakeFrom(const PutBatch& put,
                                       absl::Duration now) {
  ShardRate& shard = shards_[put.shard];
  if (!shard.limited.has_value())
    shard.limited = limits_.hold_for(put.shard.stream);
  Taken taken{put.record_count, put.batch.size(), absl::ZeroDuration()};
  if (!shard.limited.value_or(true)) return taken;
  uint64_t bytes =
      put.batch.size() - uint64_t{put.record_count} * kRecordHeaderBytes;
  if (WaitFor(shard, put.record_count, bytes, now) > absl::ZeroDuration()) {
    taken = {};
    bytes = 0;
    RecordBatchReader reader(put.batch);
    for (RecordView record; reader.Next(&record);) {
      taken.wait =
          WaitFor(shard, taken.records + 1, bytes + CountedBytes(record), now);
      if (taken.wait > absl::ZeroDuration()) break;
      ++taken.records;
      bytes += CountedBytes(record);
      taken.batch_bytes += EncodedRecordBytes(record);
    }
  }
  shard.records.Take(limits_.records, taken.records, now);
  shard.bytes.Take(limits_.bytes, bytes, now);
  return taken;
}

absl::Duration ShardRates::WaitFor(const ShardRate& shard, uint32_t records,
                                   uint64_t bytes, absl::Duration now) const {
  // What is more than a full bucket holds never passes as a whole: it is cut.
  // One record may be as large as the burst, and no larger.
  if (records > 1 &&
      (records > limits_.records.burst || bytes > limits_.bytes.burst)) {
    return RefillTime(limits_.records, 1);
  }
  return std::max(shard.records.WaitFor(limits_.records, records, now),
                  shard.bytes.WaitFor(limits_.bytes, bytes, now));
}

void ShardRates::MaybePrune(absl::Duration now) {
  if (shards_.size() < prune_at_) return;
  absl::erase_if(shards_, [now](const auto& entry) {
    return entry.second.records.IsFull(now) && entry.second.bytes.IsFull(now);
  });
  prune_at_ = std::max<size_t>(1024, 2 * shards_.size());
}

}  // namespace trireme
