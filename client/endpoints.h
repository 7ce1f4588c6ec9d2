// The addresses of a cluster, one gRPC channel each, and the one in use now.
// Whoever finds an endpoint unreachable leaves it, and everybody goes on with
// the next. Owned by Client. Any thread.
#ifndef TRIREME_CLIENT_ENDPOINTS_H_
#define TRIREME_CLIENT_ENDPOINTS_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trireme/v1/cluster.grpc.pb.h"
#include "trireme/v1/records.grpc.pb.h"
#include "trireme/v1/streams.grpc.pb.h"

namespace trireme::client {

struct Endpoint {
  size_t index = 0;
  std::string address;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Records::Stub> records;
  std::unique_ptr<v1::Streams::Stub> streams;
  std::unique_ptr<v1::Cluster::Stub> cluster;

  // OK when the channel is ready; else UNAVAILABLE/NotConnected, at once when
  // the address refuses, after `timeout` when it is silent. A call is made
  // only after this, so that a failure to connect is never mistaken for a call
  // whose outcome is unknown.
  absl::Status Connect(absl::string_view call, absl::Duration timeout) const;
};

class Endpoints {
 public:
  // `addresses` as HOST:PORT. Errors: InvalidArgument.
  static absl::StatusOr<std::unique_ptr<Endpoints>> Create(
      const std::vector<std::string>& addresses,
      const std::shared_ptr<grpc::ChannelCredentials>& credentials);

  const Endpoint& current() const {
    return *endpoints_[current_.load() % endpoints_.size()];
  }
  // Moves on from `endpoint`, unless somebody has done so already.
  void Leave(const Endpoint& endpoint);
  size_t size() const { return endpoints_.size(); }

 private:
  Endpoints() = default;

  // Set at construction.
  std::vector<std::unique_ptr<Endpoint>> endpoints_;

  std::atomic<size_t> current_ = 0;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_ENDPOINTS_H_
