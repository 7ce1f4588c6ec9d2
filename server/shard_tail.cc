#include "server/shard_tail.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/check.h"
#include "storage/entry_payload.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

// What a block costs besides its records.
constexpr uint64_t kBlockOverheadBytes = 256;
// Waiters woken by one job: with many, several threads share the work.
constexpr size_t kWakesPerJob = 64;

}  // namespace

absl::StatusOr<EncodedBatch> TailBlock::Encode(const Shard& shard,
                                               bool* fresh) {
  absl::MutexLock lock(&mu_);
  *fresh = encoded_ == nullptr;
  if (*fresh) {
    absl::StatusOr<std::string> bytes = EncodeRecords(
        {shard.index, shard.created_s, first_, arrival_ms_}, batch_);
    if (!bytes.ok()) return bytes.status();
    encoded_ = std::make_shared<const std::string>(*std::move(bytes));
    batch_ = absl::string_view();
    payload_.reset();
  }
  return EncodedBatch{encoded_, first_, record_count_, arrival_ms_};
}

void ShardTails::OnApplied(const CommittedEntry& entry,
                           const ApplyResult& result) {
  if (!entry.has_payload) return;
  // Only entries of records have results of batches, and none if the state had
  // applied them before the start.
  if (result.batches.empty()) return OnCommand(entry, result);
  Waiters woken;
  std::vector<Aged> excess;
  {
    absl::MutexLock lock(&mu_);
    for (const AppliedBatch& applied : result.batches) {
      const ShardBatch& batch = applied.written;
      if (!applied.status.ok() || batch.record_count == 0) continue;
      Add(batch.shard, entry.group,
          std::make_shared<TailBlock>(
              MakeCounter(entry.index, 0), batch.record_count, result.stamp_ms,
              applied.rebuilt == nullptr ? entry.payload : applied.rebuilt,
              batch.batch),
          batch.batch.size(), &woken);
    }
    excess = TakeExcess();
  }
  Wake(std::move(woken));
}

void ShardTails::OnCommand(const CommittedEntry& entry,
                           const ApplyResult& result) {
  const absl::StatusOr<DecodedPayload> decoded = DecodePayload(*entry.payload);
  CHECK(decoded.ok(), "an applied entry is malformed");
  if (decoded->kind != PayloadKind::kCommand || !result.status.ok()) return;
  const absl::string_view bytes = decoded->command;
  v1::Command command;
  CHECK(command.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
        "an applied command is malformed");
  Waiters woken;
  {
    absl::MutexLock lock(&mu_);
    if (command.has_seal_shards()) {
      const StreamId stream(command.seal_shards().stream_id());
      for (const uint32_t shard : command.seal_shards().shards()) {
        const auto tail = tails_.find({stream, ShardIndex(shard)});
        if (tail == tails_.end()) continue;
        std::move(tail->second.waiters.begin(), tail->second.waiters.end(),
                  std::back_inserter(woken));
        tail->second.waiters.clear();
      }
    } else if (command.has_drop_shards()) {
      const StreamId stream(command.drop_shards().stream_id());
      for (const uint32_t shard : command.drop_shards().shards()) {
        Forget({stream, ShardIndex(shard)}, &woken);
      }
    }
  }
  Wake(std::move(woken));
}

void ShardTails::OnStateReplaced(GroupId group) {
  Waiters woken;
  {
    absl::MutexLock lock(&mu_);
    std::vector<ShardKey> replaced;
    for (const auto& [shard, tail] : tails_) {
      // A tail that only has waiters does not know its group: wake it too.
      if (!tail.known || tail.group == group) replaced.push_back(shard);
    }
    for (const ShardKey& shard : replaced) Forget(shard, &woken);
  }
  Wake(std::move(woken));
}

void ShardTails::Add(ShardKey shard, GroupId group,
                     std::shared_ptr<TailBlock> block, size_t bytes,
                     Waiters* woken) {
  Tail& tail = tails_[shard];
  if (!tail.known) {
    tail.known = true;
    tail.group = group;
    tail.held_from = block->first();
  }
  // Entries that are applied again after a start are known to the state, not
  // to us; within one run a shard's blocks only grow.
  if (block->first() < tail.tip) return;
  tail.tip = block->next();
  tail.newest_ms = block->arrival_ms();
  block->charged_bytes_ = bytes + kBlockOverheadBytes;
  held_bytes_ += block->charged_bytes_;
  by_age_.push_back({shard, block});
  tail.blocks.push_back(std::move(block));
  std::move(tail.waiters.begin(), tail.waiters.end(),
            std::back_inserter(*woken));
  tail.waiters.clear();
}

void ShardTails::Forget(ShardKey shard, Waiters* woken) {
  const auto found = tails_.find(shard);
  if (found == tails_.end()) return;
  std::move(found->second.waiters.begin(), found->second.waiters.end(),
            std::back_inserter(*woken));
  // Its blocks stay charged, and in by_age_, until their turn comes.
  tails_.erase(found);
}

std::vector<ShardTails::Aged> ShardTails::TakeExcess() {
  std::vector<Aged> excess;
  while (held_bytes_ > bytes_max_ && !by_age_.empty()) {
    Aged& oldest = by_age_.front();
    held_bytes_ -= oldest.block->charged_bytes_;
    oldest.block->charged_bytes_ = 0;
    const auto tail = tails_.find(oldest.shard);
    if (tail != tails_.end() && !tail->second.blocks.empty() &&
        tail->second.blocks.front() == oldest.block) {
      tail->second.blocks.pop_front();
      tail->second.held_from = oldest.block->next();
    }
    excess.push_back(std::move(oldest));
    by_age_.pop_front();
  }
  return excess;
}

ShardTails::Found ShardTails::Find(ShardKey shard, Counter from,
                                   size_t bytes_max, size_t blocks_max) const {
  Found found;
  absl::MutexLock lock(&mu_);
  const auto entry = tails_.find(shard);
  if (entry == tails_.end() || !entry->second.known) return found;
  const Tail& tail = entry->second;
  found.tip = tail.tip;
  found.newest_ms = tail.newest_ms;
  if (from >= tail.tip) {
    found.place = Place::kTip;
    return found;
  }
  if (from < tail.held_from) {
    found.place = Place::kBefore;
    return found;
  }
  found.place = Place::kHeld;
  auto block = std::partition_point(
      tail.blocks.begin(), tail.blocks.end(),
      [from](const auto& held) { return held->next() <= from; });
  size_t bytes = 0;
  for (; block != tail.blocks.end() && found.blocks.size() < blocks_max &&
         bytes < bytes_max;
       ++block) {
    bytes += (*block)->charged_bytes_;
    found.blocks.push_back(*block);
  }
  return found;
}

absl::StatusOr<EncodedBatch> ShardTails::Encode(TailBlock& block,
                                                const Shard& shard) {
  bool fresh = false;
  absl::StatusOr<EncodedBatch> encoded = block.Encode(shard, &fresh);
  if (!encoded.ok() || !fresh) return encoded;
  // Small records grow several times over when they are encoded: the bound
  // holds for what is in memory, not for what came in.
  std::vector<Aged> excess;
  absl::MutexLock lock(&mu_);
  if (block.charged_bytes_ > 0) {
    held_bytes_ -= block.charged_bytes_;
    block.charged_bytes_ = encoded->bytes->size() + kBlockOverheadBytes;
    held_bytes_ += block.charged_bytes_;
    excess = TakeExcess();
  }
  return encoded;
}

bool ShardTails::Wait(ShardKey shard, Counter from,
                      std::shared_ptr<TailWaiter> waiter) {
  absl::MutexLock lock(&mu_);
  Tail& tail = tails_[shard];
  if (tail.known && tail.tip > from) return false;
  tail.waiters.push_back(std::move(waiter));
  return true;
}

void ShardTails::StopWaiting(ShardKey shard, const TailWaiter* waiter) {
  std::shared_ptr<TailWaiter> removed;  // Destroyed without the lock.
  absl::MutexLock lock(&mu_);
  const auto found = tails_.find(shard);
  if (found == tails_.end()) return;
  Tail& tail = found->second;
  const auto at = std::find_if(
      tail.waiters.begin(), tail.waiters.end(),
      [waiter](const auto& waiting) { return waiting.get() == waiter; });
  if (at != tail.waiters.end()) {
    removed = std::move(*at);
    *at = std::move(tail.waiters.back());
    tail.waiters.pop_back();
  }
  // A shard nobody wrote to and nobody waits for needs no tail.
  if (!tail.known && tail.waiters.empty()) tails_.erase(found);
}

uint64_t ShardTails::held_bytes() const {
  absl::MutexLock lock(&mu_);
  return held_bytes_;
}

void ShardTails::Wake(Waiters waiters) {
  for (size_t begin = 0; begin < waiters.size(); begin += kWakesPerJob) {
    const size_t end = std::min(begin + kWakesPerJob, waiters.size());
    wake_pool_->Schedule(
        [part = Waiters(std::make_move_iterator(waiters.begin() + begin),
                        std::make_move_iterator(waiters.begin() + end))] {
          for (const std::shared_ptr<TailWaiter>& waiter : part) {
            waiter->OnTail();
          }
        });
  }
}

}  // namespace trireme
