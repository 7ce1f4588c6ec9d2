// PutSequence keeps the puts of one caller, many of which are under way, in
// their order while their stream is resharded (docs/decisions/0005). Puts that
// are routed by the same set of shards keep their order by themselves: each
// shard's group writes them as they are proposed. One that a seal refused is
// proposed again, by other shards, and must not be overtaken then.
//
// Shared by the puts; thread-safe. Proposals run without its lock, one at a
// time when they had to wait.
#ifndef TRIREME_SERVER_PUT_SEQUENCE_H_
#define TRIREME_SERVER_PUT_SEQUENCE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "storage/catalog.h"
#include "storage/ids.h"

namespace trireme {

// Names a set of shards that records are routed by: every reshard makes a
// shard with a higher number.
struct Routing {
  StreamId stream;
  ShardIndex newest;

  friend bool operator==(const Routing&, const Routing&) = default;
};
Routing RoutingOf(const Stream& stream);

class PutSequence : public std::enable_shared_from_this<PutSequence> {
 public:
  // The caller's next put. Every one entered leaves in the end.
  uint64_t Enter();

  // Calls `propose` when every earlier put to the stream has left or is
  // proposed by the same routing. True: it was called, on this thread, before
  // this returned.
  bool Propose(uint64_t put, Routing routing,
               absl::AnyInvocable<void()> propose);

  // A seal refused some of what was proposed: until the put is proposed again
  // or leaves, the later ones wait.
  void Recall(uint64_t put);

  void Leave(uint64_t put);

 private:
  enum class State { kIdle, kWaiting, kProposing, kProposed, kLeft };
  struct Entry {
    State state = State::kIdle;
    Routing routing;
    absl::AnyInvocable<void()> propose;  // While kWaiting.
  };

  Entry& EntryOf(uint64_t put) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What was called has returned.
  void SetProposed(uint64_t put) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The first put that waits and need not any more; nothing: none.
  std::optional<uint64_t> NextDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Proposes what is due, unless another thread is at it. True: `put` was.
  bool RunDue(uint64_t put);

  absl::Mutex mu_;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mu_);
  uint64_t first_ ABSL_GUARDED_BY(mu_) = 0;  // The number of the front one.
  // All but the newest put are proposed by routing_ or have left: the newest
  // needs no look at them.
  bool calm_ ABSL_GUARDED_BY(mu_) = true;
  Routing routing_ ABSL_GUARDED_BY(mu_);
  bool running_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_PUT_SEQUENCE_H_
