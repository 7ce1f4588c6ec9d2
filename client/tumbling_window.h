// The tumbling window that a shard is in, and the state its invocations carry
// from one to the next (kinesis-contract.md §6.4). Windows are aligned to the
// epoch; a record belongs to one by its approximate arrival timestamp. State is
// kept in memory only: whoever has the shard next reads the window again from
// its first record, with an empty state.
//
// Owned by a BatchLane.
#ifndef TRIREME_CLIENT_TUMBLING_WINDOW_H_
#define TRIREME_CLIENT_TUMBLING_WINDOW_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/time/time.h"

namespace trireme::client {

class TumblingWindow {
 public:
  static constexpr size_t kStateBytesMax = 1 << 20;
  // How long after a window's end its records may still arrive: stamps are of
  // another machine's clock.
  static constexpr absl::Duration kGrace = absl::Seconds(1);

  explicit TumblingWindow(absl::Duration length) : length_(length) {}

  // The window that `time` is in. It has no state.
  void Open(absl::Time time) {
    start_ = absl::UnixEpoch() + absl::Floor(time - absl::UnixEpoch(), length_);
    open_ = true;
    DropState();
  }
  // What was carried is dropped.
  void DropState() {
    state_.clear();
    touched_ = false;
  }
  void Close() {
    DropState();
    open_ = false;
  }
  // Records were handled; `touched` until the window, or this part of it, ends.
  void Touch() { touched_ = true; }
  // Keeps also one that is too large, for the final invocation.
  void SetState(std::string state) { state_ = std::move(state); }

  bool open() const { return open_; }
  bool touched() const { return touched_; }
  // Late records, of windows before, are this window's too.
  bool Covers(absl::Time time) const { return time < end(); }
  bool state_too_large() const { return state_.size() > kStateBytesMax; }
  const std::string& state() const { return state_; }
  absl::Time start() const { return start_; }
  absl::Time end() const { return start_ + length_; }
  // When it ends if no record tells.
  absl::Time ends_at() const { return end() + kGrace; }

 private:
  const absl::Duration length_;
  absl::Time start_;
  std::string state_;
  bool open_ = false;
  bool touched_ = false;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_TUMBLING_WINDOW_H_
