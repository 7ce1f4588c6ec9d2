// What goes in and out of the consensus core: entries, hard state, messages.
// Plain values; the wire form of a message is
// proto/trireme/v1/replication.proto.
#ifndef TRIREME_REPLICATION_RAFT_MESSAGE_H_
#define TRIREME_REPLICATION_RAFT_MESSAGE_H_

#include <cstdint>
#include <vector>

#include "storage/ids.h"
#include "storage/payload.h"

namespace trireme::raft {

// Written to disk; never renumber.
enum class EntryType : uint8_t {
  kNoop = 0,    // Appended by every new leader (Raft §8); no payload.
  kData = 1,    // The state machine's; the core never looks inside.
  kConfig = 2,  // A new membership (membership.h holds the encoding).
};

struct Entry {
  LogIndex index = 0;
  Term term = 0;
  EntryType type = EntryType::kData;
  // CRC32C of the payload, computed once by the proposer and carried to every
  // disk: the one checksum guards memory, network and media.
  uint32_t payload_crc = 0;
  uint32_t payload_bytes = 0;
  // Null when the owner evicted it from memory (Raft::EvictPayloads); it is
  // then read back from the segment log before a message leaves the node.
  Payload payload;
};

// Must be durable before any message that depends on it leaves (Raft §5.1).
struct HardState {
  Term term = 0;
  NodeId vote;  // Value 0: no vote in this term.
  // True while this replica has lost its disk and has not yet caught up: it
  // neither votes nor vouches for entries (docs/replication.md, "Recovery").
  bool recovering = false;

  friend bool operator==(const HardState&, const HardState&) = default;
};

// On the wire; never renumber.
enum class MessageType : uint8_t {
  kPreVote = 1,
  kPreVoteReply = 2,
  kVote = 3,
  kVoteReply = 4,
  kAppend = 5,
  kAppendReply = 6,
  kHeartbeat = 7,
  kHeartbeatReply = 8,
  kSnapshot = 9,  // "Your log is too far behind: pull my state" (a manifest).
  kTimeoutNow = 10,  // Leadership transfer (Raft thesis §3.10).
  kRecovered = 11,   // "You have caught up: vote and vouch again."
};

// One shape for all types, so that every field is always set to something
// known (raft-notes.md, trap 4). Fields a type does not use stay zero.
struct Message {
  MessageType type = MessageType::kHeartbeat;
  NodeId from;
  NodeId to;
  Term term = 0;
  // Grows each time the sender's disk was made anew; leaders use it to ignore
  // what an earlier life of a wiped replica vouched for.
  uint64_t incarnation = 0;

  // kPreVote, kVote: the candidate's last persisted entry.
  // kAppend: the entry before entries.front().
  // kSnapshot: the last entry the state includes.
  // kHeartbeat: the entry at `commit`; it commits nothing where that differs.
  // kAppendReply: accepted: the entry at `match`; rejected: the refused
  // request's log_index.
  LogIndex log_index = 0;
  Term log_term = 0;

  LogIndex commit = 0;         // kAppend, kHeartbeat, kRecovered.
  std::vector<Entry> entries;  // kAppend: contiguous from log_index + 1.

  // Replies. kAppendReply accepted: entries up to `match` are the leader's and
  // are persisted here; rejected: `hint_index`/`hint_term` tell where to try.
  // kPreVoteReply, kVoteReply, kRecovered: `hint_index` is the incarnation of
  // the receiver this is meant for: a later one must not take it for its own.
  bool reject = false;
  LogIndex match = 0;
  LogIndex hint_index = 0;
  Term hint_term = 0;
  bool recovering = false;  // The replier's own state; see HardState.

  // kHeartbeat and its reply, kAppend and its reply: the leader's read round
  // this message confirms (ReadIndex, Raft thesis §6.4). Grows by one a round.
  uint64_t read_round = 0;
  // kVote, kPreVote: the candidate acts on a leadership transfer, so voters do
  // not hold it back because they heard from a leader lately.
  bool transfer = false;
};

}  // namespace trireme::raft

#endif  // TRIREME_REPLICATION_RAFT_MESSAGE_H_
