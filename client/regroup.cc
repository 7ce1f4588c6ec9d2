#include "client/regroup.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/error.h"
#include "client/open_containers.h"

namespace trireme::client {
namespace {

absl::Status NotByHashKey(absl::string_view shard_id) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "InvalidArgumentException",
      "PutRecordsStream",
      absl::StrCat("the stream put an aggregate into ", shard_id,
                   ", which does not have its hash key: a stream whose record "
                   "distribution strategy is AUTO takes no aggregates"));
}

std::optional<HashKey> HashKeyOf(const ProducerRecord& record) {
  return client::HashKeyOf(record.partition_key, record.explicit_hash_key);
}

std::deque<Container> Group(std::vector<UserPut> puts, const ShardMap& shards,
                            const AggregationOptions& limits) {
  OpenContainers open(limits, /*numbered=*/false);
  std::deque<Container> grouped;
  uint64_t no_number = 0;
  for (UserPut& put : puts) {
    const std::optional<HashKey> key = HashKeyOf(put.record);
    const ShardMap::Shard* const shard =
        key.has_value() ? shards.ShardOf(*key) : nullptr;
    if (shard == nullptr) {
      grouped.emplace_back(std::move(put));
    } else {
      open.Add(put, *shard, no_number, grouped);
    }
  }
  open.SealAll(grouped);
  return grouped;
}

}  // namespace

std::deque<Container> Regroup(Container container, const ShardMap& shards,
                              const AggregationOptions& limits) {
  std::deque<Container> parts = Group(container.TakePuts(), shards, limits);
  for (Container& part : parts) {
    part.attempts = container.attempts;
    part.last_error = container.last_error;
  }
  parts.front().number = container.number;
  return parts;
}

std::deque<Container> SplitMisplaced(Container container,
                                     const HashKeyRange& range,
                                     const ShardMap& shards,
                                     const AggregationOptions& limits,
                                     Outcomes& outcomes) {
  PutOutcome outcome = *std::move(container.misplaced);
  std::vector<UserPut> puts = container.TakePuts();
  const auto is_here = [&range](const UserPut& put) {
    const std::optional<HashKey> key = HashKeyOf(put.record);
    return key.has_value() && range.Contains(*key);
  };
  absl::Status refused;
  if (!is_here(puts.front())) {
    refused = NotByHashKey(outcome.shard_id);
    outcomes.AddError(refused);
  }
  const bool is_whole = std::all_of(puts.begin(), puts.end(), is_here);
  std::vector<UserPut> again;
  for (UserPut& put : puts) {
    if (!put.member.is_told && !is_whole && refused.ok()) {
      again.push_back(std::move(put));
    } else {
      if (!put.member.is_told) {
        if (is_whole) {
          outcomes.Add(put.member, outcome);
        } else {
          outcomes.Add(put.member, refused);
        }
      }
      outcomes.Release(put.member);
    }
    ++outcome.sub_sequence_number;
  }
  outcomes.AddContainer();
  outcomes.Settle(container.number);
  std::deque<Container> parts = Group(std::move(again), shards, limits);
  for (Container& part : parts) part.attempts = 1;
  return parts;
}

void GiveNumbers(std::deque<Container>& queue, NumberWindow& numbers) {
  for (Container& container : queue) {
    if (container.number != 0 || container.misplaced.has_value()) continue;
    container.number = numbers.TakeReserved();
    if (container.number == 0) break;
  }
  auto taker = queue.begin();
  auto giver = queue.end();
  for (; taker != giver; ++taker) {
    if (taker->number != 0 || taker->misplaced.has_value()) continue;
    do {
      --giver;
    } while (giver != taker && (giver->number == 0 || giver->may_be_written));
    if (giver == taker) break;
    std::swap(taker->number, giver->number);
  }
  if (taker == queue.end() || taker->number != 0) return;
  std::stable_partition(taker, queue.end(), [](const Container& container) {
    return container.number != 0 && !container.misplaced.has_value();
  });
}

}  // namespace trireme::client
