#include "tests/sim/stream_sim.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "server/lease_assigner.h"
#include "server/router.h"
#include "storage/errors.h"
#include "storage/record.h"

namespace trireme::sim {
namespace {

constexpr uint32_t kGroups = 4;
constexpr Micros kWatchPeriod = 10 * kMillisecond;
constexpr Micros kDownTime = 1500 * kMillisecond;
constexpr Micros kSettleLimit = 90 * kSecond;
constexpr absl::Duration kTimeout = absl::Seconds(3);

SimClusterOptions OptionsFor(uint64_t seed) {
  SimClusterOptions options;
  options.seed = seed;
  options.node = SmallNodes(kGroups);
  options.node.product_commands = true;
  return options;
}

std::string NameOf(const Stream& stream, ShardIndex shard) {
  return absl::StrCat("shard ", shard.value(), " of ", stream.name);
}

}  // namespace

// A node's life cycle, for one life of the node.
class StreamSim::Driver : public Replicas {
 public:
  Driver(StreamSim* sim, int node)
      : sim_(sim),
        node_(&sim->cluster_.node(node)),
        life_(node_->life()),
        timers_(&node_->clock()),
        lifecycle_(
            &node_->state().catalog(),
            [this](GroupId group, ShardKey shard) {
              return node_->state().ProducersOf(group, shard);
            },
            this, &timers_, &node_->clock()),
        assigner_(&node_->state().leases(), this, &timers_, &node_->clock()) {
    lifecycle_.Start();
    assigner_.Start();
  }

  bool alive() const { return node_->up() && node_->life() == life_; }
  const SimNode* node() const { return node_; }

  void RunOnce() {
    if (!alive()) return;
    const LogIndex applied = node_->state().Applied(kMetaGroup).index;
    if (applied != seen_) lifecycle_.OnStateReplaced(kMetaGroup);
    seen_ = applied;
    timers_.RunDue();
  }

  // Replicas
  NodeId self() const override { return node_->id(); }
  NodeId LeaderOf(GroupId group) const override {
    return alive() ? node_->loop()->LeaderOf(group) : NodeId(0);
  }
  std::vector<KnownNode> KnownNodes() const override { return {}; }
  void ReadBarrier(Barrier barrier) override {
    if (!alive()) return;
    node_->loop()->ReadBarrier(std::move(barrier));
    node_->Wake();
  }
  void Propose(Proposal proposal) override {
    if (!alive()) return;
    const bool last = sim_->proposals_++ == sim_->kill_.proposal;
    if (last && sim_->kill_.when == KillAt::kBefore) return Kill();
    if (last && sim_->kill_.when == KillAt::kAtReply) {
      proposal.done = [this](const ProposalOutcome&) { Kill(); };
    }
    node_->loop()->Propose(std::move(proposal));
    node_->Wake();
    if (last && sim_->kill_.when == KillAt::kAfter) Kill();
  }

 private:
  // Not from inside the node's own code.
  void Kill() {
    sim_->cluster_.events().After(0, [this] {
      if (!alive()) return;
      sim_->killed_ = true;
      node_->Crash(SimNode::Stop::kPowerFailure);
      sim_->RestartLater(static_cast<int>(node_->id().value()) - 1);
    });
  }

  StreamSim* const sim_;
  SimNode* const node_;
  const uint64_t life_;
  Timers timers_;
  StreamLifecycle lifecycle_;
  LeaseAssigner assigner_;
  LogIndex seen_ = 0;
};

StreamSim::StreamSim(uint64_t seed)
    : cluster_(OptionsFor(seed)),
      exactly_once_(
          &cluster_,
          [this](int at, const std::string& key) { return Route(at, key); }),
      workers_(&cluster_) {
  cluster_.StartAll();
  cluster_.RunUntil([this] { return cluster_.AllServe(); }, 10 * kSecond);
  Watch();
}

StreamSim::~StreamSim() = default;

// Each node that is up has a driver for its life, which runs now and then.
void StreamSim::Watch() {
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    SimNode* const node = &cluster_.node(i);
    if (!node->up()) continue;
    const auto has = [node](const auto& driver) {
      return driver->node() == node && driver->alive();
    };
    if (std::none_of(drivers_.begin(), drivers_.end(), has))
      drivers_.push_back(std::make_unique<Driver>(this, i));
  }
  for (size_t i = 0; i < drivers_.size(); ++i) drivers_[i]->RunOnce();
  cluster_.events().After(kWatchPeriod, [this] { Watch(); });
}

void StreamSim::RestartLater(int node) {
  cluster_.events().After(kDownTime, [this, node] {
    if (!cluster_.node(node).up()) cluster_.node(node).Start();
  });
}

void StreamSim::Arm(const KillAt& kill) {
  kill_ = kill;
  proposals_ = 0;
  killed_ = false;
}

int StreamSim::AnyNodeUp() {
  const int first = static_cast<int>(cluster_.random().Below(3));
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    const int node = (first + i) % SimCluster::kNodes;
    if (cluster_.node(node).up()) return node;
  }
  return -1;
}

absl::Status StreamSim::Commit(const v1::Command& command) {
  absl::Status status = absl::UnavailableError("not answered");
  for (int attempt = 0; attempt < 20; ++attempt) {
    const int node = AnyNodeUp();
    auto answer = std::make_shared<std::optional<absl::Status>>();
    if (node >= 0) {
      cluster_.node(node).loop()->Propose(
          ProposalOfCommand(kMetaGroup, command.SerializeAsString(), kTimeout,
                            [answer](const ProposalOutcome& outcome) {
                              *answer = outcome.status;
                            }));
      cluster_.node(node).Wake();
    }
    cluster_.RunUntil([&] { return answer->has_value(); }, 5 * kSecond);
    if (!answer->has_value()) continue;
    status = **answer;
    if (ReasonOf(status) != ErrorReason::kNoLeader) return status;
  }
  return status;
}

std::shared_ptr<const Stream> StreamSim::Find(const std::string& name) {
  int node = cluster_.LeaderOf(kMetaGroup);
  if (node < 0 || !cluster_.node(node).up()) node = AnyNodeUp();
  if (node < 0) return nullptr;
  return cluster_.node(node).state().catalog().Find(name);
}

std::shared_ptr<const Stream> StreamSim::Settle(const std::string& name) {
  cluster_.RunUntil(
      [&] {
        if (!cluster_.AllServe()) return false;
        const auto stream = Find(name);
        return stream == nullptr || stream->status == StreamStatus::kActive;
      },
      kSettleLimit);
  return Find(name);
}

// --- producers ---

void StreamSim::StartProducers(const std::string& stream, int keys) {
  stream_ = stream;
  for (int i = 0; i < keys; ++i) {
    producers_.push_back({absl::StrCat("key", producers_.size()), {}});
    PutAgain(producers_.size() - 1);
  }
  exactly_once_.Start(keys);
}

void StreamSim::StopProducers() {
  stream_.clear();
  exactly_once_.Stop();
}

std::optional<PutTarget> StreamSim::Route(int at, const std::string& key) {
  const auto stream = cluster_.node(at).state().catalog().Find(stream_);
  if (stream == nullptr) return std::nullopt;
  const absl::StatusOr<const Shard*> shard = ShardOf(*stream, key, "");
  if (!shard.ok()) {
    cluster_.history().Fail("routing", "no shard");
    return std::nullopt;
  }
  return PutTarget{(*shard)->group, {stream->id, (*shard)->index}};
}

void StreamSim::PutAgain(size_t producer) {
  const auto pause =
      static_cast<Micros>(cluster_.random().Between(1, 30 * kMillisecond));
  cluster_.events().After(pause, [this, producer] { PutNext(producer); });
}

void StreamSim::PutNext(size_t number) {
  if (stream_.empty()) return;
  const int at = AnyNodeUp();
  if (at < 0) return PutAgain(number);
  SimNode& node = cluster_.node(at);
  const std::optional<PutTarget> target = Route(at, producers_[number].key);
  if (!target.has_value()) return PutAgain(number);
  const GroupId group = target->group;
  const ShardKey key = target->shard;
  const RecordId record =
      cluster_.history().NewRecord(Lane{node.id(), node.life(), group, key});
  auto body = std::make_shared<ProposalBody>();
  PutBatch& put = body->puts.emplace_back();
  put.shard = key;
  put.record_count = 1;
  AppendRecord({absl::StrCat(record), producers_[number].key}, &put.batch);

  const uint64_t life = node.life();
  auto answered = std::make_shared<bool>(false);
  node.loop()->Propose(
      {group, std::move(body), kTimeout,
       [this, number, record, group, key,
        answered](const ProposalOutcome& outcome) {
         *answered = true;
         PutAgain(number);
         const absl::Status status =
             outcome.status.ok() ? outcome.places[0].status : outcome.status;
         if (ReasonOf(status) == ErrorReason::kOutcomeUnknown) return;
         if (!status.ok())
           return cluster_.history().OnRefused(record, status.ToString());
         const Counter counter = outcome.places[0].first;
         cluster_.history().OnAcked(record, group, counter);
         producers_[number].acked.push_back({record, key.shard, counter});
         ++acked_;
       }});
  node.Wake();
  // Nobody answers for a node that was killed.
  cluster_.events().After(
      absl::ToInt64Microseconds(kTimeout) + kSecond,
      [this, at, life, number, answered] {
        const SimNode& asked = cluster_.node(at);
        if (!*answered && (!asked.up() || asked.life() != life))
          PutAgain(number);
      });
}

// --- checks ---

bool StreamSim::IsQuiet() {
  if (!cluster_.AllEqual()) return false;
  const auto streams = cluster_.node(0).state().catalog().List("", 1000);
  return std::all_of(streams.begin(), streams.end(), [](const auto& stream) {
    return stream->status == StreamStatus::kActive;
  });
}

void StreamSim::HealAndCheck() {
  StopProducers();
  cluster_.HealAndCheck(kSettleLimit);
  if (!cluster_.RunUntil([this] { return IsQuiet(); }, kSettleLimit))
    cluster_.history().Fail("heals", "a stream is not ACTIVE in the end");
  if (!cluster_.RunUntil([this] { return workers_.AllDone(); }, kSettleLimit))
    cluster_.history().Fail("heals", "a shard is not read in the end");
  CheckOrder();
  CheckShards();
  workers_.CheckAllDone();
}

std::vector<const StreamSim::Producer*> StreamSim::AllProducers() const {
  std::vector<const Producer*> all;
  for (const Producer& producer : producers_) all.push_back(&producer);
  for (const Producer& producer : exactly_once_.producers())
    all.push_back(&producer);
  return all;
}

void StreamSim::CheckOrder() {
  for (const Producer* producer : AllProducers()) {
    const SimProducers::Place* before = nullptr;
    for (const SimProducers::Place& place : producer->acked) {
      const bool in_order =
          before == nullptr || before->shard < place.shard ||
          (before->shard == place.shard && before->counter < place.counter);
      if (!in_order) {
        cluster_.history().Fail(
            "key_order",
            absl::StrCat(producer->key, ": record ", place.record,
                         " stands in shard ", place.shard.value(), " before ",
                         before->record, " in shard ", before->shard.value()));
      }
      before = &place;
    }
  }
}

void StreamSim::CheckShards() {
  const SimState& state = cluster_.node(0).state();
  absl::btree_set<std::pair<GroupId, ShardKey>> known;
  for (const auto& stream : state.catalog().List("", 1000)) {
    for (const Shard& shard : stream->shards) {
      const ShardKey key{stream->id, shard.index};
      known.insert({shard.group, key});
      const auto& shards = state.TablesOf(shard.group).shards;
      const auto found = shards.find(key);
      if (found == shards.end() || !found->second.exists()) {
        cluster_.history().Fail("catalogue", NameOf(*stream, shard.index) +
                                                 " is not open in its group");
        continue;
      }
      if (found->second.end != shard.end) {
        cluster_.history().Fail("catalogue",
                                NameOf(*stream, shard.index) + " has two ends");
      }
      if (found->second.retention_hours != stream->retention_hours) {
        cluster_.history().Fail("catalogue", NameOf(*stream, shard.index) +
                                                 " has another retention");
      }
    }
  }
  for (uint32_t group = 1; group < kGroups; ++group) {
    for (const auto& [shard, record] : state.TablesOf(GroupId(group)).shards) {
      if (!record.exists() || known.contains({GroupId(group), shard})) continue;
      cluster_.history().Fail(
          "catalogue",
          absl::StrCat("shard ", shard.shard.value(), " of stream ",
                       shard.stream.value(), " is open and nobody's"));
    }
  }
  for (const Producer* producer : AllProducers()) {
    for (const SimProducers::Place& place : producer->acked) {
      const auto streams = state.catalog().List("", 1000);
      if (streams.empty()) break;
      const Shard* const shard = streams.front()->FindShard(place.shard);
      if (shard != nullptr && shard->end && place.counter >= *shard->end) {
        cluster_.history().Fail("shard_end",
                                absl::StrCat("record ", place.record,
                                             " stands behind its shard's end"));
      }
    }
  }
}

}  // namespace trireme::sim
