// Aggregates that user records may still join, one a shard. Owned by a lane,
// under its lock.
#ifndef TRIREME_CLIENT_OPEN_CONTAINERS_H_
#define TRIREME_CLIENT_OPEN_CONTAINERS_H_

#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/container.h"
#include "client/outcomes.h"
#include "client/producer_options.h"
#include "client/shard_map.h"

namespace trireme::client {

class OpenContainers {
 public:
  // `numbered`: each container has a number.
  OpenContainers(const AggregationOptions& limits, bool numbered)
      : limits_(limits), numbered_(numbered) {}

  // To the aggregate of its shard, or alone if it is too large for one. What is
  // full goes to `sealed`, and before a record that goes alone what was put
  // before it. False when that needs a number and there is none (0): then
  // nothing has changed. A number that is used is 0 afterwards.
  bool Add(UserPut& put, const ShardMap::Shard& shard, uint64_t& number,
           std::deque<Container>& sealed);
  // Those that have waited long enough.
  void SealDue(absl::Time now, std::deque<Container>& sealed);
  void SealAll(std::deque<Container>& sealed) {
    SealDue(absl::InfiniteFuture(), sealed);
  }
  // When SealDue may find some.
  absl::Time seal_at() const { return seal_at_; }
  // Gives up members whose time is over. Returns when others' will be.
  absl::Time GiveUpExpired(absl::Time now, Outcomes& outcomes);

 private:
  using ByShard = absl::flat_hash_map<HashKey, Container>;  // By its first key.

  bool IsTooLarge(const ProducerRecord& record) const;
  void Seal(ByShard::iterator open, std::deque<Container>& sealed);

  // Set at construction.
  const AggregationOptions limits_;
  const bool numbered_;

  ByShard open_;
  absl::Time seal_at_ = absl::InfiniteFuture();
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_OPEN_CONTAINERS_H_
