// Who belongs to a group: voters, the outgoing voters of a change in progress
// (joint consensus, Raft §6) and learners, who receive but do not count.
//
// The membership in force is a function of the log: the latest kConfig entry
// at or below the last index, committed or not; a truncation takes it back by
// itself (raft-notes.md, trap 9).
#ifndef TRIREME_REPLICATION_RAFT_MEMBERSHIP_H_
#define TRIREME_REPLICATION_RAFT_MEMBERSHIP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "replication/raft/message.h"
#include "storage/ids.h"

namespace trireme::raft {

struct Membership {
  std::vector<NodeId> voters;           // The incoming ones of a change.
  std::vector<NodeId> outgoing_voters;  // Empty unless a change is going on.
  std::vector<NodeId> learners;

  bool joint() const { return !outgoing_voters.empty(); }
  bool IsVoter(NodeId node) const;
  // Voters of either half, then learners; each once, in ascending order.
  std::vector<NodeId> Members() const;

  friend bool operator==(const Membership&, const Membership&) = default;
};

// The payload of a kConfig entry. Written to disk: a version byte, then three
// lists, each a count and that many node ids, all little-endian 32 bit.
std::string EncodeMembership(const Membership& membership);
// DataLoss when the bytes are not what EncodeMembership writes.
absl::StatusOr<Membership> DecodeMembership(absl::string_view bytes);

// The memberships of the entries a log holds, by index.
class MembershipHistory {
 public:
  // `initial` is in force at the base of the log.
  explicit MembershipHistory(Membership initial);

  const Membership& current() const { return records_.back().membership; }
  // Index of the entry that brought current(); 0 for the initial one.
  LogIndex current_index() const { return records_.back().index; }

  // In force when the log ended at `index`, which is not below the base.
  const Membership& At(LogIndex index) const;

  // The log begins anew, with this in force at its base.
  void Reset(Membership membership);
  // Entries arrive in log order; anything but kConfig is passed over.
  // Returns true when the membership changed. The payload must be present.
  bool OnAppend(const Entry& entry);
  // Entries from `index` on are gone. True when the membership changed.
  bool OnTruncate(LogIndex index);
  // Entries up to `index` are forgotten; what they said stays in force.
  void OnTrim(LogIndex index);

 private:
  struct Record {
    LogIndex index = 0;
    Membership membership;
  };
  std::vector<Record> records_;  // Never empty; ascending indexes.
};

}  // namespace trireme::raft

#endif  // TRIREME_REPLICATION_RAFT_MEMBERSHIP_H_
