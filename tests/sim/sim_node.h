// One node of a simulated cluster: the real loop, log writer, applier,
// catch-up and segment log over a faulty disk, run turn by turn from the
// event queue. It can crash, be paused, and lose its disk.
//
// What survives a crash is the disk, what of the state was flushed, and the
// incarnation. Everything else is a Life.
#ifndef TRIREME_TESTS_SIM_SIM_NODE_H_
#define TRIREME_TESTS_SIM_SIM_NODE_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "replication/group_loop.h"
#include "storage/segment_log.h"
#include "tests/sim/fault_disk.h"
#include "tests/sim/random.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_events.h"
#include "tests/sim/sim_history.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_state.h"
#include "tests/sim/sim_trace.h"

namespace trireme::sim {

// What nodes share; all of it outlives them.
struct SimWorld {
  Events* events;
  Random* random;
  Trace* trace;
  History* history;
  SimNetwork* network;
};

struct SimNodeOptions {
  GroupLoopOptions
      loop;  // self, seed, incarnation and recovering are set here.
  SegmentLogOptions log;
  uint64_t disk_bytes = 64u << 20;
  Micros flush_period_max = 2 * kSecond;
  Micros pull_delay_max = 100 * kMillisecond;
  // Commands are those of command.proto instead of sim_state.h's.
  bool product_commands = false;
};

// How long the node's threads take for one turn.
struct SimSpeeds {
  Micros loop_max = 100;
  Micros sync_min = 100;
  Micros sync_max = 1000;
  Micros apply_max = 200;
};

class SimNode : public EnvelopeReceiver {
 public:
  enum class Stop {
    kKill,          // The process dies; what it wrote stays.
    kPowerFailure,  // The machine dies; what was not synced may be gone.
  };

  SimNode(NodeId id, const SimNodeOptions& options, const SimWorld& world);
  ~SimNode() override;

  NodeId id() const { return id_; }
  bool up() const { return life_ != nullptr; }
  // Grows with each start.
  uint64_t life() const { return life_number_; }
  // Null when not up.
  GroupLoop* loop();
  SimState& state() { return *state_; }
  FaultDisk& disk() { return *disk_; }
  SimClock& clock() { return clock_; }
  // The group's part of the node's own report; the node is up. Until its first
  // tick a node is taken to recover.
  GroupReport ReportOf(GroupId group) const;

  void Start();
  // `in_write`: in the middle of a write of the log, if there is one.
  void Crash(Stop how, bool in_write = false);
  // A new, empty disk. The node is not up.
  void Wipe();
  // Damages up to `bits` bits of segments that were surely synced. The node is
  // not up. Returns how many.
  int FlipBits(int bits);
  // Damages the last batch that is not a mark. The node is not up.
  void FlipBitOfLastWrite();
  // Removes the newest segment that holds a batch. The node is not up.
  void LoseNewestSegment();
  void Pause(Micros duration);
  Micros paused_until() const { return paused_until_; }
  // The disk is whole and has space again, the process runs.
  void EndFaults();
  void set_speeds(const SimSpeeds& speeds) { speeds_ = speeds; }
  const SimSpeeds& speeds() const { return speeds_; }

  // Something was pushed to the loop.
  void Wake();
  // Called when the node has stopped itself, after its crash.
  void OnFatal(absl::AnyInvocable<void(SimNode*)> on_fatal) {
    on_fatal_ = std::move(on_fatal);
  }
  // Whether it stopped itself in its last life.
  bool stopped_itself() const { return stopped_itself_; }
  uint64_t pulls() const { return pulls_; }
  uint64_t damages() const { return damages_; }

  // EnvelopeReceiver
  void Receive(Envelope envelope) override;
  void ConnectionLost(NodeId peer) override;

 private:
  struct Life;
  class NodeTransport;

  std::vector<std::string> SegmentPaths() const;
  void DescribeDisk();
  void ScheduleFlush();
  void ScheduleLoop(Micros time);
  void ScheduleThreads();
  template <typename Thread>
  void ScheduleThread(bool Life::*scheduled, Thread& thread, Micros low,
                      Micros high);
  // Runs `run` in this life, once the node is not paused.
  void Later(Micros time, absl::AnyInvocable<void()> run);
  void RunLoop(Micros time);
  void StopAtStart(const absl::Status& status);
  void StopIfFatal();

  // Set at construction.
  const NodeId id_;
  const SimNodeOptions options_;
  const SimWorld world_;

  SimClock clock_;
  std::mt19937_64 disk_random_;
  std::unique_ptr<FaultDisk> disk_;
  std::unique_ptr<SimState> state_;
  uint64_t incarnation_ = 1;
  bool recovering_ = false;  // The disk replaced a member's.
  SimSpeeds speeds_;
  Micros paused_until_ = 0;
  uint64_t life_number_ = 0;
  std::unique_ptr<Life> life_;
  bool stopped_itself_ = false;
  uint64_t pulls_ = 0;
  uint64_t damages_ = 0;
  absl::AnyInvocable<void(SimNode*)> on_fatal_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_NODE_H_
