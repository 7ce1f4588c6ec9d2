#include "replication/raft/read_index.h"

namespace trireme::raft {

void ReadIndex::Request(uint64_t context, std::optional<LogIndex> commit) {
  waiting_.push_back({context, commit});
}

uint64_t ReadIndex::RequestRound() {
  round_wanted_ = true;
  return round_ + 1;
}

bool ReadIndex::MaybeBeginRound(std::optional<LogIndex> commit) {
  if (!WantsRound(commit.has_value())) return false;
  ++round_;
  round_wanted_ = false;
  if (!commit.has_value()) return true;
  for (const Waiting& read : waiting_) {
    asked_.push_back({round_, {read.context, read.index.value_or(*commit)}});
  }
  waiting_.clear();
  return true;
}

void ReadIndex::OnQuorum(uint64_t round, std::vector<ReadReady>* confirmed) {
  while (!asked_.empty() && asked_.front().round <= round) {
    confirmed->push_back(asked_.front().read);
    asked_.pop_front();
  }
}

void ReadIndex::FailAll(std::vector<uint64_t>* failed) {
  for (const Asked& asked : asked_) failed->push_back(asked.read.context);
  for (const Waiting& read : waiting_) failed->push_back(read.context);
  asked_.clear();
  waiting_.clear();
  round_wanted_ = false;
  // Replies name their term, so numbers may begin again with the next one.
  round_ = 0;
}

}  // namespace trireme::raft
