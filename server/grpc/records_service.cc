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
  GetRecordsCall(Broker* broker, const grpc::CallbackServerContext& context,
                 const grpc::ByteBuffer& request, grpc::ByteBuffer* response) {
    const absl::Status parsed = ParseMessage(request, &request_);
    if (!parsed.ok()) {
      Finish(ToGrpcStatus(parsed));
      return;
    }
    broker->GetRecords(
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

}  // namespace

grpc::ServerUnaryReactor* RecordsService::PutRecord(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto call = UnaryCall<v1::PutRecordRequest, v1::PutRecordResponse>::Begin(
      reactor, *request, response);
  if (call == nullptr) return reactor;
  const v1::PutRecordRequest& message = call->request();
  broker_->PutRecord(FromMessage(message), TimeLeft(*context),
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
      reactor, *request, response);
  if (call == nullptr) return reactor;
  const v1::PutRecordsRequest& message = call->request();
  broker_->PutRecords(
      FromMessage(message), TimeLeft(*context),
      [call = std::move(call)](absl::StatusOr<PutRecordsResponse> put) {
        call->Answer(put);
      });
  return reactor;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
RecordsService::PutRecordsStream(grpc::CallbackServerContext* context) {
  return new trireme::PutRecordsStream(broker_, context);
}

grpc::ServerUnaryReactor* RecordsService::GetShardIterator(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto call = UnaryCall<v1::GetShardIteratorRequest,
                        v1::GetShardIteratorResponse>::Begin(reactor, *request,
                                                             response);
  if (call == nullptr) return reactor;
  const v1::GetShardIteratorRequest& message = call->request();
  broker_->GetShardIterator(
      FromMessage(message), TimeLeft(*context),
      [call = std::move(call)](absl::StatusOr<GetShardIteratorResponse> found) {
        call->Answer(found);
      });
  return reactor;
}

grpc::ServerUnaryReactor* RecordsService::GetRecords(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return new GetRecordsCall(broker_, *context, *request, response);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* RecordsService::SubscribeToShard(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  v1::SubscribeToShardRequest message;
  const absl::Status parsed = ParseMessage(*request, &message);
  if (!parsed.ok()) {
    class Refusal : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
     public:
      explicit Refusal(const grpc::Status& status) { Finish(status); }
      void OnDone() override { delete this; }
    };
    return new Refusal(ToGrpcStatus(parsed));
  }
  return new SubscribeCall(broker_, context, message);
}

}  // namespace trireme
