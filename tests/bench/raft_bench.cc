// The core alone: three replicas in one thread, an instant network and disk.
// Counts committed entries and inputs (messages, proposals, notices) a second.
//
//   raft_bench [SECONDS] [BURST] [BYTES]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "replication/raft/raft.h"

namespace trireme::raft {
namespace {

class Group {
 public:
  Group() {
    Config config;
    config.voters = {NodeId(1), NodeId(2), NodeId(3)};
    for (uint32_t i = 1; i <= 3; ++i) {
      config.self = NodeId(i);
      config.seed = i;
      cores_.push_back(std::make_unique<Raft>(config, Restored()));
    }
    cores_[0]->Campaign();
    Turn();
  }

  void Propose(const Payload& payload, int burst) {
    for (int i = 0; i < burst; ++i) {
      if (!cores_[0]->Propose(payload, 0).ok()) std::abort();
    }
    steps_ += static_cast<uint64_t>(burst);
    Turn();
  }
  // As the state machines and the logs of the owners would.
  void Trim() {
    for (auto& core : cores_) core->TrimLog(core->commit_index());
  }

  LogIndex committed() const { return cores_[0]->commit_index(); }
  uint64_t steps() const { return steps_; }

 private:
  // Until nobody has anything to do.
  void Turn() {
    bool busy = true;
    while (busy) {
      busy = false;
      for (auto& core : cores_) {
        while (core->HasReady()) {
          busy = true;
          Work(*core);
        }
      }
    }
  }
  void Work(Raft& core) {
    Ready ready = core.TakeReady();
    Send(ready.messages);
    if (ready.hard_state) core.OnHardStatePersisted(*ready.hard_state);
    if (!ready.entries.empty()) {
      ++steps_;
      core.OnPersisted(ready.entries.back().index, ready.entries.back().term);
    }
    Send(ready.messages_after_persist);
  }
  void Send(std::vector<Message>& messages) {
    for (Message& message : messages) {
      ++steps_;
      cores_[message.to.value() - 1]->Step(std::move(message));
    }
  }

  std::vector<std::unique_ptr<Raft>> cores_;
  uint64_t steps_ = 0;
};

void Run(double seconds, int burst, size_t bytes) {
  using Clock = std::chrono::steady_clock;
  Group group;
  const Payload payload = MakePayload(std::string(bytes, 'x'));
  const LogIndex first = group.committed();
  const uint64_t steps = group.steps();
  const Clock::time_point begin = Clock::now();
  double elapsed = 0;
  while (elapsed < seconds) {
    for (int i = 0; i < 1000; ++i) group.Propose(payload, burst);
    group.Trim();
    elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  const double entries = static_cast<double>(group.committed() - first);
  const double inputs = static_cast<double>(group.steps() - steps);
  std::printf(
      "bursts of %3d: %9.0f entries/s committed on three replicas, %4.0f ns "
      "an input\n",
      burst, entries / elapsed, elapsed / inputs * 1e9);
}

}  // namespace
}  // namespace trireme::raft

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
  const size_t bytes = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1024;
  if (argc > 2) {
    trireme::raft::Run(seconds, std::atoi(argv[2]), bytes);
    return 0;
  }
  for (int burst : {1, 16, 60}) trireme::raft::Run(seconds, burst, bytes);
  return 0;
}
