#include "server/grpc/consumer_calls.h"

#include <utility>

#include "server/grpc/stream_messages.h"

namespace trireme {
namespace {

// The fields that all descriptions of a consumer have.
template <typename Message>
void SetCommon(const FoundConsumer& consumer, const Account& account,
               v1::Consumer::Status status, Message* message) {
  message->set_consumer_name(consumer.name);
  message->set_consumer_arn(ConsumerArn(account, consumer.stream_name,
                                        consumer.name, consumer.created_s));
  message->set_consumer_status(status);
  message->mutable_consumer_creation_timestamp()->set_seconds(
      static_cast<int64_t>(consumer.created_s));
}

// Views into `message`.
template <typename Message>
ConsumerAddress ConsumerOf(const Message& message) {
  return {AddressOf(message), message.consumer_name(), message.consumer_arn()};
}

}  // namespace

void OnRegisterStreamConsumer(UnaryCallPtr<v1::RegisterStreamConsumerRequest,
                                           v1::RegisterStreamConsumerResponse>
                                  call,
                              absl::Duration timeout) {
  const v1::RegisterStreamConsumerRequest& message = call->request();
  call->broker().RegisterConsumer(
      {AddressOf(message), message.consumer_name(), TagsOf(message)}, timeout,
      [call = std::move(call)](absl::StatusOr<FoundConsumer> made) {
        if (!made.ok()) return call->Reply(made.status());
        // What clients wait for in a loop begins with CREATING (contract,
        // §1.6); the first they ask is told ACTIVE.
        v1::RegisterStreamConsumerResponse response;
        SetCommon(*made, call->broker().account(), v1::Consumer::CREATING,
                  response.mutable_consumer());
        call->Reply(std::move(response));
      });
}

void OnDeregisterStreamConsumer(
    UnaryCallPtr<v1::DeregisterStreamConsumerRequest,
                 v1::DeregisterStreamConsumerResponse>
        call,
    absl::Duration timeout) {
  const v1::DeregisterStreamConsumerRequest& message = call->request();
  call->broker().DeregisterConsumer(ConsumerOf(message), timeout,
                                    Acknowledge(std::move(call)));
}

void OnDescribeStreamConsumer(UnaryCallPtr<v1::DescribeStreamConsumerRequest,
                                           v1::DescribeStreamConsumerResponse>
                                  call,
                              absl::Duration timeout) {
  const v1::DescribeStreamConsumerRequest& message = call->request();
  call->broker().DescribeConsumer(
      ConsumerOf(message), timeout,
      [call = std::move(call)](absl::StatusOr<FoundConsumer> found) {
        if (!found.ok()) return call->Reply(found.status());
        const Account& account = call->broker().account();
        v1::DescribeStreamConsumerResponse response;
        v1::ConsumerDescription& description =
            *response.mutable_consumer_description();
        SetCommon(*found, account, v1::Consumer::ACTIVE, &description);
        description.set_stream_arn(StreamArn(account, found->stream_name));
        call->Reply(std::move(response));
      });
}

void OnListStreamConsumers(UnaryCallPtr<v1::ListStreamConsumersRequest,
                                        v1::ListStreamConsumersResponse>
                               call,
                           absl::Duration timeout) {
  const v1::ListStreamConsumersRequest& message = call->request();
  call->broker().ListConsumers(
      {AddressOf(message), message.next_token(), message.max_results(),
       CreationOf(message)},
      timeout,
      [call = std::move(call)](absl::StatusOr<ListConsumersResponse> found) {
        if (!found.ok()) return call->Reply(found.status());
        v1::ListStreamConsumersResponse response;
        for (const FoundConsumer& consumer : found->consumers) {
          SetCommon(consumer, call->broker().account(), v1::Consumer::ACTIVE,
                    response.add_consumers());
        }
        response.set_next_token(found->next_token);
        call->Reply(std::move(response));
      });
}

}  // namespace trireme
