#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

ConsumerAddress ConsumerOf(KinesisCall& call) {
  const MessageView in = call.input();
  return {call.Stream(), in.String("ConsumerName"), in.String("ConsumerARN")};
}

void WriteRegistered(const FoundConsumer& consumer, KinesisCall& call,
                     MessageWriter* writer) {
  writer->Key("Consumer").BeginMap();
  // What clients wait for in a loop begins with CREATING (contract, §1.6); the
  // first they ask is told ACTIVE.
  WriteConsumer(consumer, "CREATING", call.account(), writer);
  writer->EndMap();
}

void Register(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().RegisterConsumer(
      {call->Stream(), in.String("ConsumerName"), in.StringMap<Tags>("Tags")},
      kKinesisCallTimeout, ReplyWith(call, WriteRegistered));
}

void Deregister(KinesisCallPtr call) {
  call->broker().DeregisterConsumer(ConsumerOf(*call), kKinesisCallTimeout,
                                    Acknowledge(call));
}

void WriteDescription(const FoundConsumer& consumer, KinesisCall& call,
                      MessageWriter* writer) {
  writer->Key("ConsumerDescription").BeginMap();
  WriteConsumer(consumer, "ACTIVE", call.account(), writer);
  writer->Key("StreamARN")
      .String(StreamArn(call.account(), consumer.stream_name));
  writer->EndMap();
}

void Describe(KinesisCallPtr call) {
  call->broker().DescribeConsumer(ConsumerOf(*call), kKinesisCallTimeout,
                                  ReplyWith(call, WriteDescription));
}

void WriteList(const ListConsumersResponse& found, KinesisCall& call,
               MessageWriter* writer) {
  writer->Key("Consumers").BeginList();
  for (const FoundConsumer& consumer : found.consumers) {
    writer->BeginMap();
    WriteConsumer(consumer, "ACTIVE", call.account(), writer);
    writer->EndMap();
  }
  writer->EndList();
  WriteNextToken(found.next_token, writer);
}

void ListAll(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().ListConsumers({call->Stream(), in.String("NextToken"),
                                in.Integer("MaxResults").value_or(0),
                                in.Time("StreamCreationTimestamp")},
                               kKinesisCallTimeout, ReplyWith(call, WriteList));
}

// The consumer by its ARN, or by its stream's ARN and its name.
Shape ConsumerShape() {
  return Structure({{"StreamARN", ArnShape()},
                    {"ConsumerName", ResourceNameShape()},
                    {"ConsumerARN", ArnShape()},
                    {"StreamId", StreamIdShape()}});
}

}  // namespace

KinesisOperation RegisterStreamConsumerOperation() {
  return {"RegisterStreamConsumer",
          OfStreamArn({{"ConsumerName", ResourceNameShape().Required()},
                       {"Tags", TagMapShape()}}),
          Register};
}

KinesisOperation DeregisterStreamConsumerOperation() {
  return {"DeregisterStreamConsumer", ConsumerShape(), Deregister};
}

KinesisOperation DescribeStreamConsumerOperation() {
  return {"DescribeStreamConsumer", ConsumerShape(), Describe};
}

KinesisOperation ListStreamConsumersOperation() {
  return {"ListStreamConsumers",
          OfStreamArn({{"NextToken", NextTokenShape()},
                       {"MaxResults", ListLimitShape()},
                       {"StreamCreationTimestamp", Time()}}),
          ListAll};
}

}  // namespace trireme
