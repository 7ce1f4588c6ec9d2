// ReadBarriers turns "has this node everything that was acknowledged?" into
// one read-index question a group at a time: all callers that wait share the
// next answer, and are released when this node has applied that far.
//
// Owned by the GroupLoop; loop thread only. Nothing survives a crash.
#ifndef TRIREME_REPLICATION_READ_BARRIERS_H_
#define TRIREME_REPLICATION_READ_BARRIERS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "replication/inbox.h"
#include "storage/ids.h"

namespace trireme {

class ReadBarriers {
 public:
  ReadBarriers(GroupId group, absl::Duration ask_again)
      : group_(group), ask_again_(ask_again) {}

  void Add(PendingBarrier barrier) { waiting_.push_back(std::move(barrier)); }

  // The number of a question to ask the leader now, if one is due: callers
  // wait and no other question is out, or it has been out for too long.
  std::optional<uint64_t> TakeQuestion(absl::Duration now,
                                       uint64_t next_question);
  // The leader answered: callers of the question wait for `index`.
  void OnIndex(uint64_t question, LogIndex index);
  // It could not: the callers wait for the next question.
  void OnFailed(uint64_t question);

  // Those whose index has been handed to the applier.
  std::vector<PendingBarrier> TakeReleased(LogIndex handed);
  // Answers those whose time is up.
  void Expire(absl::Duration now);

 private:
  struct Confirmed {
    LogIndex index;
    PendingBarrier barrier;
  };

  // Set at construction.
  const GroupId group_;
  const absl::Duration ask_again_;

  std::vector<PendingBarrier> waiting_;  // For the next question.
  std::vector<PendingBarrier> asked_;    // For the answer to question_.
  std::vector<Confirmed> confirmed_;     // For their index to be applied.
  uint64_t question_ = 0;
  absl::Duration asked_at_;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_READ_BARRIERS_H_
