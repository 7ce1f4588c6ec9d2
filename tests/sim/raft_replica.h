// RaftReplica is one replica under simulation: the real consensus core over a
// disk that is slow, finishes writes in order and keeps any prefix of what was
// pending in a crash; and a state machine that only counts and hashes.
//
// Used by the scenario interpreter (every step by hand) and by the swarm
// (every step by dice). It checks what the disk alone can tell: that no
// message leaves before what it depends on is durable.
#ifndef TRIREME_TESTS_SIM_RAFT_REPLICA_H_
#define TRIREME_TESTS_SIM_RAFT_REPLICA_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "replication/raft/raft.h"
#include "tests/sim/raft_checker.h"

namespace trireme::sim {

// What survives a crash.
struct RaftDisk {
  raft::HardState hard_state;
  LogIndex base_index = 0;
  Term base_term = 0;
  std::deque<raft::Entry> entries;  // Contiguous.
  LogIndex applied = 0;             // The state machine's last flush.
  Term applied_term = 0;
  // In force at the base and at the flush; no voters: as the group was made.
  raft::Membership base_membership;
  raft::Membership applied_membership;
  // The log was found damaged and the core has not yet recorded so.
  bool damaged = false;

  Term TermAt(LogIndex index) const;
  Term last_term() const {
    return entries.empty() ? base_term : entries.back().term;
  }
  void Append(const raft::Entry& entry);  // Cuts what is at or behind it.
  // What the owner of a core finds at its start.
  raft::Restored Restore() const;
};

class RaftReplica {
 public:
  RaftReplica(raft::Config config, RaftChecker* checker);

  NodeId node() const { return config_.self; }
  bool up() const { return core_ != nullptr; }
  raft::Raft& core() { return *core_; }
  const raft::Raft& core() const { return *core_; }
  const RaftDisk& disk() const { return disk_; }
  LogIndex applied() const { return applied_; }
  // False while it may not vouch for anything: its disk lost something.
  bool whole() const { return !disk_.hard_state.recovering && !disk_.damaged; }

  void Start();
  // After any input to the core: checks it and applies what is committed.
  void Observe();
  // Takes a Ready. Its writes are queued here, its immediate messages are
  // checked against the disk and returned with the rest.
  raft::Ready TakeReady();

  // --- the disk ---
  size_t pending_writes() const { return writes_.size(); }
  // The oldest write's hard state becomes durable; its notice is the caller's
  // to deliver. Nothing when that write has none (left).
  std::optional<raft::HardState> PersistHardState();
  // The rest of the oldest write becomes durable.
  struct Persisted {
    std::optional<raft::HardState> hard_state;
    LogIndex last_index = 0;  // 0: the write had no entries.
    Term last_term = 0;
    std::vector<raft::Message> messages;  // May leave now.
  };
  Persisted PersistWrite();
  size_t pending_steps() const;  // Hard states and entries, one by one.
  // Power fails after `steps` of what is pending.
  void Crash(size_t steps);
  // A new, empty disk; only while down.
  void Wipe();
  // Loses the log's entries from `index` on, and term and vote; while down.
  void Damage(LogIndex index);

  // --- the state machine ---
  void Flush() { FlushUpTo(applied_); }
  void FlushUpTo(LogIndex index);
  // Forgets the log up to what was flushed at most.
  void Trim(LogIndex index);
  // Pulls the applied state of `source`; false when that does not hold
  // (index, term) yet or is down.
  bool Pull(const RaftReplica& source,
            const raft::Ready::SnapshotRequest& for_);

  // Messages that leave are compared with the disk. Off in tests of the other
  // checks.
  void set_check_messages(bool on) { check_messages_ = on; }

 private:
  struct Write {
    std::optional<raft::HardState> hard_state;
    bool hard_state_done = false;
    std::vector<raft::Entry> entries;
    std::vector<raft::Message> messages;
  };
  void CheckLeaving(const raft::Message& message);
  void RecordHardState(const raft::HardState& hard_state);
  uint64_t HashAt(LogIndex index) const { return hashes_[index]; }

  raft::Config config_;
  RaftChecker* const checker_;
  bool check_messages_ = true;
  RaftDisk disk_;

  // Lost in a crash.
  std::unique_ptr<raft::Raft> core_;
  std::deque<Write> writes_;
  LogIndex applied_ = 0;
  LogIndex last_commit_ = 0;
  // By index, as the core has handed its log out. Known only from the base on.
  std::vector<uint64_t> hashes_ = {0};
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_RAFT_REPLICA_H_
