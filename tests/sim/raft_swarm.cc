#include "tests/sim/raft_swarm.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/raft_message_text.h"

namespace trireme::sim {
namespace {

using raft::Message;
using raft::MessageType;
using raft::Ready;
using raft::Role;

constexpr uint64_t kMillisecond = 1000;
constexpr uint64_t kTick = 100 * kMillisecond;
constexpr uint64_t kHealLimit = 20'000 * kMillisecond;

}  // namespace

RaftSwarm::RaftSwarm(const SwarmOptions& options)
    : options_(options), random_(options.seed) {
  DrawWeather();
  MakeNodes();
}

void RaftSwarm::DrawWeather() {
  Weather& w = weather_;
  w.drop = random_.Chance(0.4) ? 0 : 0.01 * random_.Below(21);
  w.duplicate = random_.Chance(0.5) ? 0 : 0.01 * random_.Below(11);
  w.fifo = random_.Chance(0.4);
  if (w.fifo) w.duplicate = 0;
  w.delay_max = random_.Chance(0.2) ? 500 * kMillisecond
                                    : random_.Between(1, 60) * kMillisecond;
  w.disk_max = random_.Chance(0.2) ? 600 * kMillisecond
                                   : random_.Between(1, 60) * kMillisecond;
  w.notice_max =
      random_.Chance(0.5) ? 0 : random_.Between(1, 300) * kMillisecond;
  w.early_hard_state = random_.Chance(0.5);
  w.defer_turn = 0.1 * random_.Below(8);
  w.pull_anywhere = random_.Chance(0.3);
  w.client_every = random_.Between(5, 80) * kMillisecond;
  w.fault_every = (random_.Chance(0.5) ? random_.Between(50, 300)
                                       : random_.Between(300, 2000)) *
                  kMillisecond;
  w.burst_max = random_.Chance(0.5) ? 60 : 3;
  // Some schedules are about one kind of trouble only.
  const auto weight = [this] {
    return random_.Chance(0.3) ? 0 : static_cast<int>(random_.Between(1, 30));
  };
  w.crash = weight();
  w.crash_leader = weight();
  w.cut = weight();
  w.mend = 1 + w.cut + weight();
  w.lose_disk = random_.Chance(0.5) ? 0 : weight();
  w.campaign = weight();
  w.transfer = weight();
  // Who counts as lost is defined for a fixed membership only.
  w.change = w.lose_disk > 0 || random_.Chance(0.5) ? 0 : weight();
}

void RaftSwarm::MakeNodes() {
  const int count = random_.Chance(0.6) ? 3 : 5;
  raft::Config config;
  for (int i = 0; i < count; ++i) config.voters.push_back(NodeId(i + 1));
  config.pre_vote = random_.Chance(0.7);
  config.inflight_messages_max = random_.Between(1, 32);
  config.message_bytes_max = random_.Chance(0.5) ? 300 : 1 << 20;
  config.inflight_bytes_max = random_.Chance(0.3) ? 600 : 16 << 20;
  config.uncommitted_bytes_max = random_.Chance(0.3) ? 4000 : 64 << 20;
  config.incarnation = 1;
  config.heartbeat_ticks = 1 + static_cast<int>(random_.Below(2));
  config.election_ticks =
      config.heartbeat_ticks + static_cast<int>(random_.Between(2, 8));
  for (int i = 0; i < count; ++i) {
    config.self = NodeId(i + 1);
    config.seed = random_.Next();
    nodes_.emplace_back(RaftReplica(config, &checker_));
    nodes_[i].replica.set_check_messages(options_.check_messages);
    nodes_[i].slow_disk = random_.Chance(0.15) ? 5 : 1;
    nodes_[i].tick = kTick - 3000 + random_.Below(6000);
  }
  link_up_.assign(count, std::vector<bool>(count, true));
  slow_link_.assign(count, std::vector<int>(count, 1));
  while (random_.Chance(0.3)) {
    slow_link_[random_.Below(count)][random_.Below(count)] = 10;
  }
  link_free_.assign(count, std::vector<Micros>(count, 0));
  for (size_t bytes = 0; bytes <= 200; bytes += 20) {
    payloads_.push_back(MakePayload(std::string(bytes, 'x')));
  }
  for (int i = 0; i < count; ++i) {
    nodes_[i].replica.Start();
    Schedule(random_.Below(kTick), EventType::kTick, i, 0);
    AfterInput(i);
  }
  Schedule(kTick, EventType::kClient, 0, 0);
  Schedule(kTick, EventType::kFault, 0, 0);
}

SwarmResult RaftSwarm::Run() {
  for (int i = 0; i < options_.events && !checker_.failed(); ++i) {
    const Event event = events_.top();
    events_.pop();
    RunOne(event);
  }
  if (!checker_.failed() && !Heal()) {
    checker_.Fail("not everything is committed everywhere 20 s after healing");
  }
  result_.failure = checker_.failure();
  result_.committed = checker_.committed();
  result_.leaders = checker_.leaders();
  return result_;
}

void RaftSwarm::Schedule(Micros delay, EventType type, int node,
                         uint64_t detail) {
  events_.push({now_ + delay, order_++, type, node, detail});
}

// Of a life of the replica that a crash has ended.
bool RaftSwarm::Stale(const Event& event) const {
  switch (event.type) {
    case EventType::kTurn:
    case EventType::kDisk:
    case EventType::kNotice:
    case EventType::kPulled:
      return event.detail != nodes_[event.replica].life;
    default:
      return false;
  }
}

void RaftSwarm::RunOne(const Event& event) {
  now_ = event.time;
  if (Stale(event)) return;
  Trace(event);
  Node& node = nodes_[event.replica];
  switch (event.type) {
    case EventType::kDeliver:
      return Deliver(event);
    case EventType::kTick:
      Schedule(node.tick, EventType::kTick, event.replica, 0);
      if (!node.replica.up()) return;
      node.replica.core().Tick();
      return AfterInput(event.replica);
    case EventType::kTurn:
      node.turn_scheduled = false;
      return TakeReady(event.replica);
    case EventType::kDisk:
      return FinishDisk(event.replica);
    case EventType::kNotice: {
      const Notice notice = node.notices.front();
      node.notices.pop_front();
      return Notify(event.replica, notice);
    }
    case EventType::kPulled:
      return Pulled(event.replica);
    case EventType::kRestart:
      if (node.replica.up()) return;
      node.replica.Start();
      return AfterInput(event.replica);
    case EventType::kClient:
      Schedule(random_.Between(1, 2 * weather_.client_every),
               EventType::kClient, 0, 0);
      return ClientAction();
    case EventType::kFault:
      if (healing_) return;
      Schedule(random_.Between(1, 2 * weather_.fault_every), EventType::kFault,
               0, 0);
      return FaultAction();
  }
}

void RaftSwarm::AfterInput(int index) {
  Node& node = nodes_[index];
  ++result_.steps;
  node.replica.Observe();
  if (!node.replica.core().HasReady() || node.turn_scheduled) return;
  if (!random_.Chance(weather_.defer_turn)) return TakeReady(index);
  node.turn_scheduled = true;
  Schedule(random_.Below(10 * kMillisecond), EventType::kTurn, index,
           node.life);
}

void RaftSwarm::TakeReady(int index) {
  Node& node = nodes_[index];
  Ready ready = node.replica.TakeReady();
  for (Message& message : ready.messages) Send(index, std::move(message));
  CheckReads(ready);
  if (ready.snapshot) {
    node.pulling = *ready.snapshot;
    Schedule(random_.Between(1, healing_ ? 20 : 400) * kMillisecond,
             EventType::kPulled, index, node.life);
  }
  node.replica.Observe();
  StartDisk(index);
}

void RaftSwarm::CheckReads(const Ready& ready) {
  for (const raft::ReadReady& read : ready.reads) {
    ++result_.reads;
    if (read.index < reads_[read.context]) {
      checker_.Fail(absl::StrCat("a read was confirmed at ", read.index,
                                 ", before it ", reads_[read.context],
                                 " was acknowledged"));
    }
  }
}

void RaftSwarm::Send(int from, Message message) {
  const int to = static_cast<int>(message.to.value()) - 1;
  if (!link_up_[from][to] || random_.Chance(weather_.drop)) return;
  const int copies = random_.Chance(weather_.duplicate) ? 2 : 1;
  for (int copy = 1; copy <= copies; ++copy) {
    Micros delay = 1 + random_.Below(weather_.delay_max * slow_link_[from][to]);
    if (weather_.fifo) {
      Micros& free = link_free_[from][to];
      free = std::max(free, now_ + delay);
      delay = free - now_;
    }
    uint64_t slot = flying_.size();
    if (free_slots_.empty()) {
      flying_.emplace_back();
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    if (copy == copies) {
      flying_[slot] = std::move(message);
    } else {
      flying_[slot] = message;
    }
    Schedule(delay, EventType::kDeliver, to, slot);
  }
}

void RaftSwarm::Deliver(const Event& event) {
  Message message = std::move(flying_[event.detail]);
  free_slots_.push_back(event.detail);
  const int from = static_cast<int>(message.from.value()) - 1;
  Node& node = nodes_[event.replica];
  if (!node.replica.up() || !link_up_[from][event.replica]) return;
  node.replica.core().Step(std::move(message));
  AfterInput(event.replica);
}

void RaftSwarm::StartDisk(int index) {
  Node& node = nodes_[index];
  if (node.disk_busy || node.replica.pending_writes() == 0) return;
  node.disk_busy = true;
  Schedule(1 + random_.Below(weather_.disk_max * node.slow_disk),
           EventType::kDisk, index, node.life);
}

void RaftSwarm::FinishDisk(int index) {
  Node& node = nodes_[index];
  node.disk_busy = false;
  const auto tell = [&](const Notice& notice) {
    const Micros at = std::max(node.last_notice,
                               now_ + random_.Below(weather_.notice_max + 1));
    node.last_notice = at;
    if (at == now_) return Notify(index, notice);
    node.notices.push_back(notice);
    Schedule(at - now_, EventType::kNotice, index, node.life);
  };
  const bool was_whole = node.replica.whole();
  if (weather_.early_hard_state) {
    const std::optional<raft::HardState> hard_state =
        node.replica.PersistHardState();
    if (!was_whole && node.replica.whole()) ++result_.recoveries;
    if (hard_state) {
      tell({true, *hard_state, 0, 0});
      return StartDisk(index);
    }
  }
  RaftReplica::Persisted persisted = node.replica.PersistWrite();
  if (!was_whole && node.replica.whole()) ++result_.recoveries;
  for (Message& message : persisted.messages) Send(index, std::move(message));
  if (persisted.hard_state) tell({true, *persisted.hard_state, 0, 0});
  if (persisted.last_index > 0) {
    tell({false, {}, persisted.last_index, persisted.last_term});
  }
  StartDisk(index);
}

void RaftSwarm::Notify(int index, const Notice& notice) {
  raft::Raft& core = nodes_[index].replica.core();
  if (notice.is_hard_state) {
    core.OnHardStatePersisted(notice.hard_state);
  } else {
    core.OnPersisted(notice.index, notice.term);
  }
  AfterInput(index);
}

void RaftSwarm::Pulled(int index) {
  Node& node = nodes_[index];
  int source = static_cast<int>(node.pulling.from.value()) - 1;
  if (weather_.pull_anywhere && !healing_) {
    source = static_cast<int>(random_.Below(nodes_.size()));
  }
  if (source != index && link_up_[source][index] &&
      node.replica.Pull(nodes_[source].replica, node.pulling)) {
    ++result_.installs;
  } else {
    node.replica.core().SnapshotFailed();
  }
  AfterInput(index);
}

void RaftSwarm::Crash(int index, Micros down) {
  Node& node = nodes_[index];
  if (!node.replica.up()) return;
  ++result_.crashes;
  node.replica.Crash(random_.Below(node.replica.pending_steps() + 1));
  ++node.life;
  node.turn_scheduled = node.disk_busy = false;
  node.notices.clear();
  node.last_notice = 0;
  Schedule(down, EventType::kRestart, index, 0);
}

int RaftSwarm::Leader() {
  const int first = static_cast<int>(random_.Below(nodes_.size()));
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const int index = static_cast<int>((first + i) % nodes_.size());
    const RaftReplica& replica = nodes_[index].replica;
    if (replica.up() && replica.core().role() == Role::kLeader) return index;
  }
  return -1;
}

void RaftSwarm::ClientAction() {
  const int leader = Leader();
  if (leader < 0) return;
  raft::Raft& core = nodes_[leader].replica.core();
  if (healing_ && core.membership().voters.size() < nodes_.size()) {
    std::vector<NodeId> all;
    for (const Node& node : nodes_) all.push_back(node.replica.node());
    (void)core.ProposeMembership(all, {});
    return AfterInput(leader);
  }
  const uint64_t dice = random_.Below(100);
  if (dice < 60) {
    const uint64_t burst = random_.Between(1, weather_.burst_max);
    // Clients that wait for their answers make no endless backlog.
    const LogIndex waiting = core.last_index() - core.commit_index();
    for (uint64_t i = waiting; i < 300 && i < waiting + burst; ++i) {
      (void)core.Propose(payloads_[random_.Below(payloads_.size())],
                         ++proposals_);
    }
  } else if (dice < 85) {
    if (core.RequestRead(reads_.size()).ok()) {
      reads_.push_back(checker_.committed());
    }
  } else {
    // Each replica flushes, trims and evicts at its own pace.
    RaftReplica& replica = nodes_[random_.Below(nodes_.size())].replica;
    if (!replica.up()) return;
    const LogIndex base = replica.core().base_index();
    const LogIndex more = replica.applied() - base;
    replica.FlushUpTo(base + random_.Below(more + 1));
    replica.core().EvictPayloads(base + random_.Below(more + 1));
    replica.Trim(base + random_.Below(more + 1));
    replica.Observe();
  }
  AfterInput(leader);
}

void RaftSwarm::FaultAction() {
  const Weather& w = weather_;
  const int victim = static_cast<int>(random_.Below(nodes_.size()));
  const int leader = Leader();
  // Back at once, or after others have had time to notice.
  const Micros down = random_.Chance(0.7) ? random_.Below(50 * kMillisecond)
                                          : random_.Below(3000 * kMillisecond);
  int dice = static_cast<int>(random_.Below(w.crash + w.crash_leader + w.cut +
                                            w.mend + w.lose_disk + w.campaign +
                                            w.transfer + w.change));
  const auto falls_on = [&dice](int weight) {
    dice -= weight;
    return dice < 0;
  };
  if (falls_on(w.crash)) return Crash(victim, down);
  if (falls_on(w.crash_leader)) {
    if (leader >= 0) Crash(leader, down);
    return;
  }
  if (falls_on(w.cut)) return CutLinks();
  if (falls_on(w.mend)) return MendLinks();
  if (falls_on(w.lose_disk)) return LoseDisk(victim, down);
  if (falls_on(w.campaign)) {
    if (!nodes_[victim].replica.up()) return;
    nodes_[victim].replica.core().Campaign();
    return AfterInput(victim);
  }
  if (leader < 0) return;
  raft::Raft& core = nodes_[leader].replica.core();
  if (falls_on(w.transfer)) {
    if (core.TransferLeadership(NodeId(victim + 1)).ok()) ++result_.transfers;
  } else {
    ChangeMembership(core);
  }
  AfterInput(leader);
}

// Any voters, some of the others as learners.
void RaftSwarm::ChangeMembership(raft::Raft& core) {
  std::vector<NodeId> voters, learners;
  for (const Node& node : nodes_) {
    const uint64_t dice = random_.Below(6);
    if (dice < 4) voters.push_back(node.replica.node());
    if (dice == 4) learners.push_back(node.replica.node());
  }
  if (core.ProposeMembership(voters, learners).ok()) ++result_.changes;
}

void RaftSwarm::CutLinks() {
  const int count = static_cast<int>(nodes_.size());
  const bool one_way = random_.Chance(0.4);
  if (random_.Chance(0.5)) {  // One link.
    const int a = static_cast<int>(random_.Below(count));
    const int b = static_cast<int>(random_.Below(count));
    link_up_[a][b] = false;
    if (!one_way) link_up_[b][a] = false;
    return;
  }
  const uint64_t side = random_.Below(1u << count);
  for (int a = 0; a < count; ++a) {
    for (int b = 0; b < count; ++b) {
      const bool a_in = side >> a & 1, b_in = side >> b & 1;
      if (one_way ? a_in && !b_in : a_in != b_in) link_up_[a][b] = false;
    }
  }
}

void RaftSwarm::MendLinks() {
  for (auto& links : link_up_) links.assign(links.size(), true);
}

// A minority at most is without its disk's content at any time.
void RaftSwarm::LoseDisk(int index, Micros down) {
  size_t lost = 0;
  for (const Node& node : nodes_) lost += node.replica.whole() ? 0 : 1;
  Node& node = nodes_[index];
  const bool again = !node.replica.whole();
  if (!again && lost >= (nodes_.size() - 1) / 2) return;
  Crash(index, down);
  ++result_.wipes;
  if (random_.Chance(0.5)) {
    node.replica.Wipe();
  } else {
    const RaftDisk& disk = node.replica.disk();
    const size_t entries = disk.entries.size();
    node.replica.Damage(disk.base_index + 1 + random_.Below(entries + 1));
  }
}

bool RaftSwarm::Heal() {
  healing_ = true;
  MendLinks();
  slow_link_.assign(nodes_.size(), std::vector<int>(nodes_.size(), 1));
  weather_.drop = weather_.duplicate = 0;
  weather_.delay_max = 2 * kMillisecond;
  weather_.disk_max = 2 * kMillisecond;
  weather_.notice_max = 0;
  weather_.client_every = 50 * kMillisecond;
  weather_.burst_max = 1;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].slow_disk = 1;
    if (!nodes_[i].replica.up()) {
      Schedule(1, EventType::kRestart, static_cast<int>(i), 0);
    }
  }
  const Micros begin = now_;
  Micros next_look = now_;
  while (now_ < begin + kHealLimit && !checker_.failed()) {
    const Event event = events_.top();
    events_.pop();
    RunOne(event);
    if (now_ < next_look) continue;
    next_look = now_ + 20 * kMillisecond;
    if (!Converged()) continue;
    result_.heal_us = now_ - begin;
    return true;
  }
  return false;
}

// An entry proposed after the healing is committed on all, who all count.
bool RaftSwarm::Converged() {
  for (const Node& node : nodes_) {
    if (!node.replica.up() || !node.replica.whole()) return false;
  }
  const int leader = Leader();
  if (leader < 0) return false;
  const raft::Raft& core = nodes_[leader].replica.core();
  if (!core.committed_in_term() || core.membership().joint() ||
      core.membership().voters.size() < nodes_.size()) {
    return false;
  }
  if (heal_term_ != core.term()) {
    heal_term_ = core.term();
    heal_target_ = core.last_index() + 1;
  }
  for (const Node& node : nodes_) {
    if (node.replica.applied() < heal_target_) return false;
  }
  return true;
}

void RaftSwarm::Trace(const Event& event) {
  uint64_t hash = result_.trace_hash;
  const auto mix = [&hash](uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  };
  mix(event.time);
  mix(static_cast<uint64_t>(event.type) << 8 | event.replica);
  const Message* message = nullptr;
  if (event.type == EventType::kDeliver) {
    message = &flying_[event.detail];
    mix(static_cast<uint64_t>(message->type) << 8 | message->from.value());
    mix(message->term);
    mix(message->log_index << 20 ^ message->match ^ message->commit << 40);
  }
  result_.trace_hash = hash;
  if (!options_.trace) return;
  static constexpr const char* kNames[] = {"deliver", "tick",   "turn",
                                           "disk",    "notice", "pulled",
                                           "restart", "client", "fault"};
  static constexpr const char* kRoles[] = {"follower", "pre-candidate",
                                           "candidate", "leader"};
  const RaftReplica& replica = nodes_[event.replica].replica;
  std::string line =
      absl::StrCat(now_ / 1000, " ms ", kNames[static_cast<int>(event.type)],
                   " at ", replica.node().value());
  if (replica.up()) {
    const raft::Raft& core = replica.core();
    absl::StrAppend(&line, " [", kRoles[static_cast<int>(core.role())],
                    " term ", core.term(), " base ", core.base_index(),
                    " commit ", core.commit_index(), " persisted ",
                    core.persisted_index(), " last ", core.last_index(),
                    core.recovering() ? " recovering" : "", "]");
  } else {
    absl::StrAppend(&line, " [down]");
  }
  if (message != nullptr) absl::StrAppend(&line, " ", ToString(*message));
  options_.trace(line);
}

}  // namespace trireme::sim
