#include "server/grpc/records_service.h"

#include <utility>

#include "server/grpc/grpc_status.h"
#include "server/grpc/put_records_stream.h"
#include "server/grpc/record_messages.h"
#include "server/grpc/subscribe_call.h"
#include "server/grpc/unary_call.h"

namespace trireme {
namespace {

// A GetRecords call: holds its place among the reads until it is sent.
class GetRecordsCall : public grpc::ServerUnaryReactor {
 public:
  GetRecordsCall(const ServedBroker& served,
                 const grpc::CallbackServerContext& context,
                 const grpc::ByteBuffer& request, grpc::ByteBuffer* response) {
    const absl::StatusOr<Broker*> broker = served.Get();
    const absl::Status begun =
        broker.ok() ? ParseMessage(request, &request_) : broker.status();
    if (!begun.ok()) {
      Finish(ToGrpcStatus(begun));
      return;
    }
    (*broker)->GetRecords(
        FromMessage(request_), TimeLeft(context),
        [this, response](absl::StatusOr<GetRecordsResponse> read) {
          if (!read.ok()) return Finish(ToGrpcStatus(read.status()));
          *response = ToBuffer(*read);
          ticket_ = std::move(read->ticket);
          Finish(grpc::Status::OK);
        });
  }

  void OnDone() override { delete this; }

 private:
  v1::GetRecordsRequest request_;
  Ticket ticket_;
};

// A call that ends at once, with an error.
template <typename Reactor>
class Refusal : public Reactor {
 public:
  explicit Refusal(const absl::Status& status) {
    this->Finish(ToGrpcStatus(status));
  }
  void OnDone() override { delete this; }
};
using PutsReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
using EventsReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

}  // namespace

grpc::ServerUnaryReactor* RecordsService::PutRecord(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto call = UnaryCall<v1::PutRecordRequest, v1::PutRecordResponse>::Begin(
      served_, reactor, *request, response);
  if (call == nullptr) return reactor;
  const v1::PutRecordRequest& message = call->request();
  call->broker().PutRecord(
      FromMessage(message), TimeLeft(*context),
      [call = std::move(call)](absl::StatusOr<PutResult> put) {
        call->Answer(put);
      });
  return reactor;
}

grpc::ServerUnaryReactor* RecordsService::PutRecords(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto call = UnaryCall<v1::PutRecordsRequest, v1::PutRecordsResponse>::Begin(
      served_, reactor, *request, response);
  if (call == nullptr) return reactor;
  const v1::PutRecordsRequest& message = call->request();
  call->broker().PutRecords(
      FromMessage(message), TimeLeft(*context),
      [call = std::move(call)](absl::StatusOr<PutRecordsResponse> put) {
        call->Answer(put);
      });
  return reactor;
}

PutsReactor* RecordsService::PutRecordsStream(
    grpc::CallbackServerContext* context) {
  const absl::StatusOr<Broker*> broker = served_.Get();
  if (!broker.ok()) return new Refusal<PutsReactor>(broker.status());
  return new trireme::PutRecordsStream(*broker, context);
}

grpc::ServerUnaryReactor* RecordsService::GetShardIterator(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto call =
      UnaryCall<v1::GetShardIteratorRequest,
                v1::GetShardIteratorResponse>::Begin(served_, reactor, *request,
                                                     response);
  if (call == nullptr) return reactor;
  const v1::GetShardIteratorRequest& message = call->request();
  call->broker().GetShardIterator(
      FromMessage(message), TimeLeft(*context),
      [call = std::move(call)](absl::StatusOr<GetShardIteratorResponse> found) {
        call->Answer(found);
      });
  return reactor;
}

grpc::ServerUnaryReactor* RecordsService::GetRecords(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return new GetRecordsCall(served_, *context, *request, response);
}

EventsReactor* RecordsService::SubscribeToShard(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  const absl::StatusOr<Broker*> broker = served_.Get();
  if (!broker.ok()) return new Refusal<EventsReactor>(broker.status());
  v1::SubscribeToShardRequest message;
  const absl::Status parsed = ParseMessage(*request, &message);
  if (!parsed.ok()) return new Refusal<EventsReactor>(parsed);
  return new SubscribeCall(*broker, context, message);
}

}  // namespace trireme
