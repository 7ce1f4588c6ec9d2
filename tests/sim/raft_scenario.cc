#include "tests/sim/raft_scenario.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "storage/check.h"
#include "tests/sim/raft_message_text.h"

namespace trireme::sim {
namespace {

using raft::Message;
using raft::Ready;

uint64_t Number(const std::string& word) {
  uint64_t number = 0;
  CHECK(absl::SimpleAtoi(word, &number), "not a number: " + word);
  return number;
}

// The value of a word like "bytes=100".
std::optional<std::string> Option(const std::vector<std::string>& words,
                                  absl::string_view name) {
  for (const std::string& word : words) {
    if (absl::StartsWith(word, absl::StrCat(name, "="))) {
      return word.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

std::string Differs(absl::string_view what, uint64_t expected,
                    uint64_t actual) {
  if (expected == actual) return "";
  return absl::StrCat(what, " is ", actual);
}

const char* RoleName(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return "follower";
    case raft::Role::kPreCandidate:
      return "pre-candidate";
    case raft::Role::kCandidate:
      return "candidate";
    case raft::Role::kLeader:
      return "leader";
  }
  return "";
}

}  // namespace

std::string RaftScenario::Run(const std::string& text) {
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = line.substr(0, line.find('#'));
    const Words words = absl::StrSplit(line, ' ', absl::SkipWhitespace());
    if (words.empty()) continue;
    std::string wrong = RunLine(words);
    CollectAll();
    if (wrong.empty()) wrong = checker_.failure();
    if (!wrong.empty()) {
      return absl::StrCat("line ", number, ": ", std::string(line), "\n  ",
                          wrong, "\n  in flight:", InFlight());
    }
  }
  return "";
}

std::string RaftScenario::RunLine(const Words& words) {
  const std::string& verb = words[0];
  if (verb == "nodes") return Nodes(words);
  if (verb == "expect") return Expect(words);
  if (verb == "settle") {
    Settle();
    return "";
  }
  for (const char* known :
       {"persist", "notify", "crash", "restart", "wipe", "damage"}) {
    if (verb == known) return Disk(words);
  }
  for (const char* known : {"deliver", "drop", "duplicate", "hold", "copy",
                            "release", "cut", "isolate", "mend"}) {
    if (verb == known) return Network(words);
  }
  if (verb == "pull") return Pull(words);
  return Input(words);
}

std::string RaftScenario::Nodes(const Words& words) {
  raft::Config config;
  const int count = static_cast<int>(Number(words[1]));
  const auto voters = Option(words, "voters");
  const int voter_count = voters ? static_cast<int>(Number(*voters)) : count;
  for (int i = 1; i <= voter_count; ++i) config.voters.push_back(NodeId(i));
  config.incarnation = 1;
  config.pre_vote = Option(words, "pre_vote") != "off";
  if (const auto value = Option(words, "window")) {
    config.inflight_messages_max = Number(*value);
  }
  if (const auto value = Option(words, "window_bytes")) {
    config.inflight_bytes_max = Number(*value);
  }
  if (const auto value = Option(words, "message_bytes")) {
    config.message_bytes_max = Number(*value);
  }
  if (const auto value = Option(words, "uncommitted")) {
    config.uncommitted_bytes_max = Number(*value);
  }
  for (int i = 1; i <= count; ++i) {
    config.self = NodeId(i);
    config.seed = i;
    nodes_[i].replica = std::make_unique<RaftReplica>(config, &checker_);
    nodes_[i].replica->Start();
  }
  return "";
}

RaftScenario::Node& RaftScenario::At(const std::string& word) {
  const auto found = nodes_.find(static_cast<int>(Number(word)));
  CHECK(found != nodes_.end(), "no node " + word);
  return found->second;
}

// --- inputs ---

std::string RaftScenario::Input(const Words& words) {
  const std::string& verb = words[0];
  if (verb == "tick") {
    const uint64_t times = words.size() > 2 ? Number(words[2]) : 1;
    for (uint64_t i = 0; i < times; ++i) {
      for (auto& [id, node] : nodes_) {
        if (words[1] != "all" && &node != &At(words[1])) continue;
        if (node.replica->up()) node.replica->core().Tick();
        CollectAll();
      }
    }
    return "";
  }
  Node& node = At(words[1]);
  if (!node.replica->up()) return "the node is down";
  raft::Raft& core = node.replica->core();
  if (verb == "campaign") {
    core.Campaign();
  } else if (verb == "propose") {
    return Propose(words, node);
  } else if (verb == "read") {
    const absl::Status status = core.RequestRead(Number(words[2]));
    if (!status.ok()) return std::string(status.message());
  } else if (verb == "transfer") {
    const absl::Status status = core.TransferLeadership(
        NodeId(static_cast<uint32_t>(Number(words[2]))));
    if (!status.ok()) return std::string(status.message());
  } else if (verb == "change") {
    std::vector<NodeId> voters;
    for (size_t i = 3; i < words.size(); ++i) {
      voters.push_back(NodeId(static_cast<uint32_t>(Number(words[i]))));
    }
    node.refused = !core.ProposeMembership(voters, {}).ok();
  } else if (verb == "flush") {
    node.replica->Flush();
  } else if (verb == "trim") {
    node.replica->Flush();
    node.replica->Trim(Number(words[2]));
  } else {
    return "unknown verb";
  }
  return "";
}

std::string RaftScenario::Propose(const Words& words, Node& node) {
  const auto bytes = Option(words, "bytes");
  const bool counted = words.size() > 2 && !absl::StrContains(words[2], "=");
  const uint64_t count = counted ? Number(words[2]) : 1;
  for (uint64_t i = 0; i < count; ++i) {
    node.refused =
        !node.replica->core()
             .Propose(MakePayload(std::string(bytes ? Number(*bytes) : 1, 'x')),
                      ++proposals_)
             .ok();
  }
  return "";
}

// --- disks ---

std::string RaftScenario::Disk(const Words& words) {
  Node& node = At(words[1]);
  RaftReplica& replica = *node.replica;
  const std::string how = words.size() > 2 ? words[2] : "";
  if (words[0] == "persist") {
    CollectAll();
    if (replica.pending_writes() == 0) return "nothing to persist";
    if (how == "hard-state") {
      const auto hard_state = replica.PersistHardState();
      if (!hard_state) return "the oldest write has no hard state";
      replica.core().OnHardStatePersisted(*hard_state);
    } else if (how == "one") {
      Persist(node, /*silently=*/false);
    } else {
      while (replica.pending_writes() > 0) Persist(node, how == "silently");
    }
  } else if (words[0] == "notify") {
    if (node.notices.empty()) return "no notice is kept back";
    do {
      Notify(node);
    } while (how != "one" && !node.notices.empty());
  } else if (words[0] == "crash") {
    CollectAll();
    replica.Crash(how.empty() ? 0 : Number(how));
    node.notices.clear();
    node.pulling.reset();
  } else if (words[0] == "restart") {
    replica.Start();
  } else if (words[0] == "wipe") {
    if (replica.up()) replica.Crash(0);
    node.notices.clear();
    node.pulling.reset();
    replica.Wipe();
  } else {
    if (replica.up()) replica.Crash(0);
    replica.Damage(Number(how));
  }
  return "";
}

void RaftScenario::Persist(Node& node, bool silently) {
  RaftReplica::Persisted persisted = node.replica->PersistWrite();
  for (Message& message : persisted.messages) {
    flying_.push_back(std::move(message));
  }
  persisted.messages.clear();
  node.notices.push_back(std::move(persisted));
  if (!silently) Notify(node);
  CollectAll();
}

void RaftScenario::Notify(Node& node) {
  const RaftReplica::Persisted notice = std::move(node.notices.front());
  node.notices.pop_front();
  raft::Raft& core = node.replica->core();
  if (notice.hard_state) core.OnHardStatePersisted(*notice.hard_state);
  if (notice.last_index > 0) {
    core.OnPersisted(notice.last_index, notice.last_term);
  }
  CollectAll();
}

void RaftScenario::CollectAll() {
  for (auto& [id, node] : nodes_) Collect(node);
}

void RaftScenario::Collect(Node& node) {
  RaftReplica& replica = *node.replica;
  if (!replica.up()) return;
  replica.Observe();
  if (!replica.core().HasReady()) return;
  Ready ready = replica.TakeReady();
  for (Message& message : ready.messages) {
    flying_.push_back(std::move(message));
  }
  for (const raft::ReadReady& read : ready.reads) {
    node.reads[read.context] = read.index;
  }
  for (uint64_t context : ready.failed_reads) node.failed_reads.insert(context);
  if (ready.snapshot) {
    node.pulling = ready.snapshot;
    ++node.pulls;
  }
  replica.Observe();
}

std::string RaftScenario::Pull(const Words& words) {
  Node& node = At(words[1]);
  if (!node.pulling) return "nothing was asked for";
  const Ready::SnapshotRequest request = *node.pulling;
  node.pulling.reset();
  if (words.size() > 2 && words[2] == "fails") {
    node.replica->core().SnapshotFailed();
    return "";
  }
  const Node& source =
      words.size() > 3 ? At(words[3]) : At(request.from.ToString());
  if (!node.replica->Pull(*source.replica, request)) {
    return "the source does not hold what was asked for";
  }
  return "";
}

// --- the network ---

bool RaftScenario::Selected(const Message& message, const Words& words) const {
  for (size_t i = 1; i < words.size(); ++i) {
    if (absl::StrContains(words[i], "->")) {
      const std::string link =
          absl::StrCat(message.from.value(), "->", message.to.value());
      if (words[i] != link) return false;
    } else if (words[i] != TypeName(message.type)) {
      return false;
    }
  }
  return true;
}

std::vector<Message> RaftScenario::TakeSelected(const Words& words) {
  std::vector<Message> taken;
  std::deque<Message> left;
  for (Message& message : flying_) {
    if (Selected(message, words)) {
      taken.push_back(std::move(message));
    } else {
      left.push_back(std::move(message));
    }
  }
  flying_ = std::move(left);
  return taken;
}

void RaftScenario::Deliver(const Message& message) {
  if (cut_.contains({message.from.value(), message.to.value()})) return;
  Node& node = At(message.to.ToString());
  if (!node.replica->up()) return;
  node.replica->core().Step(message);
  CollectAll();
}

std::string RaftScenario::Network(const Words& words) {
  const std::string& verb = words[0];
  if (verb == "mend") {
    cut_.clear();
    return "";
  }
  if (verb == "cut" || verb == "isolate") {
    const auto a = static_cast<uint32_t>(Number(words[1]));
    for (const auto& [id, node] : nodes_) {
      const auto b = static_cast<uint32_t>(id);
      if (verb == "cut" && Number(words[2]) != b) continue;
      cut_.insert({a, b});
      cut_.insert({b, a});
    }
    return "";
  }
  if (verb == "release") {
    for (Message& message : held_[words[1]]) flying_.push_back(message);
    return "";
  }
  const bool named = verb == "hold" || verb == "copy";
  Words selection = words;
  if (named) selection.erase(selection.begin() + 1);
  std::vector<Message> messages = TakeSelected(selection);
  const bool all = verb == "drop" && selection.size() == 1;
  if (messages.empty() && !all) return "no such message is in flight";
  if (verb == "deliver") {
    for (const Message& message : messages) Deliver(message);
    return "";
  }
  if (named) held_[words[1]] = messages;
  if (verb == "drop" || verb == "hold") return "";
  const int copies = verb == "duplicate" ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    flying_.insert(flying_.end(), messages.begin(), messages.end());
  }
  return "";
}

void RaftScenario::Settle() {
  for (int turn = 0; turn < 10000; ++turn) {
    CollectAll();
    bool busy = false;
    for (auto& [id, node] : nodes_) {
      while (node.replica->up() && node.replica->pending_writes() > 0) {
        Persist(node, /*silently=*/false);
        busy = true;
      }
    }
    std::deque<Message> now;
    now.swap(flying_);
    for (const Message& message : now) Deliver(message);
    if (!busy && now.empty() && flying_.empty()) return;
  }
  checker_.Fail("the group does not settle");
}

std::string RaftScenario::InFlight() const {
  std::string text;
  for (const Message& message : flying_) {
    absl::StrAppend(&text, "\n    ", ToString(message));
  }
  return text.empty() ? " nothing" : text;
}

// --- expectations ---

// expect leader 1 | expect no leader | expect same logs
// expect [no] message vote 1->2 term 3 log 5/2    its first words
// expect messages 2 append 1->2
// expect read 1 77 at 5 | expect no read 1 77 | expect read 1 77 fails
// expect refused 1 | expect accepted 1 | expect [not] recovering 3
// expect [not] pulling 3 | expect pulls 3 1    asked once to pull a state
// expect commit|last|base|persisted|term|follows|needed 1 5
// expect role 1 candidate
// expect voters 1 1 2 3 [joint]    as node 1 sees it
// expect match 1 2 5    leader 1 knows that 2 holds everything up to 5
std::string RaftScenario::Expect(const Words& words) {
  const std::string& what = words[1];
  if (what == "leader" || (what == "no" && words[2] == "leader")) {
    std::string leaders;
    for (auto& [id, node] : nodes_) {
      if (!node.replica->up()) continue;
      if (node.replica->core().role() != raft::Role::kLeader) continue;
      absl::StrAppend(&leaders, leaders.empty() ? "" : " ", id);
    }
    const std::string expected =
        what == "no" ? "" : absl::StrJoin(words.begin() + 2, words.end(), " ");
    return leaders == expected ? "" : "leading: " + leaders;
  }
  if (what == "same") return ExpectSameLogs();
  if (what == "message" || what == "messages" ||
      (what == "no" && words[2] == "message")) {
    return ExpectMessages(words);
  }
  if (what == "read" || what == "no") return ExpectRead(words);
  return ExpectOfNode(words);
}

std::string RaftScenario::ExpectMessages(const Words& words) {
  const bool none = words[1] == "no";
  const bool counted = words[1] == "messages";
  const std::string text = absl::StrJoin(
      words.begin() + (none || counted ? 3 : 2), words.end(), " ");
  const auto found = static_cast<uint64_t>(
      std::count_if(flying_.begin(), flying_.end(), [&](const Message& m) {
        return absl::StartsWith(absl::StrCat(ToString(m), " "),
                                absl::StrCat(text, " "));
      }));
  if (counted) return Differs("the number in flight", Number(words[2]), found);
  if (none) return found == 0 ? "" : "such a message is in flight";
  return found > 0 ? "" : "no such message is in flight";
}

std::string RaftScenario::ExpectRead(const Words& words) {
  const bool none = words[1] == "no";
  const size_t at = none ? 3 : 2;
  Node& node = At(words[at]);
  const uint64_t context = Number(words[at + 1]);
  const auto found = node.reads.find(context);
  if (none) return found == node.reads.end() ? "" : "the read was confirmed";
  if (words[at + 2] == "fails") {
    return node.failed_reads.contains(context) ? "" : "the read did not fail";
  }
  if (found == node.reads.end()) return "the read is not confirmed";
  return Differs("its index", Number(words[at + 3]), found->second);
}

std::string RaftScenario::ExpectOfNode(const Words& words) {
  const bool negated = words[1] == "not";
  const std::string& what = words[negated ? 2 : 1];
  Node& node = At(words[negated ? 3 : 2]);
  const auto yes_no = [&](bool holds) {
    return holds != negated ? "" : "it is the other way round";
  };
  if (what == "refused") return yes_no(node.refused);
  if (what == "accepted") return yes_no(!node.refused);
  if (what == "pulling") return yes_no(node.pulling.has_value());
  if (what == "recovering") {
    return yes_no(node.replica->up() ? node.replica->core().recovering()
                                     : !node.replica->whole());
  }
  if (what == "pulls") return Differs(what, Number(words[3]), node.pulls);
  if (!node.replica->up()) return "the node is down";
  const raft::Raft& core = node.replica->core();
  if (what == "role") {
    return words[3] == RoleName(core.role()) ? "" : RoleName(core.role());
  }
  if (what == "voters") {
    std::vector<std::string> voters;
    for (NodeId voter : core.membership().voters) {
      voters.push_back(voter.ToString());
    }
    if (core.membership().joint()) voters.push_back("joint");
    const std::string actual = absl::StrJoin(voters, " ");
    const std::string expected =
        absl::StrJoin(words.begin() + 3, words.end(), " ");
    return actual == expected ? "" : "the voters are " + actual;
  }
  if (what == "match") {
    for (const raft::PeerStatus& peer : core.peers()) {
      if (peer.node.ToString() != words[3]) continue;
      return Differs("its match", Number(words[4]), peer.match);
    }
    return "the leader does not know that node";
  }
  const uint64_t expected = Number(words[3]);
  if (what == "commit") return Differs(what, expected, core.commit_index());
  if (what == "last") return Differs(what, expected, core.last_index());
  if (what == "base") return Differs(what, expected, core.base_index());
  if (what == "persisted") {
    return Differs(what, expected, core.persisted_index());
  }
  if (what == "term") return Differs(what, expected, core.term());
  if (what == "follows") {
    return Differs("its leader", expected, core.leader().value());
  }
  if (what == "needed") {
    return Differs(what, expected, core.lowest_needed_index());
  }
  return "unknown expectation";
}

std::string RaftScenario::ExpectSameLogs() {
  const RaftReplica* first = nullptr;
  for (auto& [id, node] : nodes_) {
    if (!node.replica->up()) continue;
    if (first == nullptr) first = node.replica.get();
    const raft::Raft& a = first->core();
    const raft::Raft& b = node.replica->core();
    if (a.last_index() != b.last_index()) {
      return absl::StrCat("node ", id, " ends at ", b.last_index(), ", not ",
                          a.last_index());
    }
    const LogIndex base = std::max(a.base_index(), b.base_index());
    for (LogIndex i = base + 1; i <= a.last_index(); ++i) {
      if (a.TermAt(i) != b.TermAt(i) ||
          a.EntryAt(i).payload_crc != b.EntryAt(i).payload_crc) {
        return absl::StrCat("node ", id, " differs at ", i);
      }
    }
  }
  return "";
}

}  // namespace trireme::sim
