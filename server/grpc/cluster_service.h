// The gRPC front end of cluster.proto: what this node knows of the cluster.
#ifndef TRIREME_SERVER_GRPC_CLUSTER_SERVICE_H_
#define TRIREME_SERVER_GRPC_CLUSTER_SERVICE_H_

#include "server/served_broker.h"
#include "server/grpc/unary_service.h"
#include "trireme/v1/cluster.grpc.pb.h"

namespace trireme {

class ClusterService : public UnaryService<v1::Cluster> {
 public:
  // `served` must outlive the service.
  explicit ClusterService(const ServedBroker* served);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_CLUSTER_SERVICE_H_
