#include "server/grpc/consumer_groups_service.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/error_map.h"
#include "server/grpc/stream_messages.h"
#include "storage/errors.h"
#include "storage/sequence_number.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

using Kind = v1::ShardPosition::Kind;

// --- messages to structs; views into them ---

WorkerHandle WorkerOf(const v1::WorkerHandle& message) {
  return {{StreamId(message.stream_number()), message.group_number()},
          message.worker_number()};
}

std::vector<LeaseRef> LeasesOf(
    const google::protobuf::RepeatedPtrField<v1::LeaseRef>& messages) {
  std::vector<LeaseRef> leases;
  leases.reserve(static_cast<size_t>(messages.size()));
  for (const v1::LeaseRef& message : messages) {
    LeaseRef& lease = leases.emplace_back();
    lease.shard_id = message.shard_id();
    lease.counter = message.lease_counter();
    if (message.has_bytes_per_second()) {
      lease.bytes_per_second = message.bytes_per_second();
    }
  }
  return leases;
}

absl::StatusOr<ShardCheckpoint> CheckpointOf(
    const v1::ShardCheckpoint& message) {
  const Kind kind = message.checkpoint().kind();
  if (kind != v1::ShardPosition::SEQUENCE_NUMBER &&
      kind != v1::ShardPosition::SHARD_END) {
    return BadEnum("checkpoint.kind", kind, {"SEQUENCE_NUMBER", "SHARD_END"});
  }
  ShardCheckpoint checkpoint;
  checkpoint.lease = {message.shard_id(), message.lease_counter(), {}};
  checkpoint.position = {kind == v1::ShardPosition::SHARD_END,
                         message.checkpoint().sequence_number(),
                         message.checkpoint().sub_sequence_number()};
  checkpoint.pending = message.pending();
  checkpoint.pending_state = message.pending_state();
  return checkpoint;
}

template <typename Message>
ConsumerGroupAddress GroupOf(const Message& message) {
  return {AddressOf(message), message.group_name()};
}

// --- structs to messages ---

void ToMessage(const LeasePosition& position, const Shard& shard,
               v1::ShardPosition* message) {
  switch (position.kind) {
    case LeasePositionKind::kTrimHorizon:
      message->set_kind(v1::ShardPosition::TRIM_HORIZON);
      break;
    case LeasePositionKind::kLatest:
      message->set_kind(v1::ShardPosition::LATEST);
      break;
    case LeasePositionKind::kAtTimestamp:
      message->set_kind(v1::ShardPosition::AT_TIMESTAMP);
      ToTimestamp(absl::FromUnixMillis(position.timestamp_ms),
                  message->mutable_timestamp());
      break;
    case LeasePositionKind::kSequenceNumber: {
      message->set_kind(v1::ShardPosition::SEQUENCE_NUMBER);
      const SequenceNumber number{shard.created_s, shard.index,
                                  position.counter, position.record_s};
      message->set_sequence_number(number.ToString());
      message->set_sub_sequence_number(position.sub_sequence);
      break;
    }
    case LeasePositionKind::kShardEnd:
      message->set_kind(v1::ShardPosition::SHARD_END);
      break;
  }
}

void ToMessage(const ConsumerGroupSettings& settings,
               v1::ConsumerGroupSettings* message) {
  message->set_lease_duration_ms(settings.lease_ms);
  message->set_hand_off_timeout_ms(settings.hand_off_ms);
  v1::StartingPosition& from = *message->mutable_starting_position();
  switch (settings.from.kind) {
    case LeasePositionKind::kLatest:
      return from.set_type(v1::LATEST);
    case LeasePositionKind::kAtTimestamp:
      from.set_type(v1::AT_TIMESTAMP);
      return ToTimestamp(absl::FromUnixMillis(settings.from.timestamp_ms),
                         from.mutable_timestamp());
    default:
      return from.set_type(v1::TRIM_HORIZON);
  }
}

void ToMessage(const JoinedGroup& joined,
               v1::JoinConsumerGroupResponse* message) {
  v1::WorkerHandle& worker = *message->mutable_worker();
  worker.set_stream_number(joined.worker.group.stream.value());
  worker.set_group_number(joined.worker.group.number);
  worker.set_worker_number(joined.worker.worker);
  ToMessage(joined.settings, message->mutable_settings());
}

void ToMessage(const WorkerLeases& leases, v1::HeartbeatResponse* message) {
  for (size_t i = 0; i < leases.leases.size(); ++i) {
    const Shard& shard = *leases.leases[i].shard;
    const Lease& lease = *leases.leases[i].lease;
    v1::WorkerLease& told = *message->add_leases();
    told.set_shard_id(ShardIdToString(shard.index));
    told.set_lease_counter(lease.counter);
    told.set_hand_off(lease.next_owner != 0);
    if (leases.named[i]) continue;
    v1::LeaseDetails& details = *told.mutable_details();
    ToMessage(lease.checkpoint, shard, details.mutable_checkpoint());
    if (lease.pending.has_value()) {
      ToMessage(lease.pending->position, shard,
                details.mutable_pending_checkpoint());
      details.set_pending_state(lease.pending->state);
    }
    // A stream that picks shards itself does not go by hash keys.
    if (leases.stream->distribution == RecordDistribution::kUserPartitionKey) {
      ToMessage(shard.range, details.mutable_hash_key_range());
    }
  }
}

template <typename Response>
void ToMessage(const std::vector<absl::Status>& results, Response* message) {
  for (const absl::Status& status : results) {
    v1::LeaseResult& result = *message->add_results();
    if (status.ok()) continue;
    const ErrorDescription error = DescribeError(status);
    result.set_error_code(error.reason);
    result.set_error_message(error.message);
  }
}

void ToMessage(const std::vector<ConsumerGroupSummary>& groups,
               v1::ListConsumerGroupsResponse* message) {
  for (const ConsumerGroupSummary& group : groups) {
    v1::ConsumerGroupSummary& summary = *message->add_groups();
    summary.set_group_name(group.name);
    summary.set_worker_count(static_cast<int32_t>(group.worker_count));
    summary.set_lease_count(static_cast<int32_t>(group.lease_count));
    summary.set_free_lease_count(static_cast<int32_t>(group.free_lease_count));
  }
}

v1::LeaseDescription::State StateOf(const std::optional<Lease>& lease) {
  if (!lease.has_value()) return v1::LeaseDescription::WAITING;
  if (lease->checkpoint.at_end()) return v1::LeaseDescription::ENDED;
  if (lease->owner == 0) return v1::LeaseDescription::FREE;
  return lease->next_owner == 0 ? v1::LeaseDescription::OWNED
                                : v1::LeaseDescription::HANDING_OFF;
}

void AddWorkers(const DescribeGroupResponse& found,
                v1::DescribeConsumerGroupResponse* message) {
  for (const auto& [number, worker] : found.group.workers) {
    v1::WorkerDescription& described = *message->add_workers();
    described.set_worker_id(worker.name);
    const auto load = found.loads.find(number);
    if (load == found.loads.end()) continue;
    described.set_lease_count(static_cast<int32_t>(load->second.lease_count));
    described.set_bytes_per_second(load->second.bytes_per_second);
  }
  std::sort(message->mutable_workers()->begin(),
            message->mutable_workers()->end(),
            [](const v1::WorkerDescription& a, const v1::WorkerDescription& b) {
              return a.worker_id() < b.worker_id();
            });
}

void ToMessage(const DescribeGroupResponse& found,
               v1::DescribeConsumerGroupResponse* message) {
  message->set_group_name(found.group.name);
  message->set_stream_name(found.stream->name);
  ToMessage(found.group.settings, message->mutable_settings());
  if (found.first_page) AddWorkers(found, message);
  const auto name_of = [&found](WorkerNumber number) {
    const auto worker = found.group.workers.find(number);
    return worker == found.group.workers.end() ? "" : worker->second.name;
  };
  for (const DescribeGroupResponse::Row& row : found.rows) {
    v1::LeaseDescription& described = *message->add_leases();
    described.set_shard_id(ShardIdToString(row.found.shard->index));
    described.set_state(StateOf(row.found.lease));
    if (!row.found.lease.has_value()) continue;
    const Lease& lease = *row.found.lease;
    described.set_worker_id(name_of(lease.owner));
    described.set_next_worker_id(name_of(lease.next_owner));
    ToMessage(lease.checkpoint, *row.found.shard,
              described.mutable_checkpoint());
    described.set_has_pending_checkpoint(lease.pending.has_value());
    if (row.millis_behind.has_value()) {
      described.set_millis_behind(*row.millis_behind);
    }
    described.set_bytes_per_second(lease.bytes_per_second);
    described.set_owner_switches_since_checkpoint(lease.owner_switches);
  }
  message->set_next_token(found.next_token);
}

// --- calls ---

// Ends a call with what ToMessage makes of the result.
template <typename Request, typename Response>
auto Answer(UnaryCallPtr<Request, Response> call) {
  return [call = std::move(call)](auto result) {
    if (!result.ok()) return call->Reply(result.status());
    Response message;
    ToMessage(*result, &message);
    call->Reply(std::move(message));
  };
}

void OnJoin(
    UnaryCallPtr<v1::JoinConsumerGroupRequest, v1::JoinConsumerGroupResponse>
        call,
    absl::Duration timeout) {
  const v1::JoinConsumerGroupRequest& message = call->request();
  const v1::ConsumerGroupSettings& settings = message.settings();
  JoinGroupRequest request{AddressOf(message),
                           message.group_name(),
                           message.worker_id(),
                           settings.lease_duration_ms(),
                           {},
                           FromMessage(settings.starting_position())};
  if (settings.has_hand_off_timeout_ms()) {
    request.hand_off_ms = settings.hand_off_timeout_ms();
  }
  request.existing_only = message.existing_only();
  Broker& broker = call->broker();
  auto answer =
      [call = std::move(call)](const absl::StatusOr<JoinedGroup>& joined) {
        if (!joined.ok()) return call->Reply(joined.status());
        v1::JoinConsumerGroupResponse response;
        ToMessage(*joined, &response);
        response.mutable_worker()->set_worker_id(call->request().worker_id());
        call->Reply(std::move(response));
      };
  broker.consumer_groups().Join(request, timeout, std::move(answer));
}

void OnHeartbeat(UnaryCallPtr<v1::HeartbeatRequest, v1::HeartbeatResponse> call,
                 absl::Duration timeout) {
  const v1::HeartbeatRequest& message = call->request();
  const HeartbeatRequest request{
      WorkerOf(message.worker()), message.worker().worker_id(),
      LeasesOf(message.leases()), message.draining()};
  call->broker().consumer_groups().Heartbeat(request, timeout,
                                             Answer(std::move(call)));
}

void OnCheckpoint(
    UnaryCallPtr<v1::CheckpointRequest, v1::CheckpointResponse> call,
    absl::Duration timeout) {
  const v1::CheckpointRequest& message = call->request();
  std::vector<ShardCheckpoint> checkpoints;
  for (const v1::ShardCheckpoint& one : message.checkpoints()) {
    absl::StatusOr<ShardCheckpoint> checkpoint = CheckpointOf(one);
    if (!checkpoint.ok()) return call->Reply(checkpoint.status());
    checkpoints.push_back(*checkpoint);
  }
  call->broker().consumer_groups().Checkpoint(WorkerOf(message.worker()),
                                              checkpoints, timeout,
                                              Answer(std::move(call)));
}

void OnRelease(
    UnaryCallPtr<v1::ReleaseLeasesRequest, v1::ReleaseLeasesResponse> call,
    absl::Duration timeout) {
  const v1::ReleaseLeasesRequest& message = call->request();
  call->broker().consumer_groups().Release(WorkerOf(message.worker()),
                                           LeasesOf(message.leases()), timeout,
                                           Answer(std::move(call)));
}

void OnLeave(
    UnaryCallPtr<v1::LeaveConsumerGroupRequest, v1::LeaveConsumerGroupResponse>
        call,
    absl::Duration timeout) {
  const WorkerHandle worker = WorkerOf(call->request().worker());
  call->broker().consumer_groups().Leave(worker, timeout,
                                         Acknowledge(std::move(call)));
}

void OnAssign(
    UnaryCallPtr<v1::AssignLeasesRequest, v1::AssignLeasesResponse> call,
    absl::Duration timeout) {
  const v1::AssignLeasesRequest& message = call->request();
  std::vector<LeaseAssignment> assignments;
  for (const v1::LeaseAssignment& one : message.assignments()) {
    assignments.push_back({one.shard_id(), one.worker_id()});
  }
  call->broker().consumer_groups().Assign(
      GroupOf(message), assignments, timeout, Acknowledge(std::move(call)));
}

void OnList(
    UnaryCallPtr<v1::ListConsumerGroupsRequest, v1::ListConsumerGroupsResponse>
        call,
    absl::Duration timeout) {
  const StreamAddress stream = AddressOf(call->request());
  call->broker().consumer_groups().List(stream, timeout,
                                        Answer(std::move(call)));
}

void OnDescribe(UnaryCallPtr<v1::DescribeConsumerGroupRequest,
                             v1::DescribeConsumerGroupResponse>
                    call,
                absl::Duration timeout) {
  const v1::DescribeConsumerGroupRequest& message = call->request();
  call->broker().consumer_groups().Describe(
      {GroupOf(message), message.max_results(), message.next_token()}, timeout,
      Answer(std::move(call)));
}

void OnReset(
    UnaryCallPtr<v1::ResetConsumerGroupRequest, v1::ResetConsumerGroupResponse>
        call,
    absl::Duration timeout) {
  const v1::ResetConsumerGroupRequest& message = call->request();
  call->broker().consumer_groups().Reset(
      GroupOf(message), FromMessage(message.starting_position()), timeout,
      Acknowledge(std::move(call)));
}

void OnDelete(UnaryCallPtr<v1::DeleteConsumerGroupRequest,
                           v1::DeleteConsumerGroupResponse>
                  call,
              absl::Duration timeout) {
  const ConsumerGroupAddress group = GroupOf(call->request());
  call->broker().consumer_groups().Delete(group, timeout,
                                          Acknowledge(std::move(call)));
}

}  // namespace

ConsumerGroupsService::ConsumerGroupsService(const ServedBroker* served)
    : UnaryService(served) {
  Serve("JoinConsumerGroup", OnJoin);
  Serve("Heartbeat", OnHeartbeat);
  Serve("Checkpoint", OnCheckpoint);
  Serve("ReleaseLeases", OnRelease);
  Serve("LeaveConsumerGroup", OnLeave);
  Serve("AssignLeases", OnAssign);
  Serve("ListConsumerGroups", OnList);
  Serve("DescribeConsumerGroup", OnDescribe);
  Serve("ResetConsumerGroup", OnReset);
  Serve("DeleteConsumerGroup", OnDelete);
}

}  // namespace trireme
