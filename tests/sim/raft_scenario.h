// RaftScenario runs one written scenario of the consensus core: a text file
// whose first line says what must hold, and then a verb a line. Nothing
// happens by itself: messages wait in the network until delivered, writes on
// the disks until persisted, ticks come when told. RaftChecker watches.
//
//   nodes 3 [voters=2] [pre_vote=off] [window=N] [message_bytes=N]
//   [uncommitted=N] campaign 1 | tick 1 12 | tick all | propose 1 [3]
//   [bytes=100] | read 1 77 change 1 to 1 2 [3]...    proposes these voters
//   transfer 1 2 | flush 1 | trim 1 5
//   deliver [append] [1->2]   all that is in flight now, or of that kind, link
//   drop | duplicate | hold NAME | copy NAME   the same selection
//   release NAME              puts what was held or copied in flight again
//   persist 2 | persist 2 one | persist 2 hard-state | persist 2 silently
//   notify 2 [one]            the notices that `silently` kept back
//   crash 2 [STEPS] | restart 2 | wipe 3 | damage 3 FROM
//   pull 2 [from 1] | pull 2 fails
//   cut 1 2 | isolate 3 | mend
//   settle                    delivers and persists until nothing is left
//   expect ...                see the comment in raft_scenario.cc
#ifndef TRIREME_TESTS_SIM_RAFT_SCENARIO_H_
#define TRIREME_TESTS_SIM_RAFT_SCENARIO_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "replication/raft/raft.h"
#include "tests/sim/raft_checker.h"
#include "tests/sim/raft_replica.h"

namespace trireme::sim {

class RaftScenario {
 public:
  // Empty when all expectations and all promises held; otherwise the line and
  // what was wrong with it.
  std::string Run(const std::string& text);

 private:
  using Words = std::vector<std::string>;
  struct Node {
    std::unique_ptr<RaftReplica> replica;
    std::deque<RaftReplica::Persisted> notices;
    std::optional<raft::Ready::SnapshotRequest> pulling;
    uint64_t pulls = 0;  // Asked for so far.
    std::map<uint64_t, LogIndex> reads;
    std::set<uint64_t> failed_reads;
    bool refused = false;  // The last proposal.
  };

  // Verbs; each returns what went wrong.
  std::string RunLine(const Words& words);
  std::string Nodes(const Words& words);
  std::string Input(const Words& words);
  std::string Propose(const Words& words, Node& node);
  std::string Disk(const Words& words);
  std::string Network(const Words& words);
  std::string Pull(const Words& words);
  std::string Expect(const Words& words);
  std::string ExpectOfNode(const Words& words);
  std::string ExpectMessages(const Words& words);
  std::string ExpectRead(const Words& words);
  std::string ExpectSameLogs();
  void Settle();

  Node& At(const std::string& word);
  void CollectAll();
  void Collect(Node& node);
  void Deliver(const raft::Message& message);
  void Notify(Node& node);
  void Persist(Node& node, bool silently);
  bool Selected(const raft::Message& message, const Words& words) const;
  std::vector<raft::Message> TakeSelected(const Words& words);
  std::string InFlight() const;

  RaftChecker checker_;
  std::map<int, Node> nodes_;
  std::deque<raft::Message> flying_;
  std::map<std::string, std::vector<raft::Message>> held_;
  std::set<std::pair<uint32_t, uint32_t>> cut_;
  uint32_t proposals_ = 0;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_RAFT_SCENARIO_H_
