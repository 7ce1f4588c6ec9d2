#include "server/shard_reader.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/resource_names.h"
#include "storage/errors.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

// Blocks of one read: bounds the slices of one answer.
constexpr size_t kBlocksPerRead = 1024;

absl::Status NotHere(const Stream& stream, const Shard& shard) {
  return MakeError(ErrorReason::kResourceNotFound,
                   absl::StrCat("Shard ", ShardIdToString(shard.index),
                                " in stream ", stream.name, " does not exist"));
}

// Fills in what follows from where the run ended. `tip` and `newest_ms` are
// of a moment before the records were read.
void Conclude(Counter tip, int64_t newest_ms, bool closed, ShardRead* read) {
  read->at_tip = read->run.next >= tip;
  read->at_end = read->at_tip && closed;
  if (read->at_tip) return;
  // Behind means more than nothing, also within one millisecond.
  read->millis_behind_latest =
      std::max<int64_t>(1, newest_ms - read->run.last_arrival_ms);
}

}  // namespace

absl::StatusOr<std::optional<ShardRead>> ShardReader::ReadMemory(
    const Stream& stream, const Shard& shard, Counter from,
    const RunLimits& limits) const {
  const ShardKey key{stream.id, shard.index};
  // Taken first: a closed shard's last records are in the tail already.
  const ShardState state = state_->GetShardState(shard.group, key);
  if (!state.exists) return NotHere(stream, shard);

  ShardRead read;
  read.run.next = from;
  const ShardTails::Found found =
      tails_->Find(key, from, limits.bytes_max, kBlocksPerRead);
  // A catch-up shows what it brought, an end maybe, in the state first: until
  // the tail is forgotten, its tip is not the shard's.
  const Counter tip = std::max(found.tip, state.next);
  const int64_t newest_ms = std::max(found.newest_ms, state.last_arrival_ms);
  switch (found.place) {
    case ShardTails::Place::kBefore:
      return std::nullopt;
    case ShardTails::Place::kUnknown:
      if (from < state.next) return std::nullopt;
      Conclude(state.next, state.last_arrival_ms, state.end.has_value(), &read);
      return read;
    case ShardTails::Place::kTip:
      Conclude(tip, newest_ms, state.end.has_value(), &read);
      return read;
    case ShardTails::Place::kHeld:
      break;
  }
  // Expired records of a quiet shard may still be in memory: let the log,
  // which skips what is expired, find the first that is not.
  if (found.blocks.front()->arrival_ms() < HorizonMs(stream)) {
    return std::nullopt;
  }
  for (const std::shared_ptr<TailBlock>& block : found.blocks) {
    ASSIGN_OR_RETURN(const EncodedBatch batch, tails_->Encode(*block, shard));
    if (!AppendToRun(batch, limits, &read.run)) break;
  }
  Conclude(tip, newest_ms, state.end.has_value(), &read);
  return read;
}

absl::StatusOr<ShardRead> ShardReader::ReadLog(const Stream& stream,
                                               const Shard& shard, Counter from,
                                               const RunLimits& limits) const {
  const ShardKey key{stream.id, shard.index};
  const ShardState state = state_->GetShardState(shard.group, key);
  if (!state.exists) return NotHere(stream, shard);

  ASSIGN_OR_RETURN(
      const std::vector<Block> blocks,
      state_->shard_log().Read(shard.group, key, from, limits.bytes_max,
                               HorizonMs(stream)));
  ShardRead read;
  read.run.next = from;
  // Nothing unexpired up to where the shard stood: go on from there.
  if (blocks.empty()) read.run.next = std::max(from, state.next);
  for (const Block& block : blocks) {
    ASSIGN_OR_RETURN(std::string bytes,
                     EncodeRecords({shard.index, shard.created_s, block.first,
                                    block.arrival_ms},
                                   block.batch));
    const EncodedBatch batch{
        std::make_shared<const std::string>(std::move(bytes)), block.first,
        block.record_count, block.arrival_ms};
    if (!AppendToRun(batch, limits, &read.run)) break;
  }
  Conclude(state.next, state.last_arrival_ms, state.end.has_value(), &read);
  return read;
}

absl::StatusOr<Counter> ShardReader::FindTime(const Stream& stream,
                                              const Shard& shard,
                                              absl::Time time) const {
  return state_->shard_log().FindTime(shard.group, {stream.id, shard.index},
                                      absl::ToUnixMillis(time));
}

ShardState ShardReader::StateOf(const Stream& stream,
                                const Shard& shard) const {
  return state_->GetShardState(shard.group, {stream.id, shard.index});
}

int64_t ShardReader::HorizonMs(const Stream& stream) const {
  return stream.TrimHorizonMs(clock_->WallNow());
}

}  // namespace trireme
