// Calls of a gRPC server with bytes instead of messages.
#ifndef TRIREME_TESTS_UNIT_RAW_CALL_H_
#define TRIREME_TESTS_UNIT_RAW_CALL_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "google/rpc/error_details.pb.h"
#include "trireme/v1/cluster.pb.h"
#include "trireme/v1/records.pb.h"
#include "trireme/v1/streams.pb.h"

namespace trireme {

// Every call of the API, as HTTP/2 paths.
inline std::vector<std::string> AllCalls() {
  std::vector<std::string> calls;
  for (const auto* file : {v1::PutRecordRequest::descriptor()->file(),
                           v1::CreateStreamRequest::descriptor()->file(),
                           v1::GetClusterStatusRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        calls.push_back("/" + file->service(i)->full_name() + "/" +
                        file->service(i)->method(j)->name());
      }
    }
  }
  return calls;
}

// The call's status when these bytes are sent as its one request; `answer`,
// if any, gets the bytes of its one response.
inline grpc::Status SendBytes(const std::shared_ptr<grpc::Channel>& channel,
                              const std::string& call, const std::string& bytes,
                              std::string* answer = nullptr) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::Status result;
  absl::Notification done;
  stub.UnaryCall(&context, call, {}, &request, &response,
                 [&](grpc::Status status) {
                   result = std::move(status);
                   done.Notify();
                 });
  done.WaitForNotification();
  grpc::Slice whole;
  if (answer != nullptr && response.DumpToSingleSlice(&whole).ok()) {
    answer->assign(whole.begin(), whole.end());
  }
  return result;
}

inline google::rpc::Status DetailsIn(const grpc::Status& status) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  return details;
}

inline std::string ReasonIn(const grpc::Status& status) {
  const google::rpc::Status details = DetailsIn(status);
  google::rpc::ErrorInfo info;
  if (details.details_size() > 0) details.details(0).UnpackTo(&info);
  return info.reason();
}

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_RAW_CALL_H_
