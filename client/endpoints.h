// The addresses of a cluster, one gRPC channel each, the one in use now, and
// those of the groups' leaders once they are learned. Whoever finds an endpoint
// unreachable leaves it, and everybody goes on with the next. Owned by Client.
// Any thread.
#ifndef TRIREME_CLIENT_ENDPOINTS_H_
#define TRIREME_CLIENT_ENDPOINTS_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trireme/v1/cluster.grpc.pb.h"
#include "trireme/v1/consumer_groups.grpc.pb.h"
#include "trireme/v1/records.grpc.pb.h"
#include "trireme/v1/streams.grpc.pb.h"

namespace trireme::client {

struct Endpoint {
  std::string address;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Records::Stub> records;
  std::unique_ptr<v1::Streams::Stub> streams;
  std::unique_ptr<v1::Cluster::Stub> cluster;
  std::unique_ptr<v1::ConsumerGroups::Stub> groups;

  // OK when the channel is ready; else UNAVAILABLE/NotConnected, at once when
  // the address refuses, after `timeout` when it is silent. A call is made
  // only after this, so that a failure to connect is never mistaken for a call
  // whose outcome is unknown.
  absl::Status Connect(absl::string_view call, absl::Duration timeout) const;
  // Connect failed because the address refused, not because it was silent.
  bool Refuses() const {
    return channel->GetState(/*try_to_connect=*/false) ==
           GRPC_CHANNEL_TRANSIENT_FAILURE;
  }
};

class Endpoints {
 public:
  // `addresses` as HOST:PORT. Errors: InvalidArgument.
  static absl::StatusOr<std::unique_ptr<Endpoints>> Create(
      const std::vector<std::string>& addresses,
      const std::shared_ptr<grpc::ChannelCredentials>& credentials);

  // One of those given to Create. Endpoints live as long as this object.
  const Endpoint& current() const {
    return *endpoints_[current_.load() % endpoints_.size()];
  }
  // Where the group's leader takes puts without a forward; `current` when that
  // is not known, or cannot be reached at present. No group: `current`.
  const Endpoint& LeaderOf(std::optional<uint32_t> group) const;
  // Takes over who leads what. Leaders may stand at addresses that were not
  // given to Create; new ones are connected to, until `deadline` at most.
  void Learn(const v1::GetClusterStatusResponse& status, absl::Time deadline);
  // Moves on from `endpoint`, unless somebody has done so already, and takes
  // it for nobody's leader for a while.
  void Leave(const Endpoint& endpoint);
  size_t size() const { return endpoints_.size(); }

 private:
  explicit Endpoints(std::shared_ptr<grpc::ChannelCredentials> credentials)
      : credentials_(std::move(credentials)) {}

  std::unique_ptr<Endpoint> Make(const std::string& address) const;
  // Who leads now, by `addresses` of nodes.
  absl::flat_hash_set<const Endpoint*> SetLeaders(
      const v1::GetClusterStatusResponse& status,
      const absl::flat_hash_map<uint32_t, std::string>& addresses);
  static void ConnectToNew(const absl::flat_hash_set<const Endpoint*>& leaders,
                           absl::Time deadline);
  // The endpoint of an address; null when the address is malformed.
  const Endpoint* At(const std::string& address)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;

  std::atomic<size_t> current_ = 0;

  mutable absl::Mutex mu_;
  // By address; those that were not given to Create.
  absl::flat_hash_map<std::string, std::unique_ptr<Endpoint>> learned_
      ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint32_t, const Endpoint*> leaders_ ABSL_GUARDED_BY(mu_);
  // Left lately: until when it is avoided.
  absl::flat_hash_map<const Endpoint*, absl::Time> avoided_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_ENDPOINTS_H_
