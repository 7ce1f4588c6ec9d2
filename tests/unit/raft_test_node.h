// One consensus core whose disk is instant, for tests that speak to it in
// messages: each call returns everything that leaves in answer.
#ifndef TRIREME_TESTS_UNIT_RAFT_TEST_NODE_H_
#define TRIREME_TESTS_UNIT_RAFT_TEST_NODE_H_

#include <optional>
#include <utility>
#include <vector>

#include "replication/raft/raft.h"

namespace trireme::raft {

inline Config ThreeNodes() {
  Config config;
  config.self = NodeId(1);
  config.voters = {NodeId(1), NodeId(2), NodeId(3)};
  config.incarnation = 1;
  config.pre_vote = false;
  return config;
}

inline Entry MakeEntry(LogIndex index, Term term) {
  Entry entry;
  entry.index = index;
  entry.term = term;
  return entry;
}

// A log with these terms from entry 1 on, in this term.
inline Restored LogOf(std::vector<Term> terms, Term term) {
  Restored restored;
  restored.hard_state.term = term;
  for (Term of_entry : terms) {
    restored.entries.push_back(
        MakeEntry(restored.entries.size() + 1, of_entry));
  }
  return restored;
}

inline Message MakeMessage(MessageType type, uint32_t from, Term term) {
  Message message;
  message.type = type;
  message.from = NodeId(from);
  message.to = NodeId(1);
  message.term = term;
  message.incarnation = 1;
  return message;
}

inline Message MakeAppend(uint32_t from, Term term, LogIndex previous,
                          Term previous_term, std::vector<Term> terms = {},
                          LogIndex commit = 0) {
  Message append = MakeMessage(MessageType::kAppend, from, term);
  append.log_index = previous;
  append.log_term = previous_term;
  append.commit = commit;
  for (Term of_entry : terms) {
    append.entries.push_back(
        MakeEntry(previous + append.entries.size() + 1, of_entry));
  }
  return append;
}

inline Message MakeVote(uint32_t from, Term term, LogIndex last,
                        Term last_term) {
  Message vote = MakeMessage(MessageType::kVote, from, term);
  vote.log_index = last;
  vote.log_term = last_term;
  return vote;
}

inline Message MakeAccept(uint32_t from, Term term, LogIndex match,
                          Term match_term) {
  Message accept = MakeMessage(MessageType::kAppendReply, from, term);
  accept.match = accept.log_index = match;
  accept.log_term = match_term;
  return accept;
}

inline Message MakeGrant(uint32_t from, Term term) {
  Message grant = MakeMessage(MessageType::kVoteReply, from, term);
  grant.hint_index = 1;  // Our incarnation.
  return grant;
}

class TestNode {
 public:
  explicit TestNode(const Config& config = ThreeNodes(),
                    Restored restored = Restored())
      : core(config, std::move(restored)) {}

  // Takes Readys until there is none, each persisted at once.
  std::vector<Message> Drain() {
    std::vector<Message> sent;
    while (core.HasReady()) {
      Ready ready = core.TakeReady();
      Move(&ready.messages, &sent);
      if (ready.hard_state) core.OnHardStatePersisted(*ready.hard_state);
      if (!ready.entries.empty()) {
        core.OnPersisted(ready.entries.back().index, ready.entries.back().term);
      }
      Move(&ready.messages_after_persist, &sent);
      Move(&ready.reads, &reads);
      Move(&ready.failed_reads, &failed_reads);
      if (ready.snapshot) snapshot = ready.snapshot;
      core.CheckInvariants();
    }
    return sent;
  }
  std::vector<Message> Step(Message message) {
    core.Step(std::move(message));
    return Drain();
  }
  std::vector<Message> Tick(int times = 1) {
    std::vector<Message> sent;
    for (int i = 0; i < times; ++i) {
      core.Tick();
      std::vector<Message> now = Drain();
      Move(&now, &sent);
    }
    return sent;
  }
  std::vector<Message> Propose(int times = 1) {
    for (int i = 0; i < times; ++i) {
      (void)core.Propose(MakePayload("data"), 0);
    }
    return Drain();
  }
  // Wins the next term with node 2's vote.
  void Lead() {
    core.Campaign();
    Drain();
    Step(MakeGrant(2, core.term()));
  }

  Raft core;
  std::vector<ReadReady> reads;
  std::vector<uint64_t> failed_reads;
  std::optional<Ready::SnapshotRequest> snapshot;

 private:
  template <typename T>
  static void Move(std::vector<T>* from, std::vector<T>* to) {
    for (T& value : *from) to->push_back(std::move(value));
    from->clear();
  }
};

// The only message of that type to that node; a default one if there is none.
inline Message Find(const std::vector<Message>& messages, MessageType type,
                    uint32_t to) {
  for (const Message& message : messages) {
    if (message.type == type && message.to == NodeId(to)) return message;
  }
  return Message();
}

inline int Count(const std::vector<Message>& messages, MessageType type) {
  int count = 0;
  for (const Message& message : messages) count += message.type == type;
  return count;
}

}  // namespace trireme::raft

#endif  // TRIREME_TESTS_UNIT_RAFT_TEST_NODE_H_
