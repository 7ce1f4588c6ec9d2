// RaftChecker watches all replicas of a simulated group from outside and knows
// what Raft promises (Raft figure 3): one leader per term, log matching,
// leader completeness, one committed entry per index. It never helps a core;
// the first broken promise is kept as text.
#ifndef TRIREME_TESTS_SIM_RAFT_CHECKER_H_
#define TRIREME_TESTS_SIM_RAFT_CHECKER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "replication/raft/raft.h"

namespace trireme::sim {

// The hash of a log up to and including `entry`, given the one before it.
uint64_t ChainHash(uint64_t previous, const raft::Entry& entry);

class RaftChecker {
 public:
  void OnLeader(NodeId node, const raft::Raft& core);
  void OnAppended(NodeId node, LogIndex index, Term term, uint64_t hash);
  // `node`, which is in `node_term`, holds (index, term) as committed.
  void OnCommitted(NodeId node, LogIndex index, Term term, uint64_t hash,
                   Term node_term);

  // The highest index any replica has shown as committed: all up to there may
  // have been acknowledged to clients.
  LogIndex committed() const { return committed_.size() - 1; }

  uint64_t leaders() const { return leaders_; }

  void Fail(std::string what);
  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

 private:
  struct Committed {
    uint64_t hash = 0;
    Term term = 0;
    Term by_term = 0;  // It was committed in this term or before.
  };

  std::vector<NodeId> leader_of_term_;
  uint64_t leaders_ = 0;
  // By index: the terms seen there, each with the only hash it may have.
  std::vector<std::vector<std::pair<Term, uint64_t>>> logs_;
  std::vector<Committed> committed_ = {Committed()};
  std::string failure_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_RAFT_CHECKER_H_
