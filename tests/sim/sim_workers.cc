#include "tests/sim/sim_workers.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/entry_index.h"
#include "trireme/v1/command.pb.h"

namespace trireme::sim {
namespace {

constexpr Micros kTurnMax = 60 * kMillisecond;
constexpr Micros kLease = SimWorkers::kLeaseMs * kMillisecond;
constexpr absl::Duration kTimeout = absl::Seconds(1);
constexpr double kCheckpointChance = 0.2;
constexpr double kMishapChance = 0.01;  // Of a turn.

}  // namespace

void SimWorkers::Start(const std::string& stream, int count) {
  stream_ = stream;
  for (int i = 0; i < count; ++i) {
    const int worker = static_cast<int>(workers_.size());
    workers_.push_back({absl::StrCat("w", worker)});
    TurnLater(worker);
  }
}

void SimWorkers::Pause(int worker, Micros duration) {
  workers_[static_cast<size_t>(worker)].paused_until =
      cluster_->events().now() + duration;
}

void SimWorkers::Kill(int worker) {
  Worker& killed = workers_[static_cast<size_t>(worker)];
  Worker next;
  next.life = killed.life + 1;
  next.name = absl::StrCat("w", worker, "-", next.life);
  killed = std::move(next);
}

void SimWorkers::Leave(int worker) {
  v1::GroupCommand command;
  *command.mutable_remove_worker()->mutable_group() = Ref();
  command.mutable_remove_worker()->set_worker(
      workers_[static_cast<size_t>(worker)].number);
  // It does nothing more, and comes back as another.
  Kill(worker);
  Ask(
      worker, command, [](int, const ProposalOutcome&) {}, [] {});
}

// --- turns ---

void SimWorkers::TurnLater(int worker) {
  const auto pause =
      static_cast<Micros>(cluster_->random().Between(1, kTurnMax));
  cluster_->events().After(pause, [this, worker] { Turn(worker); });
}

void SimWorkers::Turn(int number) {
  TurnLater(number);
  Worker& worker = workers_[static_cast<size_t>(number)];
  const Micros now = cluster_->events().now();
  if (now < worker.paused_until) return;
  if (mishaps_ && cluster_->random().Chance(kMishapChance)) {
    return Mishap(number);
  }
  if (worker.number == 0) return Join(number);
  if (now >= worker.beat_at) Beat(number);
  Work(number);
}

void SimWorkers::Mishap(int worker) {
  Random& random = cluster_->random();
  switch (random.Below(4)) {
    case 0:
      return Kill(worker);
    case 1:
      if (workers_[static_cast<size_t>(worker)].number != 0) Leave(worker);
      return;
    default:
      return Pause(worker, static_cast<Micros>(random.Between(0, 3 * kLease)));
  }
}

int SimWorkers::AnyNode() {
  return static_cast<int>(cluster_->random().Below(SimCluster::kNodes));
}

std::shared_ptr<const Stream> SimWorkers::StreamAt(int node) const {
  return cluster_->node(node).state().catalog().Find(stream_);
}

v1::GroupRef SimWorkers::Ref() const {
  v1::GroupRef ref;
  ref.set_stream_id(stream_id_.value());
  ref.set_group(group_);
  return ref;
}

void SimWorkers::Ask(int number, const v1::GroupCommand& command, Answer answer,
                     std::function<void()> lost) {
  const int at = AnyNode();
  SimNode& node = cluster_->node(at);
  const uint64_t life = workers_[static_cast<size_t>(number)].life;
  auto answered = std::make_shared<bool>(false);
  const auto is_news = [this, number, life, answered] {
    return !std::exchange(*answered, true) &&
           workers_[static_cast<size_t>(number)].life == life;
  };
  if (node.up()) {
    v1::Command wrapped;
    *wrapped.mutable_consumer_groups() = command;
    node.loop()->Propose(ProposalOfCommand(
        kMetaGroup, wrapped.SerializeAsString(), kTimeout,
        [at, is_news, answer](const ProposalOutcome& outcome) {
          if (is_news()) answer(at, outcome);
        }));
    node.Wake();
  }
  // Nobody answers for a node that is down.
  cluster_->events().After(
      absl::ToInt64Microseconds(kTimeout) + 500 * kMillisecond,
      [is_news, lost] {
        if (is_news()) lost();
      });
}

void SimWorkers::AskAbout(int number, ShardIndex shard,
                          const v1::GroupCommand& command) {
  workers_[static_cast<size_t>(number)].leases.at(shard).asked = true;
  const auto end = [this, number, shard] {
    Worker& asked = workers_[static_cast<size_t>(number)];
    const auto found = asked.leases.find(shard);
    if (found != asked.leases.end()) found->second.asked = false;
  };
  Ask(
      number, command, [end](int, const ProposalOutcome&) { end(); }, end);
}

// --- membership ---

void SimWorkers::Join(int number) {
  Worker& worker = workers_[static_cast<size_t>(number)];
  const int at = AnyNode();
  if (worker.asked || !cluster_->node(at).up()) return;
  const auto stream = StreamAt(at);
  if (stream == nullptr) return;
  stream_id_ = stream->id;
  v1::GroupCommand command;
  v1::JoinGroupCommand& join = *command.mutable_join_group();
  join.set_stream_id(stream->id.value());
  join.set_group_name("g");
  join.set_worker_name(worker.name);
  join.mutable_settings()->set_lease_ms(kLeaseMs);
  join.mutable_settings()->set_hand_off_ms(kHandOffMs);
  worker.asked = true;
  Ask(
      number, command,
      [this, number](int, const ProposalOutcome& outcome) {
        Worker& joined = workers_[static_cast<size_t>(number)];
        joined.asked = false;
        v1::JoinGroupReply reply;
        if (!outcome.status.ok() || !reply.ParseFromString(outcome.reply)) {
          return;
        }
        group_ = reply.group();
        joined.number = reply.worker();
        joined.beat_at = 0;
      },
      [this, number] { workers_[static_cast<size_t>(number)].asked = false; });
}

void SimWorkers::Beat(int number) {
  Worker& worker = workers_[static_cast<size_t>(number)];
  if (worker.asked) return;
  const Micros sent = cluster_->events().now();
  worker.asked = true;
  worker.beat_at = sent + kLease / 6;
  v1::GroupCommand command;
  v1::Heartbeat& heartbeat = *command.mutable_heartbeats()->add_heartbeats();
  *heartbeat.mutable_group() = Ref();
  heartbeat.set_worker(worker.number);
  const auto end = [this, number] {
    workers_[static_cast<size_t>(number)].asked = false;
  };
  Ask(
      number, command,
      [this, number, sent, end](int node, const ProposalOutcome& outcome) {
        v1::HeartbeatsReply reply;
        if (!outcome.status.ok() || !reply.ParseFromString(outcome.reply)) {
          return end();
        }
        if (!reply.known(0)) {
          ++expired_;
          return Kill(number);
        }
        // As the node that was asked answers: from what it has applied itself.
        const uint64_t life = workers_[static_cast<size_t>(number)].life;
        if (!cluster_->node(node).up()) return end();
        cluster_->node(node).loop()->ReadBarrier(
            {kMetaGroup, kTimeout,
             [this, number, node, sent, life](const absl::Status& fresh) {
               Worker& asking = workers_[static_cast<size_t>(number)];
               if (asking.life != life) return;
               asking.asked = false;
               if (fresh.ok()) OnLeases(number, node, sent);
             }});
        cluster_->node(node).Wake();
        cluster_->events().After(2 * kSecond, [this, number, life] {
          Worker& asking = workers_[static_cast<size_t>(number)];
          if (asking.life == life) asking.asked = false;
        });
      },
      end);
}

void SimWorkers::OnLeases(int number, int node, Micros sent) {
  Worker& worker = workers_[static_cast<size_t>(number)];
  // One that sleeps reads its answers when it wakes up; it knows when it asked.
  worker.heard = std::max(worker.heard, sent);
  const auto& groups = cluster_->node(node).state().TablesOf(kMetaGroup).groups;
  const auto group = groups.find({stream_id_, group_});
  std::map<ShardIndex, Held> held;
  if (group != groups.end()) {
    for (const auto& [shard, lease] : group->second.leases) {
      if (lease.owner != worker.number) continue;
      const auto known = worker.leases.find(shard);
      if (known != worker.leases.end() &&
          known->second.counter == lease.counter) {
        held[shard] = known->second;
      } else {
        held[shard].counter = lease.counter;
        held[shard].next =
            lease.checkpoint.kind == LeasePositionKind::kSequenceNumber
                ? lease.checkpoint.counter + 1
                : 0;
      }
      // It stops at once, and gives it up however long that takes.
      held[shard].hand_off |= lease.next_owner != 0;
    }
  }
  worker.leases = std::move(held);
}

// --- work ---

void SimWorkers::Work(int number) {
  Worker& worker = workers_[static_cast<size_t>(number)];
  const Micros now = cluster_->events().now();
  if (now >= worker.heard + kLease) return;
  std::vector<ShardIndex> shards;
  for (const auto& [shard, lease] : worker.leases) shards.push_back(shard);
  for (const ShardIndex shard : shards) {
    Held& lease = worker.leases.at(shard);
    if (lease.hand_off) {
      if (!lease.asked) Release(number, shard);
      continue;
    }
    if (!lease.at_end) Process(&worker, shard, &lease);
    const bool due =
        lease.at_end || cluster_->random().Chance(kCheckpointChance);
    if (due && !lease.asked && lease.next > 0) Checkpoint(number, shard);
  }
}

void SimWorkers::Process(Worker* worker, ShardIndex shard, Held* lease) {
  const int at = AnyNode();
  if (!cluster_->node(at).up()) return;
  const auto stream = StreamAt(at);
  const Shard* const row =
      stream == nullptr ? nullptr : stream->FindShard(shard);
  if (row == nullptr) return;
  Counter to =
      MakeCounter(cluster_->node(at).state().Applied(row->group).index + 1, 0);
  if (row->end.has_value() && to >= *row->end) {
    to = *row->end;
    lease->at_end = true;
  }
  OnProcessed(*worker, shard, *lease, to);
  lease->next = std::max(lease->next, to);
}

void SimWorkers::OnProcessed(const Worker& worker, ShardIndex shard,
                             const Held& lease, Counter to) {
  ++steps_;
  const std::string what =
      absl::StrCat(worker.name, " processes shard ", shard.value(),
                   " by lease ", lease.counter);
  History& history = cluster_->history();
  const auto [owner, is_first] =
      owners_.try_emplace({shard, lease.counter}, worker.name);
  if (owner->second != worker.name) {
    history.Fail("lease", what + ", which is " + owner->second + "'s");
  }
  Progress& progress = progress_[shard];
  if (lease.counter < progress.counter) {
    history.Fail("lease", absl::StrCat(what, " after ", progress.counter));
  }
  progress.counter = std::max(progress.counter, lease.counter);
  if (lease.next > progress.done) {
    history.Fail("lease", absl::StrCat(what, " from ", lease.next,
                                       " on, but only what is below ",
                                       progress.done, " is done"));
  }
  progress.done = std::max(progress.done, to);
  if (!is_first) return;
  const auto stream = StreamAt(0);
  const Shard* const row =
      stream == nullptr ? nullptr : stream->FindShard(shard);
  if (row == nullptr) return;
  for (const auto& parent : {row->parent, row->adjacent_parent}) {
    const Shard* const before =
        parent.has_value() ? stream->FindShard(*parent) : nullptr;
    if (before == nullptr || progress_[*parent].done >= *before->end) continue;
    history.Fail("lease", absl::StrCat(what, " before its parent ",
                                       parent->value(), " is done"));
  }
}

void SimWorkers::Checkpoint(int number, ShardIndex shard) {
  Worker& worker = workers_[static_cast<size_t>(number)];
  const Held& lease = worker.leases.at(shard);
  v1::GroupCommand command;
  *command.mutable_checkpoint()->mutable_group() = Ref();
  command.mutable_checkpoint()->set_worker(worker.number);
  v1::LeaseCheckpoint& one = *command.mutable_checkpoint()->add_checkpoints();
  one.mutable_lease()->set_shard(shard.value());
  one.mutable_lease()->set_counter(lease.counter);
  one.mutable_position()->set_kind(
      static_cast<uint32_t>(lease.at_end ? LeasePositionKind::kShardEnd
                                         : LeasePositionKind::kSequenceNumber));
  if (!lease.at_end) one.mutable_position()->set_counter(lease.next - 1);
  AskAbout(number, shard, command);
}

void SimWorkers::Release(int number, ShardIndex shard) {
  Worker& worker = workers_[static_cast<size_t>(number)];
  const Held& lease = worker.leases.at(shard);
  v1::GroupCommand command;
  *command.mutable_release()->mutable_group() = Ref();
  command.mutable_release()->set_worker(worker.number);
  v1::HeldLease& held = *command.mutable_release()->add_leases();
  held.set_shard(shard.value());
  held.set_counter(lease.counter);
  AskAbout(number, shard, command);
}

// --- the end ---

bool SimWorkers::AllDone() {
  if (stream_.empty()) return true;
  const auto stream = StreamAt(0);
  if (stream == nullptr) return true;
  const auto& groups = cluster_->node(0).state().TablesOf(kMetaGroup).groups;
  const auto group = groups.find({stream_id_, group_});
  if (group == groups.end()) return false;
  for (const Shard& shard : stream->shards) {
    const auto lease = group->second.leases.find(shard.index);
    if (lease == group->second.leases.end()) return false;
    const bool done = shard.end.has_value() ? lease->second.checkpoint.at_end()
                                            : lease->second.owner != 0;
    if (!done) return false;
  }
  return true;
}

void SimWorkers::CheckAllDone() {
  const auto stream = stream_.empty() ? nullptr : StreamAt(0);
  if (stream == nullptr) return;
  for (const Shard& shard : stream->shards) {
    if (!shard.end.has_value() || progress_[shard.index].done >= *shard.end) {
      continue;
    }
    cluster_->history().Fail(
        "lease", absl::StrCat("shard ", shard.index.value(),
                              " is at its end, and not all of it is done"));
  }
}

}  // namespace trireme::sim
