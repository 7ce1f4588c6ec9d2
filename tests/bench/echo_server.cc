// A bare gRPC server with the callback API: answers PutRecord and
// PutRecordsStream at once with messages as long as triremed's and stores
// nothing. What is left of a call when the broker costs nothing.
// Usage: echo_server HOST:PORT
#include <grpcpp/grpcpp.h>

#include <cstdio>

#include "absl/synchronization/mutex.h"
#include "trireme/v1/records.grpc.pb.h"

namespace trireme::bench {
namespace {

constexpr char kShard[] = "shardId-000000000000";
constexpr char kNumber[] =
    "49590338271490256608559692538361571095921575989136588898";

// Answers each request once it is read; one at a time.
class EchoStream : public grpc::ServerBidiReactor<v1::PutRecordsRequest,
                                                  v1::PutRecordsResponse> {
 public:
  EchoStream() { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    response_.Clear();
    for (int i = 0; i < request_.records_size(); ++i) {
      v1::PutRecordsResult* const result = response_.add_records();
      result->set_shard_id(kShard);
      result->set_sequence_number(kNumber);
    }
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      StartRead(&request_);
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }

  void OnDone() override { delete this; }

 private:
  v1::PutRecordsRequest request_;
  v1::PutRecordsResponse response_;
};

class EchoService : public v1::Records::CallbackService {
 public:
  grpc::ServerUnaryReactor* PutRecord(
      grpc::CallbackServerContext* context, const v1::PutRecordRequest*,
      v1::PutRecordResponse* response) override {
    response->set_shard_id(kShard);
    response->set_sequence_number(kNumber);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerBidiReactor<v1::PutRecordsRequest, v1::PutRecordsResponse>*
  PutRecordsStream(grpc::CallbackServerContext*) override {
    return new EchoStream;
  }
};

int Main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: echo_server HOST:PORT\n");
    return 2;
  }
  // As triremed does (server/main.cc): the floor is gRPC at its best.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  EchoService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(argv[1], grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  server->Wait();
  return 0;
}

}  // namespace
}  // namespace trireme::bench

int main(int argc, char** argv) { return trireme::bench::Main(argc, argv); }
