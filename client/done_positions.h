// How far a shard is done when its records are finished in any order: up to the
// one before the first that is not. Owned by ShardBatches.
#ifndef TRIREME_CLIENT_DONE_POSITIONS_H_
#define TRIREME_CLIENT_DONE_POSITIONS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "client/user_record.h"

namespace trireme::client {

class DonePositions {
 public:
  // The next record of the shard; its number here, for Finish.
  uint64_t Add(RecordPosition position) {
    entries_.push_back({std::move(position), false});
    return first_number_ + entries_.size() - 1;
  }
  // The next record of the shard, which is done without more.
  void AddDone(RecordPosition position) {
    (entries_.empty() ? done_.emplace() : entries_.back().through) =
        std::move(position);
  }
  void Finish(uint64_t number) {
    entries_[number - first_number_].finished = true;
    while (!entries_.empty() && entries_.front().finished) {
      done_ = std::move(entries_.front().through);
      entries_.pop_front();
      ++first_number_;
    }
  }

  // Everything up to it is done. None: nothing is.
  const std::optional<RecordPosition>& done() const { return done_; }
  // From the first that is not done to the newest.
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    RecordPosition through;  // Its own, or of those done that follow it.
    bool finished = false;
  };

  std::deque<Entry> entries_;
  uint64_t first_number_ = 0;  // Of entries_.front().
  std::optional<RecordPosition> done_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_DONE_POSITIONS_H_
