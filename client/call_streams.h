// How Client makes a call of the control plane; for the files that implement
// Client.
#ifndef TRIREME_CLIENT_CALL_STREAMS_H_
#define TRIREME_CLIENT_CALL_STREAMS_H_

#include "absl/strings/string_view.h"
#include "client/client.h"

namespace trireme::client {

template <typename Request, typename Response>
absl::Status Client::CallStreams(
    absl::string_view name, Repeat repeat,
    grpc::Status (v1::Streams::Stub::*method)(grpc::ClientContext*,
                                              const Request&, Response*),
    const Request& request, Response* response) {
  return Call(name, repeat,
              [&](const Endpoint& endpoint, grpc::ClientContext* context) {
                return (endpoint.streams.get()->*method)(context, request,
                                                         response);
              });
}

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_CALL_STREAMS_H_
