// Pulls are the calls with which this node pulls states from its peers, so that
// a stop need not wait for a peer.
//
// Owned by a GrpcTransport. Thread-safe.
#ifndef TRIREME_REPLICATION_PULLS_H_
#define TRIREME_REPLICATION_PULLS_H_

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/client_context.h"

namespace trireme {

class Pulls {
 public:
  // `pull` lives until it is removed.
  void Add(grpc::ClientContext* pull);
  void Remove(grpc::ClientContext* pull);
  // Cancels those under way, and later ones as they are added.
  void Stop();

 private:
  absl::Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  absl::flat_hash_set<grpc::ClientContext*> contexts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_PULLS_H_
