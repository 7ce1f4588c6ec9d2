// GroupLoop: what happens as time passes.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "replication/group_loop.h"
#include "spdlog/spdlog.h"

namespace trireme {
namespace {

// Leaders leave a node whose log takes so long to write.
constexpr absl::Duration kSlowLogWrite = absl::Milliseconds(100);
constexpr int kSlowBesideFastest = 4;

}  // namespace

void GroupLoop::OnTick(absl::Duration now) {
  next_tick_ = now + options_.tick;
  for (Group& group : groups_) group.raft->core().Tick();
  if (stalled_.has_value()) {
    write_started_ = now;
    writer_->Submit(*std::exchange(stalled_, {}));
  }
  applier_->OnTick(now);
  Expire(now);
  BoundMemory();
  for (Group& group : groups_) {
    group.takes_puts = TakesPuts(*group.raft);
    TellLeader(group, now);
  }
  if (now >= next_balance_ || draining_ || !HasRoom(options_.self)) {
    next_balance_ = now + options_.balance_period;
    Balance();
  }
  RefreshReport(now);
}

void GroupLoop::Expire(absl::Duration now) {
  forwarding_.Expire(now);
  const absl::Duration silence_max =
      options_.tick * options_.election_ticks * 2;
  for (auto& [peer, heard_at] : heard_at_) {
    // A peer cut off without a word takes what we forwarded with it.
    if (now - heard_at > silence_max) forwarding_.OnConnectionLost(peer);
  }
  for (Group& group : groups_) {
    group.raft->Expire(now);
    group.barriers->Expire(now);
  }
}

void GroupLoop::Balance() {
  for (Group& group : groups_) {
    raft::Raft& core = group.raft->core();
    if (core.role() != raft::Role::kLeader) continue;
    const NodeId better = BetterLeaderOf(group);
    if (better == options_.self || better == NodeId()) continue;
    const absl::Status status = core.TransferLeadership(better);
    if (!status.ok()) {
      spdlog::debug("group {}: leadership stays: {}", group.raft->id().value(),
                    status.ToString());
    }
  }
}

NodeId GroupLoop::BetterLeaderOf(const Group& group) const {
  // Group g belongs to the node g mod n: leaders spread over the zones, and
  // every node knows where without asking.
  const size_t count = options_.nodes.size();
  const size_t home = group.raft->id().value() % count;
  const bool must_leave = !MayLead(options_.self);
  const std::vector<raft::PeerStatus> peers = group.raft->core().peers();
  for (size_t i = 0; i < count; ++i) {
    const NodeId node = options_.nodes[(home + i) % count];
    if (node == options_.self) {
      if (must_leave) continue;
      return node;
    }
    const auto peer = std::find_if(
        peers.begin(), peers.end(),
        [&](const raft::PeerStatus& status) { return status.node == node; });
    if (peer != peers.end() && peer->recently_active && !peer->recovering &&
        !peer->needs_snapshot &&
        peer->match >= group.raft->core().commit_index() && MayLead(node)) {
      return node;
    }
  }
  return NodeId();
}

void GroupLoop::BoundMemory() {
  const uint64_t count = groups_.size();
  absl::flat_hash_map<GroupId, LogIndex> excess;
  for (const auto& [group, last] : log_->FindExcess(options_.log_bytes_kept))
    excess[group] = last;
  for (Group& group : groups_) {
    const GroupId id = group.raft->id();
    const LogIndex base = group.raft->core().base_index();
    const LogIndex trimmed = group.raft->Bound(
        state_->Durable(id).index, options_.cached_payload_bytes / count,
        options_.log_bytes_kept / count, excess[id]);
    if (trimmed > base) log_->Trim(id, trimmed);
  }
}

void GroupLoop::TellLeader(Group& group, absl::Duration now) const {
  const raft::Raft& core = group.raft->core();
  const NodeId leader = core.leader();
  if (leader == NodeId() ||
      (leader == group.told_leader && core.term() == group.told_term) ||
      now - group.told_at < options_.leader_log_period) {
    return;
  }
  group.told_leader = leader;
  group.told_term = core.term();
  group.told_at = now;
  if (options_.log_own_leaderships_only && leader != options_.self) return;
  std::string zone = "a zone not known yet";
  {
    absl::MutexLock lock(&mu_);
    if (const NodeReport* const report = ReportOf(leader)) zone = report->zone;
  }
  spdlog::info("group {}: node {} in {} leads in term {}",
               group.raft->id().value(), leader.value(), zone, core.term());
}

void GroupLoop::RefreshReport(absl::Duration now) {
  NodeReport report = DescribeGroups();
  {
    absl::MutexLock lock(&mu_);
    self_.groups = report.groups;
    self_.uptime = now - started_;
    self_.log_write_time = LogWriteTime(now);
    self_.draining = draining_;
    report = self_;
  }
  // The file system may say otherwise, of a disk with a quota for example.
  if (WaitsForSpace()) report.disk_free_bytes = 1;
  // That leaders left for want of space must be known where they go, or they
  // are handed back.
  const bool has_room = HasRoom(options_.self);
  if (has_room == reported_room_ && now < next_report_) return;
  reported_room_ = has_room;
  next_report_ = now + options_.report_period;
  const auto shared = std::make_shared<const NodeReport>(std::move(report));
  for (const NodeId node : options_.nodes) {
    if (node != options_.self) OutboxFor(node).report = shared;
  }
}

NodeReport GroupLoop::DescribeGroups() const {
  NodeReport report;
  for (const Group& group : groups_) {
    const raft::Raft& core = group.raft->core();
    GroupReport& described = report.groups.emplace_back();
    described.group = group.raft->id();
    described.leader = core.leader();
    described.term = core.term();
    described.commit_index = core.commit_index();
    described.applied_index = state_->Applied(described.group).index;
    described.recovering = core.recovering() || group.raft->installing;
    described.leads = core.role() == raft::Role::kLeader;
    if (!described.leads) continue;
    for (const raft::PeerStatus& peer : core.peers()) {
      described.peers.push_back({peer.node, peer.match, peer.recovering});
    }
  }
  return report;
}

void GroupLoop::DescribeSelf(NodeReport about) {
  absl::MutexLock lock(&mu_);
  about.groups = std::move(self_.groups);
  about.uptime = self_.uptime;
  about.log_write_time = self_.log_write_time;
  about.draining = self_.draining;
  self_ = std::move(about);
  self_.node = options_.self;
}

std::vector<KnownNode> GroupLoop::KnownNodes() const {
  const absl::Duration now = clock_->MonotonicNow();
  absl::MutexLock lock(&mu_);
  std::vector<KnownNode> known;
  known.push_back({self_, absl::ZeroDuration()});
  known.front().report.node = options_.self;
  for (const auto& [node, heard] : heard_) {
    known.push_back({*heard.report, now - heard.at});
  }
  std::sort(known.begin(), known.end(),
            [](const KnownNode& a, const KnownNode& b) {
              return a.report.node < b.report.node;
            });
  return known;
}

absl::Duration GroupLoop::LogWriteTime(absl::Duration now) const {
  // A write that hangs tells before it ends. One that waits for space is not
  // slow.
  if (!writing_ || waits_for_space_) return log_write_time_;
  return std::max(log_write_time_, now - write_started_);
}

// Whether leaders should stay at the node, or go there.
bool GroupLoop::MayLead(NodeId node) const {
  return HasRoom(node) && !IsSlow(node) && !IsDraining(node);
}

// One that is about to stop would have to hand over again what it is given.
bool GroupLoop::IsDraining(NodeId node) const {
  if (node == options_.self) return draining_;
  absl::MutexLock lock(&mu_);
  const NodeReport* const report = ReportOf(node);
  return report != nullptr && report->draining;
}

bool GroupLoop::HasRoom(NodeId node) const {
  if (node == options_.self && WaitsForSpace()) return false;
  absl::MutexLock lock(&mu_);
  const NodeReport* const report = ReportOf(node);
  if (report == nullptr) return true;  // Not known to be full.
  // 0: the node has not looked yet.
  return report->disk_free_bytes == 0 ||
         report->disk_free_bytes >= options_.disk_free_bytes_min;
}

bool GroupLoop::WaitsForSpace() const {
  return waits_for_space_ || applier_->waits_for_space();
}

// Whether records can be made durable: here and in a majority. Replicas that do
// not answer count only beside a full disk: without one, whether there is a
// majority is the core's business.
bool GroupLoop::TakesPuts(const RaftGroup& group) const {
  const raft::Raft& core = group.core();
  if (core.role() != raft::Role::kLeader) return true;
  if (!HasRoom(options_.self)) return false;
  size_t have_room = 1;
  bool any_full = false;
  for (const raft::PeerStatus& peer : core.peers()) {
    const bool has_room = HasRoom(peer.node);
    any_full |= !has_room;
    if (has_room && peer.recently_active) ++have_room;
  }
  return !any_full || have_room > options_.nodes.size() / 2;
}

// Slow by itself and beside the fastest: when all are, nobody should move.
bool GroupLoop::IsSlow(NodeId node) const {
  absl::MutexLock lock(&mu_);
  const NodeReport* const report = ReportOf(node);
  if (report == nullptr || report->log_write_time < kSlowLogWrite) return false;
  absl::Duration fastest = self_.log_write_time;
  for (const auto& [peer, heard] : heard_) {
    fastest = std::min(fastest, heard.report->log_write_time);
  }
  return report->log_write_time > kSlowBesideFastest * fastest;
}

const NodeReport* GroupLoop::ReportOf(NodeId node) const {
  if (node == options_.self) return &self_;
  const auto heard = heard_.find(node);
  return heard == heard_.end() ? nullptr : heard->second.report.get();
}

}  // namespace trireme
