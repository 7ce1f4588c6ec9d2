#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "server/aws/event_stream.h"
#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/kinesis/starting_position.h"
#include "server/subscription.h"

namespace trireme {
namespace {

constexpr size_t kEventMembersBytes = 512;
constexpr size_t kRecordMembersBytes = 200;
constexpr int kUnavailable = 503;

absl::string_view Continuation(const SubscriptionEvent& event) {
  return event.continuation_sequence_number;
}

// Its payload is JSON whatever the request was: all clients read that
// (kinesis-contract.md §3.2).
absl::Cord EncodeEvent(const SubscriptionEvent& event) {
  MessageWriter writer(MessageFormat::kJson,
                       event.records.bytes / 3 * 4 + kEventMembersBytes +
                           event.records.record_count * kRecordMembersBytes);
  writer.BeginMap();
  WriteRecords(event.records, event.encrypted, &writer);
  if (!Continuation(event).empty()) {
    writer.Key("ContinuationSequenceNumber").String(Continuation(event));
  }
  writer.Key("MillisBehindLatest").Integer(event.millis_behind_latest);
  WriteChildShards(event.child_shards, &writer);
  writer.EndMap();
  return EventMessage("SubscribeToShardEvent", absl::Cord(writer.Take()));
}

absl::Cord EncodeException(const AwsError& error) {
  MessageWriter writer(MessageFormat::kJson);
  writer.BeginMap();
  writer.Key("message").String(error.message);
  writer.EndMap();
  return ExceptionMessage(error.code, absl::Cord(writer.Take()));
}

// One SubscribeToShard call: writes the subscription's events on its exchange,
// one at a time. Until the first there is no answer, so that an error is one
// of the call, not one inside a stream.
//
// Holds itself until the subscription's Finish. Begin, OnWritten and OnClosed
// run on the connection's thread.
class ShardEventStream : public SubscriptionSink,
                         public HttpStreamWriter,
                         public std::enable_shared_from_this<ShardEventStream> {
 public:
  explicit ShardEventStream(KinesisCallPtr call) : call_(std::move(call)) {}

  void Begin(const SubscribeToShardRequest& request) {
    self_ = shared_from_this();
    absl::StatusOr<std::shared_ptr<Subscription>> subscription =
        call_->broker().SubscribeToShard(request, kKinesisCallTimeout, this);
    if (subscription.ok()) {
      subscription_ = *std::move(subscription);
    } else {
      Finish(subscription.status());
    }
  }

  // SubscriptionSink
  void Write(SubscriptionEvent event) override {
    if (!std::exchange(begun_, true)) {
      HttpResponse head = call_->aws().StreamHead(kEventStreamContentType);
      head.body = InitialResponse();
      exchange().BeginStream(std::move(head), self_);
    }
    exchange().Write(EncodeEvent(event));
  }

  void Finish(absl::Status status) override {
    const std::shared_ptr<ShardEventStream> last = std::move(self_);
    if (!begun_) return call_->Fail(status);
    if (abandoned_) return;
    const AwsError error = status.ok() ? AwsError() : ToAwsError(status);
    // What the API has no exception for only ends the stream: clients subscribe
    // again after what they have.
    if (!status.ok() && !absl::IsCancelled(status) &&
        error.http_status != kUnavailable) {
      ending_ = true;
      exchange().Write(EncodeException(error));
    }
    exchange().End();
  }

  void Abandon() override {
    abandoned_ = true;
    exchange().Abort();
  }

  // HttpStreamWriter
  void OnWritten(bool ok) override {
    if (!ending_) subscription_->OnWritten(ok);
  }

  void OnClosed() override {
    if (subscription_ == nullptr) return;
    subscription_->Stop(absl::CancelledError("the subscriber is gone"));
  }

 private:
  HttpExchange& exchange() { return call_->aws().exchange(); }

  const KinesisCallPtr call_;
  std::shared_ptr<ShardEventStream> self_;  // Null once finished.
  // Owned by the connection's thread.
  std::shared_ptr<Subscription> subscription_;
  // Owned by the subscription's step.
  bool begun_ = false;
  bool abandoned_ = false;
  std::atomic<bool> ending_{false};  // With an exception, which is written.
};

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  const auto position = in.Structure("StartingPosition");
  SubscribeToShardRequest request;
  request.stream = {"", "", false, in.String("StreamId")};
  request.shard_id = in.String("ShardId");
  request.position =
      PositionOf(position->String("Type"), position->String("SequenceNumber"),
                 position->Time("Timestamp"));
  request.consumer_arn = in.String("ConsumerARN");
  request.dry_run = in.Boolean("DryRun");
  std::make_shared<ShardEventStream>(std::move(call))->Begin(request);
}

}  // namespace

KinesisOperation SubscribeToShardOperation() {
  return {"SubscribeToShard",
          Structure({{"ConsumerARN", ArnShape().Required()},
                     {"ShardId", ResourceNameShape().Required()},
                     {"StartingPosition",
                      Structure({{"Type", IteratorTypeShape()},
                                 {"SequenceNumber", SequenceNumberShape()},
                                 {"Timestamp", Time()}})
                          .Required()},
                     {"StreamId", StreamIdShape()},
                     {"DryRun", Boolean()}}),
          Run};
}

}  // namespace trireme
