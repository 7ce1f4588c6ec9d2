// The gRPC front end of consumer groups: proto/trireme/v1/consumer_groups.proto
// over the Broker.
#ifndef TRIREME_SERVER_GRPC_CONSUMER_GROUPS_SERVICE_H_
#define TRIREME_SERVER_GRPC_CONSUMER_GROUPS_SERVICE_H_

#include "server/served_broker.h"
#include "server/grpc/unary_service.h"
#include "trireme/v1/consumer_groups.grpc.pb.h"

namespace trireme {

class ConsumerGroupsService : public UnaryService<v1::ConsumerGroups> {
 public:
  // `served` must outlive the service.
  explicit ConsumerGroupsService(const ServedBroker* served);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_CONSUMER_GROUPS_SERVICE_H_
