#include "tests/sim/sim_producers.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/producer_stamp.h"
#include "storage/record.h"

namespace trireme::sim {
namespace {

constexpr Micros kTurnMax = 30 * kMillisecond;
constexpr double kCopyChance = 0.3;
// So many of its newest records a producer may send again.
constexpr uint64_t kRepeatable = 8;

uint64_t OldestNumber(uint64_t next) {
  return next <= kRepeatable ? 1 : next - kRepeatable;
}

}  // namespace

void SimProducers::Start(int count) {
  running_ = true;
  for (int i = 0; i < count; ++i) {
    const size_t producer = producers_.size();
    producers_.push_back({absl::StrCat("producer", producer), {}});
    TurnLater(producer);
  }
}

void SimProducers::TurnLater(size_t producer) {
  const auto pause =
      static_cast<Micros>(cluster_->random().Between(1, kTurnMax));
  cluster_->events().After(pause, [this, producer] { Turn(producer); });
}

void SimProducers::Turn(size_t producer) {
  if (!running_) return;
  Producer& self = producers_[producer];
  const uint64_t next = self.acked.size() + 1;
  if (next > 1 && cluster_->random().Chance(kCopyChance)) {
    const uint64_t number =
        cluster_->random().Between(OldestNumber(next), next - 1);
    return Put(producer, {number, self.acked[number - 1].record});
  }
  if (self.next == 0) self.next = cluster_->history().NewRecord();
  Put(producer, {next, self.next});
}

void SimProducers::Put(size_t producer, const Record& record) {
  Random& random = cluster_->random();
  const int at = static_cast<int>(random.Below(SimCluster::kNodes));
  SimNode& node = cluster_->node(at);
  if (!node.up()) return TurnLater(producer);
  const std::string& key = producers_[producer].key;
  const std::optional<PutTarget> target = route_(at, key);
  if (!target.has_value()) return TurnLater(producer);
  const ShardIndex shard = target->shard.shard;
  groups_[shard] = target->group;

  auto stamp = std::make_shared<ProducerStamp>();
  stamp->producer = key;
  stamp->epoch = 1;
  stamp->oldest_number = OldestNumber(producers_[producer].acked.size() + 1);
  stamp->numbers = {record.number};
  auto body = std::make_shared<ProposalBody>();
  PutBatch& put = body->puts.emplace_back();
  put.shard = target->shard;
  put.record_count = 1;
  put.stamp = std::move(stamp);
  AppendRecord({absl::StrCat(record.id), key}, &put.batch);

  // Short ones give up while the record is on its way.
  const auto timeout =
      static_cast<Micros>(random.Between(100 * kMillisecond, 2 * kSecond));
  auto answered = std::make_shared<bool>(false);
  node.loop()->Propose({target->group, std::move(body),
                        absl::Microseconds(timeout),
                        [this, producer, record, shard,
                         answered](const ProposalOutcome& outcome) {
                          if (std::exchange(*answered, true)) return;
                          OnOutcome(producer, record, shard, outcome);
                          TurnLater(producer);
                        }});
  node.Wake();
  // Nobody answers for a node that was killed, and some answers come late.
  cluster_->events().After(timeout + 200 * kMillisecond,
                           [this, producer, answered] {
                             if (!std::exchange(*answered, true))
                               TurnLater(producer);
                           });
}

void SimProducers::OnOutcome(size_t producer, const Record& record,
                             ShardIndex shard, const ProposalOutcome& outcome) {
  if (!outcome.status.ok()) return;
  const PutPlace& place = outcome.places[0];
  if (!place.status.ok()) return;
  if (place.fates.empty())
    return OnAcked(producer, record, {record.id, shard, place.first});
  const RecordFate& fate = place.fates[0];
  if (!fate.status.ok()) {
    return cluster_->history().Fail(
        "exactly_once",
        absl::StrCat("number ", record.number, " of ", producers_[producer].key,
                     " was refused: ", fate.status.ToString()));
  }
  if (fate.duplicate) ++duplicates_;
  OnAcked(producer, record,
          {record.id, fate.number.shard, fate.number.counter});
}

void SimProducers::OnAcked(size_t producer, const Record& record,
                           const Place& place) {
  cluster_->history().OnAcked(record.id, groups_.at(place.shard),
                              place.counter);
  std::vector<Place>& acked = producers_[producer].acked;
  if (record.number <= acked.size()) return;
  acked.push_back(place);
  producers_[producer].next = 0;
  ++acked_;
}

}  // namespace trireme::sim
