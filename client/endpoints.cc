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

// What is waited for leaders to which nothing was sent before. Later the
// channels connect by themselves, or never do.
constexpr absl::Duration kFirstAttempt = absl::Milliseconds(100);

// How long an endpoint that was left is nobody's leader: a node that is gone
// is reported as the leader for some seconds.
constexpr absl::Duration kAvoidance = absl::Seconds(5);

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
  std::unique_ptr<Endpoints> result(new Endpoints(credentials));
  for (const std::string& address : addresses) {
    if (absl::Status status = CheckAddress(address); !status.ok()) {
      return status;
    }
    result->endpoints_.push_back(result->Make(address));
  }
  return result;
}

std::unique_ptr<Endpoint> Endpoints::Make(const std::string& address) const {
  auto endpoint = std::make_unique<Endpoint>();
  endpoint->address = address;
  endpoint->channel =
      grpc::CreateCustomChannel(address, credentials_, Arguments());
  endpoint->records = v1::Records::NewStub(endpoint->channel);
  endpoint->streams = v1::Streams::NewStub(endpoint->channel);
  endpoint->cluster = v1::Cluster::NewStub(endpoint->channel);
  endpoint->groups = v1::ConsumerGroups::NewStub(endpoint->channel);
  return endpoint;
}

const Endpoint& Endpoints::LeaderOf(std::optional<uint32_t> group) const {
  if (group.has_value()) {
    absl::MutexLock lock(&mu_);
    const auto leader = leaders_.find(*group);
    // An address that leads nowhere from here must not cost a call anything.
    if (leader != leaders_.end() &&
        leader->second->channel->GetState(/*try_to_connect=*/false) ==
            GRPC_CHANNEL_READY) {
      return *leader->second;
    }
  }
  return current();
}

void Endpoints::Learn(const v1::GetClusterStatusResponse& status,
                      absl::Time deadline) {
  absl::flat_hash_map<uint32_t, std::string> addresses;  // By node.
  for (const v1::NodeStatus& node : status.nodes()) {
    if (node.health() != v1::UNREACHABLE) {
      addresses[node.node_id()] = node.address();
    }
  }
  ConnectToNew(SetLeaders(status, addresses),
               std::min(deadline, absl::Now() + kFirstAttempt));
}

absl::flat_hash_set<const Endpoint*> Endpoints::SetLeaders(
    const v1::GetClusterStatusResponse& status,
    const absl::flat_hash_map<uint32_t, std::string>& addresses) {
  absl::flat_hash_set<const Endpoint*> found;
  const absl::Time now = absl::Now();
  absl::MutexLock lock(&mu_);
  leaders_.clear();
  for (const v1::GroupStatus& group : status.groups()) {
    const auto address = addresses.find(group.leader());
    if (address == addresses.end()) continue;
    const Endpoint* const leader = At(address->second);
    if (leader == nullptr) continue;
    const auto avoided = avoided_.find(leader);
    if (avoided != avoided_.end() && avoided->second > now) continue;
    leaders_[group.group_id()] = leader;
    found.insert(leader);
  }
  return found;
}

void Endpoints::ConnectToNew(
    const absl::flat_hash_set<const Endpoint*>& leaders, absl::Time deadline) {
  absl::flat_hash_set<const Endpoint*> untried;
  for (const Endpoint* leader : leaders) {
    if (leader->channel->GetState(/*try_to_connect=*/true) ==
        GRPC_CHANNEL_IDLE) {
      untried.insert(leader);
    }
  }
  for (const Endpoint* leader : untried) {
    leader->channel->WaitForConnected(absl::ToChronoTime(deadline));
  }
}

const Endpoint* Endpoints::At(const std::string& address) {
  for (const auto& endpoint : endpoints_) {
    if (endpoint->address == address) return endpoint.get();
  }
  if (!CheckAddress(address).ok()) return nullptr;
  std::unique_ptr<Endpoint>& learned = learned_[address];
  if (learned == nullptr) learned = Make(address);
  return learned.get();
}

void Endpoints::Leave(const Endpoint& endpoint) {
  size_t expected = current_.load();
  if (endpoints_[expected % endpoints_.size()].get() == &endpoint) {
    current_.compare_exchange_strong(expected, expected + 1);
  }
  absl::MutexLock lock(&mu_);
  avoided_[&endpoint] = absl::Now() + kAvoidance;
  absl::erase_if(
      leaders_, [&](const auto& leader) { return leader.second == &endpoint; });
}

}  // namespace trireme::client
