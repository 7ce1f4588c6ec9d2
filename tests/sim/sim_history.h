// History knows everything that was promised and everything that happened in
// a simulated cluster, and checks each promise by name:
//
//   election_safety             one leader a term and group
//   log_agreement               one committed entry an index, on all nodes
//   applied_once                no record stands at two places
//   acked_is_durable            an acknowledged record is where it was said
//                               to be
//   nothing_refused_is_written  "nothing was written" is true for ever
//   sequence_order              stamps never fall, later acks are later in
//                               the log
//   taken_order                 what one node takes for a shard is written in
//                               that order, over changes of leaders too
//   barrier_freshness           a read barrier shows what was acked before it
//   answered_once               every question has one answer, in time
//   heals                       without faults everything works again
#ifndef TRIREME_TESTS_SIM_SIM_HISTORY_H_
#define TRIREME_TESTS_SIM_SIM_HISTORY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "replication/raft/message.h"
#include "storage/ids.h"
#include "storage/replicated_state.h"
#include "tests/sim/sim_trace.h"

namespace trireme::sim {

// A record's or command's number, unique in the simulation; 0: none.
using RecordId = uint64_t;

// Records that one node takes for one shard in one of its lives: those of one
// lane are written in the order in which they were made.
struct Lane {
  NodeId node;
  uint64_t life = 0;
  GroupId group;
  ShardKey shard;

  friend auto operator<=>(const Lane&, const Lane&) = default;
};

class History {
 public:
  History(uint32_t group_count, Trace* trace)
      : trace_(trace), committed_(group_count), acked_(group_count) {}

  void Fail(absl::string_view checker, absl::string_view what);
  const std::vector<std::string>& failures() const { return failures_; }

  // Commands are the product's own and bear no number.
  void IgnoreCommands() { commands_are_numbered_ = false; }

  // A message left a node.
  void OnMessage(GroupId group, const raft::Message& message);

  // A node applied an entry; `state` sums up what the state was made of it.
  void OnApplied(NodeId node, const CommittedEntry& entry,
                 const ApplyResult& result, int64_t stamp_ms, uint32_t state);
  // A node holds this entry, whatever way it came.
  void CheckHeld(NodeId node, GroupId group, LogIndex index, Term term,
                 const Payload& payload);
  LogIndex committed(GroupId group) const {
    return committed_[group.value()].size();
  }

  // Of a lane, or, as commands, of none.
  RecordId NewRecord(std::optional<Lane> lane = std::nullopt);
  void OnAcked(RecordId record, GroupId group, Counter counter);
  void OnRefused(RecordId record, absl::string_view why);
  // Checks the order in each lane, at the end: no record stands before one that
  // was taken earlier and acknowledged. One that was not may come late.
  void CheckTakenOrder();
  // Where it stands; 0: nowhere yet.
  LogIndex IndexOf(RecordId record) const {
    return CounterIndex(fates_[record].counter);
  }
  // The highest index that was acknowledged in the group.
  LogIndex acked_index(GroupId group) const { return acked_[group.value()]; }
  uint64_t acked_count() const { return acked_count_; }

 private:
  struct Committed {
    Term term = 0;
    Payload payload;
    int64_t stamp_ms = 0;
    uint32_t state = 0;
  };
  struct Fate {
    bool written = false;
    bool acked = false;
    bool refused = false;
    GroupId group;
    Counter counter = 0;
    std::optional<Lane> lane;
  };

  void OnFirstApplied(const CommittedEntry& entry, const ApplyResult& result);
  void OnWritten(RecordId record, GroupId group, Counter counter);

  Trace* const trace_;
  bool commands_are_numbered_ = true;
  std::vector<std::string> failures_;
  std::map<std::pair<GroupId, Term>, NodeId> leaders_;
  std::vector<std::vector<Committed>> committed_;  // By group, index - 1.
  std::vector<LogIndex> acked_;                    // By group.
  std::vector<Fate> fates_ = {{}};                 // By RecordId.
  uint64_t acked_count_ = 0;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_HISTORY_H_
