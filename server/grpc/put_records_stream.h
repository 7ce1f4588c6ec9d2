// PutRecordsStream is one bidirectional PutRecordsStream call: requests are
// put as they come, many at a time, and answered in their order. It stops
// reading while too much of it is unanswered, so a fast producer is held back
// by the transport's flow control.
//
// gRPC's threads and completions of puts call in; it deletes itself when gRPC
// is done with it.
#ifndef TRIREME_SERVER_GRPC_PUT_RECORDS_STREAM_H_
#define TRIREME_SERVER_GRPC_PUT_RECORDS_STREAM_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/broker.h"
#include "trireme/v1/records.pb.h"

namespace trireme {

class PutRecordsStream
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  PutRecordsStream(Broker* broker, grpc::CallbackServerContext* context);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }

 private:
  // One request and what became of it.
  struct Put {
    grpc::ByteBuffer buffer;  // As read; then the answer, as written.
    v1::PutRecordsRequest request;
    uint64_t bytes = 0;
    bool done = false;
    absl::Status status;
  };
  // What to start once the lock is released.
  struct Next {
    grpc::ByteBuffer* read = nullptr;
    const grpc::ByteBuffer* write = nullptr;
    bool write_goes_on = false;  // Another answer follows at once.
    std::optional<absl::Status> finish;
  };

  bool Begin(Put* put);
  void OnPut(Put* put, absl::StatusOr<PutRecordsResponse> response);

  // Something happened: true when the caller must now call Turn, without the
  // lock; false when another thread is at it, and will see to it. After false
  // this object may be gone.
  bool TakeTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Starts what can be started, until nothing more can.
  void Turn();
  Next Decide() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool MayRead() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool MayFinish() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  Broker* const broker_;
  grpc::CallbackServerContext* const context_;
  // Of all requests: they keep their order across a reshard.
  const std::shared_ptr<PutSequence> sequence_ =
      std::make_shared<PutSequence>();

  absl::Mutex mu_;
  // Unanswered, oldest first; the last one is being read into if reading_.
  std::deque<std::unique_ptr<Put>> puts_ ABSL_GUARDED_BY(mu_);
  uint64_t unanswered_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  size_t in_progress_ ABSL_GUARDED_BY(mu_) = 0;  // Puts the Broker has.
  // The put just given to the Broker, until it has returned.
  const Put* starting_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool starting_done_ ABSL_GUARDED_BY(mu_) = false;
  // A put that waits to be proposed: later ones must not overtake it.
  const Put* holding_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool reading_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool read_all_ ABSL_GUARDED_BY(mu_) = false;  // No more requests come.
  bool refused_ ABSL_GUARDED_BY(mu_) = false;   // No more are taken.
  // Set when no more answers are written: a request was refused, or nobody
  // listens.
  std::optional<absl::Status> ending_ ABSL_GUARDED_BY(mu_);
  bool in_turn_ ABSL_GUARDED_BY(mu_) = false;
  bool turn_again_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_PUT_RECORDS_STREAM_H_
