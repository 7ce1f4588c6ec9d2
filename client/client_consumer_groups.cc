// Client: consumer groups.
#include <utility>

#include "client/client.h"
#include "client/status_macros.h"

namespace trireme::client {

// Joining again by the same id, and a checkpoint or a release made again, come
// to the same as once: they are repeated whatever became of the first try.

absl::StatusOr<v1::JoinConsumerGroupResponse> Client::JoinConsumerGroup(
    const v1::JoinConsumerGroupRequest& request) {
  v1::JoinConsumerGroupResponse response;
  CLIENT_RETURN_IF_ERROR(CallGroups(
      "JoinConsumerGroup", Repeat::kFreely,
      &v1::ConsumerGroups::Stub::JoinConsumerGroup, request, &response));
  return response;
}

absl::StatusOr<v1::HeartbeatResponse> Client::Heartbeat(
    const v1::HeartbeatRequest& request, absl::Time deadline) {
  v1::HeartbeatResponse response;
  CLIENT_RETURN_IF_ERROR(CallUntil(
      deadline, "Heartbeat", Repeat::kInTurn,
      [&](const Endpoint& endpoint, grpc::ClientContext* context) {
        return endpoint.groups->Heartbeat(context, request, &response);
      }));
  return response;
}

absl::StatusOr<v1::CheckpointResponse> Client::Checkpoint(
    const v1::CheckpointRequest& request) {
  v1::CheckpointResponse response;
  CLIENT_RETURN_IF_ERROR(CallGroups("Checkpoint", Repeat::kFreely,
                                    &v1::ConsumerGroups::Stub::Checkpoint,
                                    request, &response));
  return response;
}

absl::StatusOr<v1::ReleaseLeasesResponse> Client::ReleaseLeases(
    const v1::ReleaseLeasesRequest& request) {
  v1::ReleaseLeasesResponse response;
  CLIENT_RETURN_IF_ERROR(CallGroups("ReleaseLeases", Repeat::kOnceEach,
                                    &v1::ConsumerGroups::Stub::ReleaseLeases,
                                    request, &response));
  return response;
}

absl::Status Client::LeaveConsumerGroup(const v1::WorkerHandle& worker) {
  v1::LeaveConsumerGroupRequest request;
  *request.mutable_worker() = worker;
  v1::LeaveConsumerGroupResponse response;
  return CallGroups("LeaveConsumerGroup", Repeat::kFreely,
                    &v1::ConsumerGroups::Stub::LeaveConsumerGroup, request,
                    &response);
}

absl::Status Client::AssignLeases(const v1::AssignLeasesRequest& request) {
  v1::AssignLeasesResponse response;
  return CallGroups("AssignLeases", Repeat::kWhenNotDone,
                    &v1::ConsumerGroups::Stub::AssignLeases, request,
                    &response);
}

absl::StatusOr<std::vector<v1::ConsumerGroupSummary>>
Client::ListConsumerGroups(absl::string_view stream) {
  v1::ListConsumerGroupsRequest request;
  request.set_stream_name(std::string(stream));
  v1::ListConsumerGroupsResponse response;
  CLIENT_RETURN_IF_ERROR(CallGroups(
      "ListConsumerGroups", Repeat::kFreely,
      &v1::ConsumerGroups::Stub::ListConsumerGroups, request, &response));
  return std::vector<v1::ConsumerGroupSummary>(response.groups().begin(),
                                               response.groups().end());
}

absl::StatusOr<v1::DescribeConsumerGroupResponse> Client::DescribeConsumerGroup(
    absl::string_view stream, absl::string_view group) {
  v1::DescribeConsumerGroupRequest request;
  request.set_stream_name(std::string(stream));
  request.set_group_name(std::string(group));
  v1::DescribeConsumerGroupResponse all;
  for (;;) {
    v1::DescribeConsumerGroupResponse page;
    CLIENT_RETURN_IF_ERROR(CallGroups(
        "DescribeConsumerGroup", Repeat::kFreely,
        &v1::ConsumerGroups::Stub::DescribeConsumerGroup, request, &page));
    request.set_next_token(page.next_token());
    page.clear_next_token();
    if (all.group_name().empty()) {
      all = std::move(page);
    } else {
      all.mutable_leases()->MergeFrom(page.leases());
    }
    if (request.next_token().empty()) return all;
  }
}

absl::Status Client::ResetConsumerGroup(absl::string_view stream,
                                        absl::string_view group,
                                        const v1::StartingPosition& from) {
  v1::ResetConsumerGroupRequest request;
  request.set_stream_name(std::string(stream));
  request.set_group_name(std::string(group));
  *request.mutable_starting_position() = from;
  v1::ResetConsumerGroupResponse response;
  return CallGroups("ResetConsumerGroup", Repeat::kWhenNotDone,
                    &v1::ConsumerGroups::Stub::ResetConsumerGroup, request,
                    &response);
}

absl::Status Client::DeleteConsumerGroup(absl::string_view stream,
                                         absl::string_view group) {
  v1::DeleteConsumerGroupRequest request;
  request.set_stream_name(std::string(stream));
  request.set_group_name(std::string(group));
  v1::DeleteConsumerGroupResponse response;
  return CallGroups("DeleteConsumerGroup", Repeat::kWhenNotDone,
                    &v1::ConsumerGroups::Stub::DeleteConsumerGroup, request,
                    &response);
}

}  // namespace trireme::client
