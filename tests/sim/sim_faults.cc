#include "tests/sim/sim_faults.h"

#include <utility>

namespace trireme::sim {

const std::vector<SimFaults::Fault>& SimFaults::All() {
  static const std::vector<Fault>* const all = new std::vector<Fault>{
      &SimFaults::KillOne,           &SimFaults::PowerFailureOfOne,
      &SimFaults::PowerFailureOfAll, &SimFaults::PauseOne,
      &SimFaults::DrainAndStop,      &SimFaults::CutOneOff,
      &SimFaults::BlockOneWay,       &SimFaults::BlockPair,
      &SimFaults::BreakOne,          &SimFaults::SlowLink,
      &SimFaults::BadNetwork,        &SimFaults::SlowDisk,
      &SimFaults::SlowApplier,       &SimFaults::FillDisk,
      &SimFaults::FillAllDisks,      &SimFaults::FailSync,
      &SimFaults::FailWrite,         &SimFaults::FailApply,
      &SimFaults::LoseDisk,          &SimFaults::DamageDisk,
      &SimFaults::JumpWallClock};
  return *all;
}

SimFaults::SimFaults(SimCluster* cluster) : cluster_(cluster) {
  Random& random = cluster_->random();
  const double density = random.Chance(0.5) ? 0.2 : 0.6;
  for (const Fault fault : All()) {
    if (random.Chance(density)) mix_.push_back(fault);
  }
  if (mix_.empty()) mix_.push_back(&SimFaults::KillOne);
  pause_max_ = random.Chance(0.05) ? 30 * kSecond : 4 * kSecond;
}

void SimFaults::Start() {
  ++round_;
  RestartWhenItStopsItself();
  if (cluster_->random().Chance(0.3)) BadNetwork();
  Next();
}

void SimFaults::Stop() { ++round_; }

void SimFaults::Next() {
  After(Between(100 * kMillisecond, 2 * kSecond), [this] {
    const Fault fault = mix_[cluster_->random().Below(mix_.size())];
    (this->*fault)();
    Next();
  });
}

Micros SimFaults::Between(Micros low, Micros high) {
  return static_cast<Micros>(cluster_->random().Between(
      static_cast<uint64_t>(low), static_cast<uint64_t>(high)));
}

void SimFaults::After(Micros delay, absl::AnyInvocable<void()> run) {
  cluster_->events().After(
      delay, [this, round = round_, run = std::move(run)]() mutable {
        if (round == round_) run();
      });
}

int SimFaults::AnyNode() {
  return static_cast<int>(cluster_->random().Below(SimCluster::kNodes));
}

void SimFaults::StartLater(int i, Micros delay_max) {
  After(Between(10 * kMillisecond, delay_max), [this, i] {
    if (!cluster_->node(i).up()) cluster_->node(i).Start();
  });
}

void SimFaults::RestartWhenItStopsItself() {
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_->node(i).OnFatal([this, i, round = round_](SimNode*) {
      if (round == round_) return StartLater(i, 2 * kSecond);
      cluster_->events().After(kSecond, [this, i] {
        if (!cluster_->node(i).up()) cluster_->node(i).Start();
      });
    });
  }
}

void SimFaults::Crash(int i, SimNode::Stop how) {
  cluster_->node(i).Crash(how, cluster_->random().Chance(0.5));
}

// --- processes and machines ---

void SimFaults::KillOne() {
  const int i = AnyNode();
  Crash(i, SimNode::Stop::kKill);
  StartLater(i, 3 * kSecond);
}

void SimFaults::PowerFailureOfOne() {
  const int i = AnyNode();
  Crash(i, SimNode::Stop::kPowerFailure);
  StartLater(i, 3 * kSecond);
}

void SimFaults::PowerFailureOfAll() {
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    Crash(i, SimNode::Stop::kPowerFailure);
    StartLater(i, kSecond);
  }
}

void SimFaults::PauseOne() {
  cluster_->node(AnyNode()).Pause(Between(100 * kMillisecond, pause_max_));
}

void SimFaults::DrainAndStop() {
  const int i = AnyNode();
  if (!cluster_->node(i).up()) return;
  cluster_->trace().Add("drain", i + 1);
  cluster_->node(i).loop()->StartDraining();
  After(Between(200 * kMillisecond, 2 * kSecond), [this, i] {
    Crash(i, SimNode::Stop::kKill);
    StartLater(i, 2 * kSecond);
  });
}

// --- network ---

void SimFaults::CutOneOff() {
  const int i = AnyNode();
  cluster_->Isolate(i);
  After(Between(300 * kMillisecond, 5 * kSecond),
        [this, i] { cluster_->Rejoin(i); });
}

void SimFaults::BlockOneWay() {
  const NodeId from = cluster_->node(AnyNode()).id();
  const NodeId to = cluster_->node(AnyNode()).id();
  if (from == to) return;
  cluster_->network().Block(from, to);
  After(Between(300 * kMillisecond, 5 * kSecond),
        [this, from, to] { cluster_->network().Unblock(from, to); });
}

void SimFaults::BlockPair() {
  const NodeId a = cluster_->node(AnyNode()).id();
  const NodeId b = cluster_->node(AnyNode()).id();
  if (a == b) return;
  cluster_->network().Block(a, b);
  cluster_->network().Block(b, a);
  After(Between(300 * kMillisecond, 5 * kSecond), [this, a, b] {
    cluster_->network().Unblock(a, b);
    cluster_->network().Unblock(b, a);
  });
}

void SimFaults::BreakOne() {
  const NodeId a = cluster_->node(AnyNode()).id();
  const NodeId b = cluster_->node(AnyNode()).id();
  if (a != b) cluster_->network().Break(a, b);
}

void SimFaults::SlowLink() {
  const NodeId a = cluster_->node(AnyNode()).id();
  const NodeId b = cluster_->node(AnyNode()).id();
  if (a == b) return;
  const Micros delay = Between(5 * kMillisecond, 300 * kMillisecond);
  cluster_->network().SetExtraDelay(a, b, delay);
  After(Between(kSecond, 4 * kSecond),
        [this, a, b] { cluster_->network().SetExtraDelay(a, b, 0); });
}

void SimFaults::BadNetwork() {
  NetworkConditions bad = cluster_->network().conditions();
  bad.delay_max = Between(kMillisecond, 30 * kMillisecond);
  bad.break_chance = cluster_->random().Chance(0.5) ? 0.01 : 0.001;
  bad.pull_break_chance = 0.3;
  cluster_->network().set_conditions(bad);
}

// --- disks and clocks ---

void SimFaults::SlowDisk() {
  const int i = AnyNode();
  SimSpeeds slow = cluster_->node(i).speeds();
  slow.sync_min = 50 * kMillisecond;
  slow.sync_max = 500 * kMillisecond;
  cluster_->node(i).set_speeds(slow);
  After(Between(kSecond, 5 * kSecond),
        [this, i] { cluster_->node(i).set_speeds({}); });
}

void SimFaults::SlowApplier() {
  const int i = AnyNode();
  SimSpeeds slow = cluster_->node(i).speeds();
  slow.apply_max = 100 * kMillisecond;
  slow.loop_max = 5 * kMillisecond;
  cluster_->node(i).set_speeds(slow);
  After(Between(kSecond, 5 * kSecond),
        [this, i] { cluster_->node(i).set_speeds({}); });
}

void SimFaults::Fill(int node) {
  cluster_->node(node).disk().SetFreeBytes(0);
  // Memory that is soon used up, or never.
  cluster_->node(node).state().HoldAtMost(static_cast<size_t>(Between(1, 400)));
}

void SimFaults::FillDisk() {
  const int i = AnyNode();
  cluster_->trace().Add("disk full", i + 1);
  Fill(i);
  After(Between(kSecond, 5 * kSecond), [this, i] {
    cluster_->trace().Add("disk has space", i + 1);
    cluster_->node(i).disk().SetFreeBytes(16u << 20);
  });
}

void SimFaults::FillAllDisks() {
  cluster_->trace().Add("disks full");
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    Fill(i);
    After(Between(kSecond, 3 * kSecond), [this, i] {
      cluster_->trace().Add("disk has space", i + 1);
      cluster_->node(i).disk().SetFreeBytes(16u << 20);
    });
  }
}

void SimFaults::FailSync() {
  cluster_->node(AnyNode()).disk().FailSync(
      static_cast<int>(cluster_->random().Below(5)));
}

void SimFaults::FailWrite() {
  cluster_->node(AnyNode()).disk().FailWrite(
      static_cast<int>(cluster_->random().Below(5)));
}

void SimFaults::FailApply() {
  cluster_->node(AnyNode()).state().FailNextApply();
}

void SimFaults::LoseDisk() {
  const int i = AnyNode();
  if (!cluster_->DiskMayBeLost(i)) return;
  Crash(i, SimNode::Stop::kPowerFailure);
  cluster_->node(i).Wipe();
  StartLater(i, 2 * kSecond);
}

void SimFaults::DamageDisk() {
  const int i = AnyNode();
  if (!cluster_->DiskMayBeLost(i)) return;
  Crash(i, SimNode::Stop::kKill);
  if (cluster_->random().Chance(0.3)) {
    cluster_->node(i).LoseNewestSegment();
  } else {
    cluster_->node(i).FlipBits(static_cast<int>(Between(1, 3)));
  }
  StartLater(i, kSecond);
}

void SimFaults::JumpWallClock() {
  const absl::Duration jump =
      absl::Hours(cluster_->random().Chance(0.5) ? 1 : -1);
  const int i = AnyNode();
  cluster_->trace().Add("wall clock jumps", i + 1, absl::ToInt64Hours(jump));
  cluster_->node(i).clock().JumpWall(jump);
}

}  // namespace trireme::sim
