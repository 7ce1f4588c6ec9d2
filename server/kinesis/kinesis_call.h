// KinesisCall is one call of the Kinesis API: its checked input, and how it
// ends. An operation reads its members, calls the Broker, and ends the call
// with Acknowledge or ReplyWith.
//
// Shared by the operation's callback; the input lives as long as the call.
#ifndef TRIREME_SERVER_KINESIS_KINESIS_CALL_H_
#define TRIREME_SERVER_KINESIS_KINESIS_CALL_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/aws/aws_call.h"
#include "server/aws/message_view.h"
#include "server/aws/message_writer.h"
#include "server/aws/shape.h"
#include "server/broker.h"
#include "server/resource_names.h"

namespace trireme {

// Shorter than the timeouts of clients: the KPL waits 6 seconds.
inline constexpr absl::Duration kKinesisCallTimeout = absl::Seconds(5);

class KinesisCall {
 public:
  // `aws`'s message has passed the operation's shape.
  KinesisCall(std::shared_ptr<AwsCall> aws, Broker* broker)
      : aws_(std::move(aws)), broker_(broker) {}

  MessageView input() const { return MessageView(aws_->message()); }
  Broker& broker() { return *broker_; }
  const Account& account() const { return broker_->account(); }
  AwsCall& aws() { return *aws_; }

  // The stream that the input names, and the resource.
  StreamAddress Stream() const {
    const MessageView in = input();
    return {in.String("StreamName"), in.String("StreamARN"),
            /*is_resource=*/false, in.String("StreamId")};
  }
  StreamAddress Resource() const {
    return {"", input().String("ResourceARN"), /*is_resource=*/true};
  }

  void Fail(const absl::Status& status) { aws_->Fail(ToAwsError(status)); }

 private:
  const std::shared_ptr<AwsCall> aws_;
  Broker* const broker_;
};
using KinesisCallPtr = std::shared_ptr<KinesisCall>;

// Ends a call of an operation without output.
inline auto Acknowledge(KinesisCallPtr call) {
  return [call = std::move(call)](const absl::Status& status) {
    if (!status.ok()) return call->Fail(status);
    call->aws().Respond(absl::Cord());
  };
}

// Ends a call with the members that `write(found, call, writer)` writes, on its
// connection's thread: what encodes must not hold the Broker's threads up.
template <typename Write>
auto ReplyWith(KinesisCallPtr call, Write write) {
  return [call = std::move(call), write](auto found) {
    if (!found.ok()) return call->Fail(found.status());
    HttpExchange& exchange = call->aws().exchange();
    exchange.Post([call, write, found = *std::move(found)]() mutable {
      MessageWriter writer(call->aws().format());
      writer.BeginMap();
      write(found, *call, &writer);
      writer.EndMap();
      call->aws().Respond(absl::Cord(writer.Take()));
    });
  };
}

// One operation of the API: what it takes, and what it does.
struct KinesisOperation {
  absl::string_view name;
  Shape input;
  void (*run)(KinesisCallPtr call);
  // What the shape cannot say; told before the shape's violations. Null: that
  // is all.
  void (*check)(const nlohmann::json& input, Violations* violations) = nullptr;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_KINESIS_CALL_H_
