#include "server/grpc/records_service.h"

#include <utility>

#include "server/grpc/grpc_status.h"
#include "server/grpc/put_records_stream.h"
#include "server/grpc/record_messages.h"
#include "server/grpc/subscribe_call.h"

namespace trireme {
namespace {

// A unary call whose messages we parse and serialize ourselves, so that bytes
// that are no message get a typed error.
template <typename Request, typename Response>
class ParsedCall : public grpc::ServerUnaryReactor {
 public:
  explicit ParsedCall(grpc::ByteBuffer* buffer) : buffer_(buffer) {}

  // False: the call is finished with the error.
  bool Parse(const grpc::ByteBuffer& bytes) {
    const absl::Status parsed = ParseMessage(bytes, &request_);
    if (!parsed.ok()) Finish(ToGrpcStatus(parsed));
    return parsed.ok();
  }
  const Request& request() const { return request_; }

  template <typename Result>
  void Answer(const absl::StatusOr<Result>& result) {
    if (result.ok()) {
      Response response;
      ToMessage(*result, &response);
      *buffer_ = SerializeMessage(response);
    }
    Finish(ToGrpcStatus(result.status()));
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer* const buffer_;
  Request request_;
};

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
  auto* const call =
      new ParsedCall<v1::PutRecordRequest, v1::PutRecordResponse>(response);
  if (!call->Parse(*request)) return call;
  broker_->PutRecord(
      FromMessage(call->request()), TimeLeft(*context),
      [call](absl::StatusOr<PutResult> result) { call->Answer(result); });
  return call;
}

grpc::ServerUnaryReactor* RecordsService::PutRecords(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  auto* const call =
      new ParsedCall<v1::PutRecordsRequest, v1::PutRecordsResponse>(response);
  if (!call->Parse(*request)) return call;
  broker_->PutRecords(FromMessage(call->request()), TimeLeft(*context),
                      [call](absl::StatusOr<PutRecordsResponse> results) {
                        call->Answer(results);
                      });
  return call;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
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
