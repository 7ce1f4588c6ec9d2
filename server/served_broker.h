// ServedBroker is the Broker that calls go to, once there is one: a node
// listens while it starts, and tells callers so.
//
// Owned by a front end. Thread-safe.
#ifndef TRIREME_SERVER_SERVED_BROKER_H_
#define TRIREME_SERVER_SERVED_BROKER_H_

#include <atomic>

#include "absl/status/statusor.h"
#include "server/broker.h"
#include "storage/errors.h"

namespace trireme {

class ServedBroker {
 public:
  // `broker` must outlive all calls.
  void Set(Broker* broker) { broker_.store(broker); }
  // Errors: kNodeStarting.
  absl::StatusOr<Broker*> Get() const {
    if (Broker* const broker = broker_.load()) return broker;
    return MakeError(ErrorReason::kNodeStarting,
                     "the node is starting: it waits for its peers, or reads "
                     "its log; nothing was done");
  }

 private:
  std::atomic<Broker*> broker_{nullptr};
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SERVED_BROKER_H_
