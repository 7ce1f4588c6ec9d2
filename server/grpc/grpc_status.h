// Our errors in gRPC's form: a canonical code, and google.rpc details in the
// `grpc-status-details-bin` trailer.
#ifndef TRIREME_SERVER_GRPC_GRPC_STATUS_H_
#define TRIREME_SERVER_GRPC_GRPC_STATUS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace trireme {

grpc::Status ToGrpcStatus(const absl::Status& status);

// "records.1.member.partitionKey" -> "records.1.partition_key".
std::string ProtoFieldPath(absl::string_view member);

// What is left until the caller's deadline; 10 seconds when it set none.
absl::Duration TimeLeft(const grpc::ServerContextBase& context);

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_GRPC_STATUS_H_
