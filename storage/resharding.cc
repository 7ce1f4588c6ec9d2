#include "storage/resharding.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

// A new boundary this part of a shard away from an old one is moved onto it.
constexpr uint32_t kSliver = 1024;

absl::StatusOr<const Shard*> FindOpen(const Stream& stream, ShardIndex index) {
  const Shard* const shard = stream.FindShard(index);
  if (shard == nullptr) {
    return MakeError(
        ErrorReason::kResourceNotFound,
        absl::StrCat("Shard ", ShardIdToString(index), " in stream ",
                     stream.name, " does not exist"));
  }
  if (shard->end.has_value()) {
    return MakeError(ErrorReason::kInvalidArgument,
                     absl::StrCat("Shard ", ShardIdToString(index),
                                  " in stream ", stream.name, " is closed"));
  }
  return shard;
}

Shard ChildOf(HashKeyRange range) {
  Shard child;
  child.range = range;
  return child;
}

Reshard SplitBefore(const Shard& shard, HashKey new_start) {
  return {{shard.index},
          {ChildOf({shard.range.start, new_start - 1}),
           ChildOf({new_start, shard.range.end})}};
}

Reshard Merge(const Shard& shard, const Shard& adjacent) {
  return {{shard.index, adjacent.index},
          {ChildOf({std::min(shard.range.start, adjacent.range.start),
                    std::max(shard.range.end, adjacent.range.end)})}};
}

bool AreNeighbours(const Shard& lower, const Shard& upper) {
  return lower.range.end < upper.range.start &&
         lower.range.end + 1 == upper.range.start;
}

// Where the shards of a stream of `target` would start, ascending, moved onto
// the starts of shards that are open now where they nearly meet them.
std::vector<HashKey> TargetStarts(const Stream& stream, uint32_t target) {
  std::vector<HashKey> starts;
  starts.reserve(target);
  size_t at = 0;  // The first open shard that starts at or after the target's.
  for (const HashKeyRange& range : DivideHashKeySpace(target)) {
    const HashKey near = (range.end - range.start) / kSliver;
    const auto start_of = [&stream](size_t i) {
      return stream.shards[stream.open[i]].range.start;
    };
    while (at < stream.open.size() && start_of(at) < range.start) ++at;
    HashKey start = range.start;
    if (at < stream.open.size() && start_of(at) - start <= near) {
      start = start_of(at);
    } else if (at > 0 && start - start_of(at - 1) <= near) {
      start = start_of(at - 1);
    }
    starts.push_back(start);
  }
  return starts;
}

std::vector<Reshard> PlanSplits(const Stream& stream,
                                const std::vector<HashKey>& starts) {
  std::vector<Reshard> splits;
  for (const uint32_t position : stream.open) {
    const Shard& shard = stream.shards[position];
    const auto first =
        std::upper_bound(starts.begin(), starts.end(), shard.range.start);
    const auto last =
        std::upper_bound(starts.begin(), starts.end(), shard.range.end);
    if (first == last) continue;
    splits.push_back(SplitBefore(shard, *(first + (last - first) / 2)));
  }
  return splits;
}

std::vector<Reshard> PlanMerges(const Stream& stream,
                                const std::vector<HashKey>& starts) {
  std::vector<Reshard> merges;
  const Shard* unpaired = nullptr;
  for (const uint32_t position : stream.open) {
    const Shard& shard = stream.shards[position];
    if (std::binary_search(starts.begin(), starts.end(), shard.range.start)) {
      unpaired = &shard;  // The first one inside a new range.
    } else if (unpaired == nullptr) {
      unpaired = &shard;
    } else {
      merges.push_back(Merge(*unpaired, shard));
      unpaired = nullptr;
    }
  }
  return merges;
}

}  // namespace

absl::StatusOr<Reshard> PlanSplit(const Stream& stream, ShardIndex index,
                                  HashKey new_start) {
  ASSIGN_OR_RETURN(const Shard* shard, FindOpen(stream, index));
  const HashKeyRange& range = shard->range;
  // Written so that nothing wraps at the ends of the space.
  if (new_start <= range.start || new_start - range.start == 1 ||
      new_start >= range.end) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("NewStartingHashKey ", HashKeyToString(new_start),
                     " is not both greater than one plus ",
                     HashKeyToString(range.start), " and less than ",
                     HashKeyToString(range.end)));
  }
  return SplitBefore(*shard, new_start);
}

absl::StatusOr<Reshard> PlanMerge(const Stream& stream, ShardIndex shard,
                                  ShardIndex adjacent) {
  ASSIGN_OR_RETURN(const Shard* one, FindOpen(stream, shard));
  ASSIGN_OR_RETURN(const Shard* other, FindOpen(stream, adjacent));
  if (!AreNeighbours(*one, *other) && !AreNeighbours(*other, *one)) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("Shards ", ShardIdToString(shard), " and ",
                     ShardIdToString(adjacent), " in stream ", stream.name,
                     " are not an adjacent pair of shards"));
  }
  return Merge(*one, *other);
}

std::vector<Reshard> PlanRound(const Stream& stream, uint32_t target) {
  const std::vector<HashKey> starts = TargetStarts(stream, target);
  std::vector<Reshard> splits = PlanSplits(stream, starts);
  return splits.empty() ? PlanMerges(stream, starts) : splits;
}

size_t PeakShards(const Stream& stream, uint32_t target) {
  // All splits come before the first merge: there is a shard for each start,
  // old or new.
  size_t peak = stream.open.size();
  for (const HashKey start : TargetStarts(stream, target)) {
    if (stream.ShardFor(start).range.start != start) ++peak;
  }
  return peak;
}

void BeginReshards(std::vector<Reshard> reshards, uint64_t now_s,
                   ShardPlaces* places, Stream* stream) {
  // The newest shard is never expired: it is open, or its children are newer.
  // No other reshards are under way, whose children would have numbers too.
  uint32_t next = stream->shards.back().index.value() + 1;
  for (Reshard& reshard : reshards) {
    // Sequence numbers begin with this second: those of the children must be
    // above their parents' (kinesis-contract.md §2.2).
    uint64_t created_s = now_s;
    for (const ShardIndex parent : reshard.parents) {
      created_s = std::max(created_s, stream->FindShard(parent)->created_s + 1);
    }
    for (Shard& child : reshard.children) {
      child.index = ShardIndex(next++);
      child.group = places->Take();
      child.created_s = created_s;
      child.parent = reshard.parents.front();
      if (reshard.parents.size() > 1) {
        child.adjacent_parent = reshard.parents.back();
      }
    }
  }
  stream->reshards = std::move(reshards);
  stream->status = StreamStatus::kUpdating;
}

HashKeyRange RangeOf(const Stream& stream, const Reshard& reshard) {
  HashKeyRange range = stream.FindShard(reshard.parents.front())->range;
  for (const ShardIndex parent : reshard.parents) {
    const HashKeyRange& its = stream.FindShard(parent)->range;
    range.start = std::min(range.start, its.start);
    range.end = std::max(range.end, its.end);
  }
  return range;
}

}  // namespace trireme
