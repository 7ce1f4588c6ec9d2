#include "server/load_meter.h"

#include <utility>

#include "storage/record.h"

namespace trireme {
namespace {

constexpr int64_t kSliceMs = 5'000;
const int64_t kWindowMs = absl::ToInt64Milliseconds(LoadMeter::kWindow);

}  // namespace

void LoadMeter::Measure(const absl::flat_hash_set<StreamId>& streams,
                        int64_t now_ms) {
  absl::MutexLock lock(&mu_);
  absl::erase_if(since_ms_, [&](const auto& stream) {
    return !streams.contains(stream.first);
  });
  for (const StreamId stream : streams) since_ms_.try_emplace(stream, now_ms);
  absl::erase_if(meters_, [&](const auto& meter) {
    // Shards that nothing was written to for long are forgotten too.
    return !streams.contains(meter.first.stream) ||
           meter.second.slices.back().begin_ms + kSliceMs < now_ms - kWindowMs;
  });
  measures_ = !streams.empty();
}

bool LoadMeter::HasWindow(StreamId stream, int64_t now_ms) const {
  absl::MutexLock lock(&mu_);
  const auto since = since_ms_.find(stream);
  return since != since_ms_.end() && since->second + kWindowMs <= now_ms;
}

ShardLoad LoadMeter::LoadOf(ShardKey shard, int64_t now_ms) const {
  ShardLoad load;
  uint64_t bytes = 0;
  uint64_t records = 0;
  absl::MutexLock lock(&mu_);
  const auto found = meters_.find(shard);
  if (found == meters_.end()) return load;
  for (const Slice& slice : found->second.slices) {
    if (slice.begin_ms < now_ms - kWindowMs) continue;
    bytes += slice.bytes;
    records += slice.records;
    load.samples.insert(load.samples.end(), slice.samples.begin(),
                        slice.samples.end());
  }
  const double seconds = absl::ToDoubleSeconds(kWindow);
  load.bytes_per_second = static_cast<double>(bytes) / seconds;
  load.records_per_second = static_cast<double>(records) / seconds;
  return load;
}

void LoadMeter::OnApplied(const CommittedEntry&, const ApplyResult& result) {
  if (!measures_ || result.batches.empty()) return;
  absl::MutexLock lock(&mu_);
  for (const AppliedBatch& applied : result.batches) {
    const ShardBatch& batch = applied.written;
    if (!applied.status.ok() || !since_ms_.contains(batch.shard.stream))
      continue;
    Add(batch.batch, result.stamp_ms, &meters_[batch.shard]);
  }
}

void LoadMeter::OnStateReplaced(GroupId) {}

void LoadMeter::Add(absl::string_view batch, int64_t stamp_ms, Meter* meter) {
  std::deque<Slice>& slices = meter->slices;
  if (slices.empty() || stamp_ms >= slices.back().begin_ms + kSliceMs)
    slices.push_back({stamp_ms, 0, 0, {}});
  while (slices.front().begin_ms < stamp_ms - kWindowMs - kSliceMs)
    slices.pop_front();
  Slice& slice = slices.back();
  RecordBatchReader reader(batch);
  RecordView record;
  while (reader.Next(&record)) {
    const uint64_t bytes = record.partition_key.size() + record.data.size();
    slice.bytes += bytes;
    ++slice.records;
    meter->bytes_unsampled += bytes;
    ++meter->records_unsampled;
    if (meter->bytes_unsampled < kSampleBytes &&
        meter->records_unsampled < kSampleRecords)
      continue;
    meter->bytes_unsampled = 0;
    meter->records_unsampled = 0;
    slice.samples.push_back(HashPartitionKey(record.partition_key));
  }
}

}  // namespace trireme
