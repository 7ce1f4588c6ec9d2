// LocalTransport connects the nodes of one process (triremed --dev, tests):
// an envelope is handed over as it is, payloads shared, nothing encoded.
#ifndef TRIREME_REPLICATION_LOCAL_TRANSPORT_H_
#define TRIREME_REPLICATION_LOCAL_TRANSPORT_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "replication/transport.h"

namespace trireme {

// Shared by all nodes of the process. Thread-safe.
class LocalTransport : public Transport {
 public:
  // Both must outlive the transport or be removed first.
  void Add(NodeId node, EnvelopeReceiver* receiver, ReplicatedState* state);
  void Remove(NodeId node);

  bool Send(NodeId to, Envelope envelope) override;
  absl::StatusOr<std::unique_ptr<StateSource>> PullState(
      NodeId from, GroupId group, absl::string_view held) override;

 private:
  struct Member {
    EnvelopeReceiver* receiver = nullptr;
    ReplicatedState* state = nullptr;
  };

  absl::Mutex mu_;
  absl::flat_hash_map<NodeId, Member> members_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_LOCAL_TRANSPORT_H_
