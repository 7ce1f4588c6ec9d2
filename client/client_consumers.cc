// Client: registered consumers.
#include <utility>

#include "absl/strings/match.h"
#include "client/client.h"
#include "client/status_macros.h"

namespace trireme::client {
namespace {

template <typename Request>
Request Naming(absl::string_view stream, absl::string_view consumer) {
  Request request;
  request.set_stream_name(std::string(stream));
  if (absl::StartsWith(consumer, "arn:")) {
    request.set_consumer_arn(std::string(consumer));
  } else {
    request.set_consumer_name(std::string(consumer));
  }
  return request;
}

}  // namespace

absl::StatusOr<v1::Consumer> Client::RegisterStreamConsumer(
    absl::string_view stream, absl::string_view name,
    const std::map<std::string, std::string>& tags) {
  v1::RegisterStreamConsumerRequest request;
  request.set_stream_name(std::string(stream));
  request.set_consumer_name(std::string(name));
  request.mutable_tags()->insert(tags.begin(), tags.end());
  v1::RegisterStreamConsumerResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams(
      "RegisterStreamConsumer", Repeat::kWhenNotDone,
      &v1::Streams::Stub::RegisterStreamConsumer, request, &response));
  return std::move(*response.mutable_consumer());
}

absl::Status Client::DeregisterStreamConsumer(absl::string_view stream,
                                              absl::string_view consumer) {
  const auto request =
      Naming<v1::DeregisterStreamConsumerRequest>(stream, consumer);
  v1::DeregisterStreamConsumerResponse response;
  return CallStreams("DeregisterStreamConsumer", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::DeregisterStreamConsumer, request,
                     &response);
}

absl::StatusOr<v1::ConsumerDescription> Client::DescribeStreamConsumer(
    absl::string_view stream, absl::string_view consumer) {
  const auto request =
      Naming<v1::DescribeStreamConsumerRequest>(stream, consumer);
  v1::DescribeStreamConsumerResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams("DescribeStreamConsumer", Repeat::kFreely,
                                     &v1::Streams::Stub::DescribeStreamConsumer,
                                     request, &response));
  return std::move(*response.mutable_consumer_description());
}

absl::StatusOr<std::vector<v1::Consumer>> Client::ListStreamConsumers(
    absl::string_view stream) {
  v1::ListStreamConsumersRequest request;
  request.set_stream_name(std::string(stream));
  std::vector<v1::Consumer> all;
  for (;;) {
    v1::ListStreamConsumersResponse response;
    CLIENT_RETURN_IF_ERROR(CallStreams("ListStreamConsumers", Repeat::kFreely,
                                       &v1::Streams::Stub::ListStreamConsumers,
                                       request, &response));
    all.insert(all.end(), response.consumers().begin(),
               response.consumers().end());
    if (response.next_token().empty()) return all;
    request.set_next_token(response.next_token());
  }
}

}  // namespace trireme::client
