#include "server/lease_assigner.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/lease_plan.h"
#include "spdlog/spdlog.h"
#include "storage/group_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr absl::Duration kPeriod = absl::Milliseconds(250);
// Loads change all the time: what is balanced is looked at this often.
constexpr absl::Duration kPlanPeriod = absl::Seconds(1);
constexpr absl::Duration kTimeout = absl::Seconds(10);

// Whether leases wait that somebody could have.
bool HasFreeLeases(const ConsumerGroup& group) {
  return !group.workers.empty() &&
         std::any_of(group.leases.begin(), group.leases.end(),
                     [](const auto& lease) {
                       return lease.second.owner == 0 &&
                              !lease.second.checkpoint.at_end();
                     });
}

// What was seen of those that are still there; others are seen now first.
template <typename Key, typename SeenMap>
void SeeAgain(const Key& key, uint64_t value, absl::Duration now,
              const SeenMap& before, SeenMap* seen) {
  const auto found = before.find(key);
  const bool same = found != before.end() && found->second.value == value;
  seen->emplace(key, typename SeenMap::mapped_type{
                         value, same ? found->second.since : now});
}

}  // namespace

void LeaseAssigner::Start() { Tick(); }

void LeaseAssigner::Tick() {
  RunOnce();
  timers_->After(kPeriod, [this] { Tick(); });
}

void LeaseAssigner::RunOnce() {
  if (replicas_->LeaderOf(kMetaGroup) != replicas_->self()) {
    watches_.clear();
    return;
  }
  const absl::Duration now = clock_->MonotonicNow();
  absl::btree_map<ConsumerGroupId, int> under_way;
  {
    absl::MutexLock lock(&mu_);
    under_way = under_way_;
  }
  std::vector<ConsumerGroupId> due;
  absl::btree_map<ConsumerGroupId, Watch> before = std::exchange(watches_, {});
  leases_->Read([&](const ConsumerGroups& groups) {
    for (const auto& [id, group] : groups) {
      const Watch& old = before[id];
      Watch& watch = watches_[id];
      watch.plan_at = old.plan_at;
      for (const auto& [number, worker] : group.workers) {
        SeeAgain(number, worker.heartbeats, now, old.heartbeats,
                 &watch.heartbeats);
      }
      for (const auto& [shard, lease] : group.leases) {
        if (lease.next_owner == 0) continue;
        SeeAgain(shard, lease.next_owner, now, old.hand_offs, &watch.hand_offs);
      }
      if (group.workers.empty() || under_way.contains(id)) continue;
      if (now < watch.plan_at && !HasFreeLeases(group) &&
          Silent(watch, group, now).empty()) {
        continue;
      }
      watch.plan_at = now + kPlanPeriod;
      due.push_back(id);
    }
  });
  for (const ConsumerGroupId& id : due) {
    // One at a time: changes wait meanwhile.
    ConsumerGroup copy;
    leases_->Read([&](const ConsumerGroups& groups) {
      const auto group = groups.find(id);
      if (group != groups.end()) copy = group->second.WithoutPending();
    });
    Look(id, copy, now);
  }
}

void LeaseAssigner::Look(const ConsumerGroupId& id, const ConsumerGroup& group,
                         absl::Duration now) {
  const Watch& watch = watches_[id];
  // Who is gone is known before leases are shared out.
  if (!ExpireWorkers(id, group, watch, now)) Assign(id, group, watch, now);
}

std::vector<WorkerNumber> LeaseAssigner::Silent(const Watch& watch,
                                                const ConsumerGroup& group,
                                                absl::Duration now) {
  std::vector<WorkerNumber> silent;
  for (const auto& [number, seen] : watch.heartbeats) {
    if (group.workers.contains(number) &&
        now - seen.since >= absl::Milliseconds(group.settings.lease_ms)) {
      silent.push_back(number);
    }
  }
  return silent;
}

bool LeaseAssigner::ExpireWorkers(const ConsumerGroupId& id,
                                  const ConsumerGroup& group,
                                  const Watch& watch, absl::Duration now) {
  const std::vector<WorkerNumber> silent = Silent(watch, group, now);
  for (const WorkerNumber number : silent) {
    spdlog::info("worker {} of consumer group {} is not heard any more",
                 group.workers.at(number).name, group.name);
    v1::Command command;
    v1::RemoveWorkerCommand& remove =
        *command.mutable_consumer_groups()->mutable_remove_worker();
    *remove.mutable_group() = RefTo(id);
    remove.set_worker(number);
    remove.set_heartbeats(watch.heartbeats.at(number).value);
    Propose(id, command);
  }
  return !silent.empty();
}

void LeaseAssigner::Assign(const ConsumerGroupId& id,
                           const ConsumerGroup& group, const Watch& watch,
                           absl::Duration now) {
  const auto is_over = [&](ShardIndex shard) {
    // An owner that is alive is told within the lease time, and stops by itself
    // within the hand-off time from then.
    const auto found = watch.hand_offs.find(shard);
    return found != watch.hand_offs.end() &&
           now - found->second.since >=
               absl::Milliseconds(group.settings.hand_off_ms +
                                  group.settings.lease_ms);
  };
  const std::vector<PlannedLease> plan = PlanLeases(group, is_over);
  if (plan.empty()) return;
  v1::Command command;
  v1::AssignLeasesCommand& assign =
      *command.mutable_consumer_groups()->mutable_assign();
  *assign.mutable_group() = RefTo(id);
  for (const PlannedLease& lease : plan) {
    v1::Assignment& assignment = *assign.add_assignments();
    assignment.set_shard(lease.shard.value());
    assignment.set_counter(lease.counter);
    assignment.set_worker(lease.worker);
    assignment.set_forced(lease.forced);
    assignment.set_next_owner(lease.next_owner);
  }
  Propose(id, command);
}

void LeaseAssigner::Propose(const ConsumerGroupId& id,
                            const v1::Command& command) {
  {
    absl::MutexLock lock(&mu_);
    ++under_way_[id];
  }
  // What does not come about is found again.
  replicas_->Propose(ProposalOfCommand(kMetaGroup, command.SerializeAsString(),
                                       kTimeout,
                                       [this, id](const ProposalOutcome&) {
                                         absl::MutexLock lock(&mu_);
                                         const auto found = under_way_.find(id);
                                         if (--found->second == 0)
                                           under_way_.erase(found);
                                       }));
}

}  // namespace trireme
