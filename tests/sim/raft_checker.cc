#include "tests/sim/raft_checker.h"

#include "absl/strings/str_cat.h"

namespace trireme::sim {

uint64_t ChainHash(uint64_t previous, const raft::Entry& entry) {
  uint64_t hash = previous;
  const auto mix = [&hash](uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  };
  mix(entry.index);
  mix(entry.term);
  mix(static_cast<uint64_t>(entry.type) << 32 | entry.payload_crc);
  mix(entry.payload_bytes);
  return hash;
}

void RaftChecker::Fail(std::string what) {
  if (failure_.empty()) failure_ = std::move(what);
}

void RaftChecker::OnLeader(NodeId node, const raft::Raft& core) {
  const Term term = core.term();
  if (leader_of_term_.size() <= term) leader_of_term_.resize(term + 1);
  NodeId& leader = leader_of_term_[term];
  if (leader == node) return;
  if (leader != NodeId()) {
    Fail(absl::StrCat("two leaders in term ", term, ": ", leader.value(),
                      " and ", node.value()));
    return;
  }
  leader = node;
  ++leaders_;
  // Leader completeness. By log matching the newest entry speaks for all.
  LogIndex index = committed();
  while (index > 0 && committed_[index].by_term >= term) --index;
  if (index <= core.base_index()) return;
  if (core.TermAt(index) != committed_[index].term) {
    Fail(absl::StrCat("leader ", node.value(), " of term ", term,
                      " lacks committed entry ", index, " of term ",
                      committed_[index].term));
  }
}

void RaftChecker::OnAppended(NodeId node, LogIndex index, Term term,
                             uint64_t hash) {
  if (logs_.size() <= index) logs_.resize(index + 1);
  for (const auto& [known_term, known_hash] : logs_[index]) {
    if (known_term != term) continue;
    if (known_hash != hash) {
      Fail(absl::StrCat("log matching: node ", node.value(), " entry ", index,
                        " of term ", term, " follows another prefix"));
    }
    return;
  }
  logs_[index].emplace_back(term, hash);
}

void RaftChecker::OnCommitted(NodeId node, LogIndex index, Term term,
                              uint64_t hash, Term node_term) {
  if (index < committed_.size()) {
    if (committed_[index].hash != hash) {
      Fail(absl::StrCat("node ", node.value(), " committed entry ", index,
                        " of term ", term, ", another committed term ",
                        committed_[index].term));
    }
    return;
  }
  if (index != committed_.size()) {
    Fail(absl::StrCat("node ", node.value(), " skipped to entry ", index));
    return;
  }
  committed_.push_back({hash, term, node_term});
}

}  // namespace trireme::sim
