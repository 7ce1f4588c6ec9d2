// Follows one shard: gets its records pushed, in order, each once, from a
// starting position on. Subscribes again where it was after 5 minutes, a broken
// connection or a silent server, on the next endpoint if there is one.
//
// One thread of its own, on which the callbacks run; a slow callback slows the
// server's pushing (flow control), it never loses records. Starting at LATEST,
// records that arrive before the first event are missed if the connection
// breaks before it. Wait and Stop from any thread.
#ifndef TRIREME_CLIENT_SUBSCRIBER_H_
#define TRIREME_CLIENT_SUBSCRIBER_H_

#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cancellation.h"
#include "client/client.h"

namespace trireme::client {

struct SubscriberOptions {
  std::string stream_name;  // May be left out with a consumer_arn.
  // Of a registered consumer, which has one subscription a shard: another one
  // ends this with ResourceInUseException. Empty: any number may subscribe.
  std::string consumer_arn = {};
  std::string shard_id;
  v1::StartingPosition from = FromLatest();
  // Events without records too: they come at least every 5 seconds.
  std::function<void(const v1::SubscribeToShardEvent&)> on_event;
  // Optional: why it is about to subscribe again; OK after 5 minutes.
  std::function<void(const absl::Status&)> on_interruption;
  // Optional: once, at the end, with what Wait returns.
  std::function<void(const absl::Status&)> on_end;
  // No event for so long: the server is given up.
  absl::Duration silence_max = absl::Seconds(15);
};

class Subscriber {
 public:
  // Starts at once. `client` must outlive it.
  Subscriber(Client& client, SubscriberOptions options);
  // Stop.
  ~Subscriber();

  // Ends it and waits for the callback that may be running. Not from a
  // callback.
  void Stop();
  // Asks it to end and returns at once. From a callback too.
  void RequestStop() { stop_.Cancel(); }

  // Waits for the end: OK at the end of a closed shard (its last event names
  // the children), Cancelled after Stop, else the error that repeating does
  // not cure.
  absl::Status Wait();

 private:
  void Run();
  absl::Status FollowOnce(const Endpoint& endpoint);
  void OnEvent(const v1::SubscribeToShardEvent& event);
  bool Done() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return done_; }

  // Set at construction.
  Client& client_;
  const SubscriberOptions options_;

  // Owned by the thread.
  v1::StartingPosition position_;
  bool at_end_ = false;      // Of a closed shard.
  bool progressed_ = false;  // An event came on this subscription.

  absl::Mutex mu_;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status result_ ABSL_GUARDED_BY(mu_);

  Cancellation stop_;  // Has a lock of its own.
  Cancellation::Hook on_cancel_;
  std::thread thread_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_SUBSCRIBER_H_
