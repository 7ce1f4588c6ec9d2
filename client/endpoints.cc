#include "client/endpoints.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/error.h"

namespace trireme::client {
namespace {

// Answers hold up to 10 MiB of records and their framing.
constexpr int kMessageBytesMax = 32 << 20;

// What one more attempt may take on an address that refused before.
constexpr absl::Duration kSecondAttempt = absl::Milliseconds(100);

absl::Status CheckAddress(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return absl::OkStatus();
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("endpoint '", address,
                     "' is not HOST:PORT, for example 127.0.0.1:7420"));
  }
  return absl::OkStatus();
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetMaxSendMessageSize(kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  // A broker stands in the same network; a proxy meant for the web would only
  // break loopback addresses.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

}  // namespace

absl::Status Endpoint::Connect(absl::string_view call,
                               absl::Duration timeout) const {
  absl::Time deadline = absl::Now() + timeout;
  grpc_connectivity_state state = channel->GetState(true);
  if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
    // Callers have pauses of their own. gRPC's on top would leave a node that
    // is back unseen for seconds, for an attempt needs both to be over.
    grpc::experimental::ChannelResetConnectionBackoff(channel.get());
    deadline = std::min(deadline, absl::Now() + kSecondAttempt);
    channel->WaitForStateChange(state, absl::ToChronoTime(deadline));
    state = channel->GetState(true);
  }
  while (state != GRPC_CHANNEL_READY) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE ||
        !channel->WaitForStateChange(state, absl::ToChronoTime(deadline))) {
      return MakeError(absl::StatusCode::kUnavailable, kNotConnected, call,
                       absl::StrCat("cannot connect to ", address));
    }
    state = channel->GetState(true);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Endpoints>> Endpoints::Create(
    const std::vector<std::string>& addresses,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  if (addresses.empty()) {
    return absl::InvalidArgumentError("no endpoint is given");
  }
  std::unique_ptr<Endpoints> result(new Endpoints());
  for (const std::string& address : addresses) {
    if (absl::Status status = CheckAddress(address); !status.ok()) {
      return status;
    }
    auto endpoint = std::make_unique<Endpoint>();
    endpoint->index = result->endpoints_.size();
    endpoint->address = address;
    endpoint->channel =
        grpc::CreateCustomChannel(address, credentials, Arguments());
    endpoint->records = v1::Records::NewStub(endpoint->channel);
    endpoint->streams = v1::Streams::NewStub(endpoint->channel);
    endpoint->cluster = v1::Cluster::NewStub(endpoint->channel);
    result->endpoints_.push_back(std::move(endpoint));
  }
  return result;
}

void Endpoints::Leave(const Endpoint& endpoint) {
  size_t expected = current_.load();
  if (expected % endpoints_.size() != endpoint.index) return;
  current_.compare_exchange_strong(expected, expected + 1);
}

}  // namespace trireme::client
