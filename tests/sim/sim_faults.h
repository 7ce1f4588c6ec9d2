// What goes wrong in a simulated cluster, by its dice: each seed has its own
// mix of faults, and each fault ends after a while.
#ifndef TRIREME_TESTS_SIM_SIM_FAULTS_H_
#define TRIREME_TESTS_SIM_SIM_FAULTS_H_

#include <cstdint>
#include <vector>

#include "tests/sim/sim_cluster.h"

namespace trireme::sim {

class SimFaults {
 public:
  // The cluster must outlive all its events.
  explicit SimFaults(SimCluster* cluster);

  void Start();
  // No new ones; SimCluster::EndFaults ends those that last.
  void Stop();

 private:
  using Fault = void (SimFaults::*)();
  // Every fault there is.
  static const std::vector<Fault>& All();

  // Processes and machines.
  void KillOne();
  void PowerFailureOfOne();
  void PowerFailureOfAll();
  void PauseOne();
  void DrainAndStop();
  // Network.
  void CutOneOff();
  void BlockOneWay();
  void BlockPair();
  void BreakOne();
  void SlowLink();
  void BadNetwork();
  // Disks and clocks.
  void SlowDisk();
  void SlowApplier();
  void Fill(int node);
  void FillDisk();
  void FillAllDisks();
  void FailSync();
  void FailWrite();
  void FailApply();
  void LoseDisk();
  void DamageDisk();
  void JumpWallClock();

  void Next();
  Micros Between(Micros low, Micros high);
  // Later, if the faults have not been stopped since.
  void After(Micros delay, absl::AnyInvocable<void()> run);
  int AnyNode();
  void Crash(int i, SimNode::Stop how);
  void StartLater(int i, Micros delay_max);
  void RestartWhenItStopsItself();

  SimCluster* const cluster_;
  std::vector<Fault> mix_;
  Micros pause_max_ = 0;
  uint64_t round_ = 0;  // Grows at Start and Stop.
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_FAULTS_H_
