// The calls of streams.proto about registered consumers, as functions that
// UnaryService serves.
#ifndef TRIREME_SERVER_GRPC_CONSUMER_CALLS_H_
#define TRIREME_SERVER_GRPC_CONSUMER_CALLS_H_

#include "absl/time/time.h"
#include "server/grpc/unary_service.h"
#include "trireme/v1/streams.pb.h"

namespace trireme {

void OnRegisterStreamConsumer(UnaryCallPtr<v1::RegisterStreamConsumerRequest,
                                           v1::RegisterStreamConsumerResponse>
                                  call,
                              absl::Duration timeout);
void OnDeregisterStreamConsumer(
    UnaryCallPtr<v1::DeregisterStreamConsumerRequest,
                 v1::DeregisterStreamConsumerResponse>
        call,
    absl::Duration timeout);
void OnDescribeStreamConsumer(UnaryCallPtr<v1::DescribeStreamConsumerRequest,
                                           v1::DescribeStreamConsumerResponse>
                                  call,
                              absl::Duration timeout);
void OnListStreamConsumers(UnaryCallPtr<v1::ListStreamConsumersRequest,
                                        v1::ListStreamConsumersResponse>
                               call,
                           absl::Duration timeout);

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_CONSUMER_CALLS_H_
