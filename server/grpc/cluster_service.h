// The gRPC front end of cluster.proto: what this node knows of the cluster.
#ifndef TRIREME_SERVER_GRPC_CLUSTER_SERVICE_H_
#define TRIREME_SERVER_GRPC_CLUSTER_SERVICE_H_

#include "server/grpc/served_broker.h"
#include "trireme/v1/cluster.grpc.pb.h"

namespace trireme {

using ClusterServiceBase =
    v1::Cluster::WithRawCallbackMethod_GetClusterStatus<v1::Cluster::Service>;

class ClusterService : public ClusterServiceBase {
 public:
  // `served` must outlive the service.
  explicit ClusterService(const ServedBroker* served) : served_(*served) {}

  grpc::ServerUnaryReactor* GetClusterStatus(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;

 private:
  const ServedBroker& served_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_CLUSTER_SERVICE_H_
