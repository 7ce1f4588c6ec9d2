// FakeTrireme's consumer groups: the newest worker has all leases.
#include <utility>

#include "tests/unit/fake_answers.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::testing {
namespace {

using grpc::Status;
using grpc::StatusCode;

constexpr int kLeasesPerPage = 2;

}  // namespace

class FakeTrireme::GroupsService : public v1::ConsumerGroups::Service {
 public:
  explicit GroupsService(FakeTrireme& fake) : fake_(fake) {}

  Status JoinConsumerGroup(grpc::ServerContext*,
                           const v1::JoinConsumerGroupRequest* in,
                           v1::JoinConsumerGroupResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("JoinConsumerGroup"); !s.ok()) return s;
    if (fake_.Find(in->stream_name()) == nullptr) {
      return NotFound("Stream " + in->stream_name());
    }
    if (in->existing_only() &&
        !fake_.groups_.contains({in->stream_name(), in->group_name()})) {
      return NotFound("Consumer group");
    }
    Group& group = fake_.groups_[{in->stream_name(), in->group_name()}];
    group.stream = in->stream_name();
    group.worker_id = in->worker_id();
    if (group.number == 0) group.number = fake_.groups_.size();
    if (!group.description.has_settings()) {
      *group.description.mutable_settings() = in->settings();
    }
    out->mutable_worker()->set_group_number(group.number);
    out->mutable_worker()->set_worker_number(++group.worker_number);
    *out->mutable_settings() = group.description.settings();
    return Status::OK;
  }

  Status Heartbeat(grpc::ServerContext*, const v1::HeartbeatRequest* in,
                   v1::HeartbeatResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("Heartbeat"); !s.ok()) return s;
    Group* group = Find(in->worker());
    if (group == nullptr) return Expired();
    for (const Shard& shard : fake_.Find(group->stream)->shards) {
      const v1::Shard& description = shard.description;
      const v1::ShardPosition& at = group->checkpoints[description.shard_id()];
      const std::string& parent = description.parent_shard_id();
      const bool waits = !parent.empty() && !IsAtEnd(*group, parent);
      if (waits || at.kind() == v1::ShardPosition::SHARD_END) continue;
      v1::WorkerLease& lease = *out->add_leases();
      lease.set_shard_id(description.shard_id());
      lease.set_lease_counter(group->worker_number);
      *lease.mutable_details()->mutable_checkpoint() = at;
      *lease.mutable_details()->mutable_hash_key_range() =
          description.hash_key_range();
    }
    return Status::OK;
  }

  Status Checkpoint(grpc::ServerContext*, const v1::CheckpointRequest* in,
                    v1::CheckpointResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("Checkpoint"); !s.ok()) return s;
    Group* group = Find(in->worker());
    if (group == nullptr) return Expired();
    for (const v1::ShardCheckpoint& one : in->checkpoints()) {
      group->checkpoints[one.shard_id()] = one.checkpoint();
      out->add_results();
    }
    return Status::OK;
  }

  Status ReleaseLeases(grpc::ServerContext*, const v1::ReleaseLeasesRequest* in,
                       v1::ReleaseLeasesResponse* out) override {
    for (int i = 0; i < in->leases_size(); ++i) out->add_results();
    return Status::OK;
  }

  Status LeaveConsumerGroup(grpc::ServerContext*,
                            const v1::LeaveConsumerGroupRequest* in,
                            v1::LeaveConsumerGroupResponse*) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("LeaveConsumerGroup"); !s.ok()) return s;
    if (Group* group = Find(in->worker())) group->worker_id.clear();
    return Status::OK;
  }

  Status ListConsumerGroups(grpc::ServerContext*,
                            const v1::ListConsumerGroupsRequest* in,
                            v1::ListConsumerGroupsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("ListConsumerGroups"); !s.ok()) return s;
    if (fake_.Find(in->stream_name()) == nullptr) {
      return NotFound("Stream " + in->stream_name());
    }
    for (const auto& [name, group] : fake_.groups_) {
      if (name.first != in->stream_name()) continue;
      v1::ConsumerGroupSummary& summary = *out->add_groups();
      summary.set_group_name(name.second);
      summary.set_worker_count(group.description.workers_size());
      summary.set_lease_count(group.description.leases_size());
    }
    return Status::OK;
  }

  Status DescribeConsumerGroup(
      grpc::ServerContext*, const v1::DescribeConsumerGroupRequest* in,
      v1::DescribeConsumerGroupResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DescribeConsumerGroup"); !s.ok()) return s;
    const auto found =
        fake_.groups_.find({in->stream_name(), in->group_name()});
    if (found == fake_.groups_.end()) return NotFound("Consumer group");
    *out = found->second.description;
    out->clear_leases();
    const int first =
        in->next_token().empty() ? 0 : std::stoi(in->next_token());
    if (first > 0) out->clear_workers();
    const auto& leases = found->second.description.leases();
    for (int i = first; i < leases.size() && i < first + kLeasesPerPage; ++i) {
      *out->add_leases() = leases[i];
    }
    if (first + kLeasesPerPage < leases.size()) {
      out->set_next_token(std::to_string(first + kLeasesPerPage));
    }
    return Status::OK;
  }

  Status ResetConsumerGroup(grpc::ServerContext*,
                            const v1::ResetConsumerGroupRequest* in,
                            v1::ResetConsumerGroupResponse*) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("ResetConsumerGroup"); !s.ok()) return s;
    fake_.request_ = in->ShortDebugString();
    return CheckUnused(in->stream_name(), in->group_name());
  }

  Status DeleteConsumerGroup(grpc::ServerContext*,
                             const v1::DeleteConsumerGroupRequest* in,
                             v1::DeleteConsumerGroupResponse*) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DeleteConsumerGroup"); !s.ok()) return s;
    if (Status s = CheckUnused(in->stream_name(), in->group_name()); !s.ok()) {
      return s;
    }
    fake_.groups_.erase({in->stream_name(), in->group_name()});
    return Status::OK;
  }

 private:
  static Status Expired() {
    return TypedError(StatusCode::FAILED_PRECONDITION, "WorkerExpiredException",
                      "no such worker");
  }
  // The group of which it is the worker.
  Group* Find(const v1::WorkerHandle& worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mu_) {
    for (auto& [name, group] : fake_.groups_) {
      if (group.number == worker.group_number() &&
          group.worker_number == worker.worker_number()) {
        return &group;
      }
    }
    return nullptr;
  }
  static bool IsAtEnd(const Group& group, const std::string& shard) {
    const auto at = group.checkpoints.find(shard);
    return at != group.checkpoints.end() &&
           at->second.kind() == v1::ShardPosition::SHARD_END;
  }
  Status CheckUnused(const std::string& stream, const std::string& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mu_) {
    const auto found = fake_.groups_.find({stream, name});
    if (found == fake_.groups_.end()) return NotFound("Consumer group");
    if (found->second.description.workers_size() == 0) return Status::OK;
    return TypedError(StatusCode::FAILED_PRECONDITION, "ResourceInUseException",
                      "the group has workers");
  }

  FakeTrireme& fake_;
};

std::unique_ptr<grpc::Service> FakeTrireme::MakeGroups() {
  return std::make_unique<GroupsService>(*this);
}

void FakeTrireme::SetGroup(const v1::DescribeConsumerGroupResponse& group) {
  absl::MutexLock lock(&mu_);
  Group& made = groups_[{group.stream_name(), group.group_name()}];
  made.description = group;
  made.stream = group.stream_name();
}

v1::ShardPosition FakeTrireme::AwaitCheckpoint(const std::string& stream,
                                               const std::string& group,
                                               const std::string& shard,
                                               const CheckpointTest& reached) {
  absl::MutexLock lock(&mu_);
  v1::ShardPosition* at = nullptr;
  const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    at = &groups_[{stream, group}].checkpoints[shard];
    return reached(*at);
  };
  mu_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
  return *at;
}

}  // namespace trireme::testing
