#include "server/grpc/records_service.h"

#include <utility>

#include "server/grpc/grpc_status.h"
#include "server/grpc/put_records_stream.h"
#include "server/grpc/record_messages.h"
#include "server/grpc/subscribe_call.h"

namespace trireme {
namespace {

template <typename Message>
grpc::Status Parse(const grpc::ByteBuffer& buffer, Message* message) {
  // Deserializing empties the buffer it is given, not the bytes.
  grpc::ByteBuffer bytes = buffer;
  return grpc::SerializationTraits<Message>::Deserialize(&bytes, message);
}

// A GetRecords call: holds its place among the reads until it is sent.
class GetRecordsCall : public grpc::ServerUnaryReactor {
 public:
  GetRecordsCall(Broker* broker, const grpc::CallbackServerContext& context,
                 const grpc::ByteBuffer& request, grpc::ByteBuffer* response) {
    const grpc::Status parsed = Parse(request, &request_);
    if (!parsed.ok()) {
      Finish(parsed);
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
    grpc::CallbackServerContext* context, const v1::PutRecordRequest* request,
    v1::PutRecordResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  broker_->PutRecord(FromMessage(*request), TimeLeft(*context),
                     [reactor, response](absl::StatusOr<PutResult> result) {
                       if (result.ok()) ToMessage(*result, response);
                       reactor->Finish(ToGrpcStatus(result.status()));
                     });
  return reactor;
}

grpc::ServerUnaryReactor* RecordsService::PutRecords(
    grpc::CallbackServerContext* context, const v1::PutRecordsRequest* request,
    v1::PutRecordsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  broker_->PutRecords(
      FromMessage(*request), TimeLeft(*context),
      [reactor, response](absl::StatusOr<PutRecordsResponse> results) {
        if (results.ok()) ToMessage(*results, response);
        reactor->Finish(ToGrpcStatus(results.status()));
      });
  return reactor;
}

grpc::ServerBidiReactor<v1::PutRecordsRequest, v1::PutRecordsResponse>*
RecordsService::PutRecordsStream(grpc::CallbackServerContext* context) {
  return new trireme::PutRecordsStream(broker_, context);
}

grpc::ServerUnaryReactor* RecordsService::GetShardIterator(
    grpc::CallbackServerContext* context,
    const v1::GetShardIteratorRequest* request,
    v1::GetShardIteratorResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  broker_->GetShardIterator(
      FromMessage(*request), TimeLeft(*context),
      [reactor, response](absl::StatusOr<GetShardIteratorResponse> found) {
        if (found.ok()) {
          response->set_shard_iterator(std::move(found->shard_iterator));
        }
        reactor->Finish(ToGrpcStatus(found.status()));
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
  const grpc::Status parsed = Parse(*request, &message);
  if (!parsed.ok()) {
    // What a malformed message is answered with everywhere else.
    class Refusal : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
     public:
      explicit Refusal(const grpc::Status& status) { Finish(status); }
      void OnDone() override { delete this; }
    };
    return new Refusal(parsed);
  }
  return new SubscribeCall(broker_, context, message);
}

}  // namespace trireme
