// PeerConnection is this node's Exchange stream to one peer: it queues
// envelopes, sends all that wait in one message, and connects again when the
// stream breaks.
//
// Owned by the GrpcTransport. Thread-safe.
#ifndef TRIREME_REPLICATION_PEER_CONNECTION_H_
#define TRIREME_REPLICATION_PEER_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"
#include "replication/transport.h"
#include "storage/monotonic_event.h"
#include "trireme/v1/replication.grpc.pb.h"

namespace trireme {

// The metadata key with the cluster's name: nodes of two clusters that were
// given each other's addresses must not exchange a word.
inline constexpr char kClusterMetadata[] = "trireme-cluster";

class PeerConnection {
 public:
  PeerConnection(const std::string& cluster, NodeId peer,
                 const std::string& address,
                 const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                 uint64_t queued_bytes_max);
  ~PeerConnection();

  // Opens the stream, and again whenever it breaks, until Stop.
  void Start(EnvelopeReceiver* receiver);
  void Stop();

  bool Send(Envelope envelope);
  v1::Replication::Stub* stub() { return stub_.get(); }

 private:
  class Stream;

  // The connecting thread: opens a stream, waits for its end, tells the
  // receiver, waits a little, and so on.
  void Run();
  // Called by the stream.
  void OnConnected(Stream* stream);
  void OnBroken();
  void OnWriteDone(Stream* stream, bool ok);

  void MaybeWrite(Stream* stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void Merge(Envelope from, Envelope* into);
  static uint64_t SizeOf(const Envelope& envelope);

  // Set at construction.
  const std::string cluster_;
  const NodeId peer_;
  const uint64_t queued_bytes_max_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Replication::Stub> stub_;

  EnvelopeReceiver* receiver_ = nullptr;  // Set by Start.
  std::thread thread_;

  MonotonicEvent stop_;  // Ends the pause between two streams.

  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool connected_ ABSL_GUARDED_BY(mu_) = false;
  bool broken_ ABSL_GUARDED_BY(mu_) = false;         // This stream is.
  bool was_connected_ ABSL_GUARDED_BY(mu_) = false;  // In this stream's life.
  Stream* stream_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Envelope> queue_ ABSL_GUARDED_BY(mu_);
  uint64_t queued_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_PEER_CONNECTION_H_
