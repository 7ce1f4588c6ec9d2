// FakeTrireme's control plane.
#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "tests/unit/fake_answers.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::testing {
namespace {

using grpc::Status;
using grpc::StatusCode;

}  // namespace

class FakeTrireme::StreamsService : public v1::Streams::Service {
 public:
  explicit StreamsService(FakeTrireme& fake) : fake_(fake) {}

  Status CreateStream(grpc::ServerContext*, const v1::CreateStreamRequest* in,
                      v1::CreateStreamResponse*) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("CreateStream"); !s.ok()) return s;
    if (fake_.streams_.contains(in->stream_name())) {
      return TypedError(
          StatusCode::ALREADY_EXISTS, "ResourceInUseException",
          absl::StrCat("Stream ", in->stream_name(), " already exists."));
    }
    Stream& stream = fake_.streams_[in->stream_name()];
    stream.id = absl::StrFormat("%020d-000", ++fake_.streams_made_);
    v1::StreamDescription& description = stream.description;
    description.set_stream_name(in->stream_name());
    description.set_stream_arn(absl::StrCat(
        "arn:aws:kinesis:local:000000000000:stream/", in->stream_name()));
    description.set_stream_status(v1::CREATING);
    description.set_retention_period_hours(24);
    *description.mutable_stream_creation_timestamp() = TimestampNow();
    description.add_enhanced_monitoring();
    description.set_encryption_type(v1::NONE);
    stream.tags.insert(in->tags().begin(), in->tags().end());
    fake_.request_ = in->ShortDebugString();
    const double count = in->shard_count();
    for (int i = 0; i < in->shard_count(); ++i) {
      fake_.AddShard(stream, i / count, (i + 1) / count);
    }
    return Status::OK;
  }

  Status DeleteStream(grpc::ServerContext*, const v1::DeleteStreamRequest* in,
                      v1::DeleteStreamResponse*) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DeleteStream"); !s.ok()) return s;
    Stream* stream = fake_.Find(in->stream_name());
    if (stream == nullptr) return NotFound("Stream " + in->stream_name());
    stream->description.set_stream_status(v1::DELETING);
    return Status::OK;
  }

  Status SplitShard(grpc::ServerContext*, const v1::SplitShardRequest* in,
                    v1::SplitShardResponse*) override {
    return Reshard("SplitShard", *in);
  }
  Status MergeShards(grpc::ServerContext*, const v1::MergeShardsRequest* in,
                     v1::MergeShardsResponse*) override {
    return Reshard("MergeShards", *in);
  }
  Status UpdateShardCount(grpc::ServerContext*,
                          const v1::UpdateShardCountRequest* in,
                          v1::UpdateShardCountResponse* out) override {
    out->set_current_shard_count(2);
    out->set_target_shard_count(in->target_shard_count());
    return Reshard("UpdateShardCount", *in);
  }

  Status AddTagsToStream(grpc::ServerContext*,
                         const v1::AddTagsToStreamRequest* in,
                         v1::AddTagsToStreamResponse*) override {
    return WithStream("AddTagsToStream", *in, [in](Stream& stream) {
      for (const auto& [key, value] : in->tags()) stream.tags[key] = value;
    });
  }
  Status RemoveTagsFromStream(grpc::ServerContext*,
                              const v1::RemoveTagsFromStreamRequest* in,
                              v1::RemoveTagsFromStreamResponse*) override {
    return WithStream("RemoveTagsFromStream", *in, [in](Stream& stream) {
      for (const std::string& key : in->tag_keys()) stream.tags.erase(key);
    });
  }
  Status ListTagsForStream(grpc::ServerContext*,
                           const v1::ListTagsForStreamRequest* in,
                           v1::ListTagsForStreamResponse* out) override {
    return WithStream("ListTagsForStream", *in, [out](Stream& stream) {
      for (const auto& [key, value] : stream.tags) {
        v1::Tag& tag = *out->add_tags();
        tag.set_key(key);
        tag.set_value(value);
      }
    });
  }
  Status RegisterStreamConsumer(
      grpc::ServerContext*, const v1::RegisterStreamConsumerRequest* in,
      v1::RegisterStreamConsumerResponse* out) override {
    return WithStream("RegisterStreamConsumer", *in, [in, out](Stream& stream) {
      v1::Consumer& consumer = stream.consumers[in->consumer_name()];
      consumer.set_consumer_name(in->consumer_name());
      consumer.set_consumer_arn(absl::StrCat(stream.description.stream_arn(),
                                             "/consumer/", in->consumer_name(),
                                             ":1700000000"));
      consumer.mutable_consumer_creation_timestamp()->set_seconds(
          1'700'000'000);
      *out->mutable_consumer() = consumer;
      out->mutable_consumer()->set_consumer_status(v1::Consumer::CREATING);
      consumer.set_consumer_status(v1::Consumer::ACTIVE);
      for (const auto& [key, value] : in->tags()) stream.tags[key] = value;
    });
  }
  Status DeregisterStreamConsumer(
      grpc::ServerContext*, const v1::DeregisterStreamConsumerRequest* in,
      v1::DeregisterStreamConsumerResponse*) override {
    return WithConsumer("DeregisterStreamConsumer", *in,
                        [](Stream& stream, const std::string& name) {
                          stream.consumers.erase(name);
                        });
  }
  Status DescribeStreamConsumer(
      grpc::ServerContext*, const v1::DescribeStreamConsumerRequest* in,
      v1::DescribeStreamConsumerResponse* out) override {
    return WithConsumer(
        "DescribeStreamConsumer", *in,
        [out](Stream& stream, const std::string& name) {
          const v1::Consumer& consumer = stream.consumers[name];
          auto& description = *out->mutable_consumer_description();
          description.set_consumer_name(consumer.consumer_name());
          description.set_consumer_arn(consumer.consumer_arn());
          description.set_consumer_status(consumer.consumer_status());
          *description.mutable_consumer_creation_timestamp() =
              consumer.consumer_creation_timestamp();
          description.set_stream_arn(stream.description.stream_arn());
        });
  }
  // One a page.
  Status ListStreamConsumers(grpc::ServerContext*,
                             const v1::ListStreamConsumersRequest* in,
                             v1::ListStreamConsumersResponse* out) override {
    return WithStream("ListStreamConsumers", *in, [in, out](Stream& stream) {
      const auto next = stream.consumers.upper_bound(in->next_token());
      if (next == stream.consumers.end()) return;
      *out->add_consumers() = next->second;
      if (next->first != stream.consumers.rbegin()->first) {
        out->set_next_token(next->first);
      }
    });
  }
  Status TagResource(grpc::ServerContext*, const v1::TagResourceRequest* in,
                     v1::TagResourceResponse*) override {
    return WithStream("TagResource", *in, [in](Stream& stream) {
      for (const auto& [key, value] : in->tags()) stream.tags[key] = value;
    });
  }
  Status UntagResource(grpc::ServerContext*, const v1::UntagResourceRequest* in,
                       v1::UntagResourceResponse*) override {
    return WithStream("UntagResource", *in, [in](Stream& stream) {
      for (const std::string& key : in->tag_keys()) stream.tags.erase(key);
    });
  }
  Status ListTagsForResource(grpc::ServerContext*,
                             const v1::ListTagsForResourceRequest* in,
                             v1::ListTagsForResourceResponse* out) override {
    return WithStream("ListTagsForResource", *in, [out](Stream& stream) {
      for (const auto& [key, value] : stream.tags) {
        v1::Tag& tag = *out->add_tags();
        tag.set_key(key);
        tag.set_value(value);
      }
    });
  }
  Status PutResourcePolicy(grpc::ServerContext*,
                           const v1::PutResourcePolicyRequest* in,
                           v1::PutResourcePolicyResponse*) override {
    return WithStream("PutResourcePolicy", *in,
                      [in](Stream& stream) { stream.policy = in->policy(); });
  }
  Status GetResourcePolicy(grpc::ServerContext*,
                           const v1::GetResourcePolicyRequest* in,
                           v1::GetResourcePolicyResponse* out) override {
    return WithStream("GetResourcePolicy", *in, [out](Stream& stream) {
      out->set_policy(stream.policy.empty() ? "{}" : stream.policy);
    });
  }
  Status DeleteResourcePolicy(grpc::ServerContext*,
                              const v1::DeleteResourcePolicyRequest* in,
                              v1::DeleteResourcePolicyResponse*) override {
    return WithStream("DeleteResourcePolicy", *in,
                      [](Stream& stream) { stream.policy.clear(); });
  }
  Status EnableEnhancedMonitoring(
      grpc::ServerContext*, const v1::EnableEnhancedMonitoringRequest* in,
      v1::EnableEnhancedMonitoringResponse* out) override {
    out->set_stream_name(in->stream_name());
    *out->mutable_desired_shard_level_metrics() = in->shard_level_metrics();
    return WithStream("EnableEnhancedMonitoring", *in, [in](Stream& stream) {
      *stream.description.mutable_enhanced_monitoring(0)
           ->mutable_shard_level_metrics() = in->shard_level_metrics();
    });
  }
  Status DisableEnhancedMonitoring(
      grpc::ServerContext*, const v1::DisableEnhancedMonitoringRequest* in,
      v1::DisableEnhancedMonitoringResponse* out) override {
    out->set_stream_name(in->stream_name());
    *out->mutable_current_shard_level_metrics() = in->shard_level_metrics();
    return WithStream("DisableEnhancedMonitoring", *in, [](Stream&) {});
  }
  Status StartStreamEncryption(grpc::ServerContext*,
                               const v1::StartStreamEncryptionRequest* in,
                               v1::StartStreamEncryptionResponse*) override {
    return WithStream("StartStreamEncryption", *in, [in](Stream& stream) {
      stream.description.set_encryption_type(in->encryption_type());
      stream.description.set_key_id(in->key_id());
    });
  }
  Status StopStreamEncryption(grpc::ServerContext*,
                              const v1::StopStreamEncryptionRequest* in,
                              v1::StopStreamEncryptionResponse*) override {
    return WithStream("StopStreamEncryption", *in, [](Stream& stream) {
      stream.description.set_encryption_type(v1::NONE);
      stream.description.clear_key_id();
    });
  }
  Status UpdateStreamMode(grpc::ServerContext*,
                          const v1::UpdateStreamModeRequest* in,
                          v1::UpdateStreamModeResponse*) override {
    return WithStream("UpdateStreamMode", *in, [in](Stream& stream) {
      *stream.description.mutable_stream_mode_details() =
          in->stream_mode_details();
    });
  }
  Status UpdateStreamWarmThroughput(
      grpc::ServerContext*, const v1::UpdateStreamWarmThroughputRequest* in,
      v1::UpdateStreamWarmThroughputResponse* out) override {
    out->mutable_warm_throughput()->set_target_mibps(
        in->warm_throughput_mibps());
    return WithStream("UpdateStreamWarmThroughput", *in, [](Stream&) {});
  }
  Status UpdateStreamRecordDistributionStrategy(
      grpc::ServerContext*,
      const v1::UpdateStreamRecordDistributionStrategyRequest* in,
      v1::UpdateStreamRecordDistributionStrategyResponse*) override {
    return WithStream(
        "UpdateStreamRecordDistributionStrategy", *in, [in](Stream& stream) {
          stream.distribution = in->record_distribution_strategy();
        });
  }
  Status DescribeAccountSettings(
      grpc::ServerContext*, const v1::DescribeAccountSettingsRequest*,
      v1::DescribeAccountSettingsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DescribeAccountSettings"); !s.ok()) return s;
    out->mutable_minimum_throughput_billing_commitment()->set_status(
        v1::MinimumThroughputBillingCommitment::DISABLED);
    return Status::OK;
  }
  Status UpdateAccountSettings(
      grpc::ServerContext*, const v1::UpdateAccountSettingsRequest* in,
      v1::UpdateAccountSettingsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("UpdateAccountSettings"); !s.ok()) return s;
    auto& commitment = *out->mutable_minimum_throughput_billing_commitment();
    commitment = in->minimum_throughput_billing_commitment();
    commitment.mutable_started_at()->set_seconds(1'700'000'000);
    return Status::OK;
  }
  Status UpdateMaxRecordSize(grpc::ServerContext*,
                             const v1::UpdateMaxRecordSizeRequest* in,
                             v1::UpdateMaxRecordSizeResponse*) override {
    return WithStream("UpdateMaxRecordSize", *in, [](Stream&) {});
  }
  Status IncreaseStreamRetentionPeriod(
      grpc::ServerContext*, const v1::IncreaseStreamRetentionPeriodRequest* in,
      v1::IncreaseStreamRetentionPeriodResponse*) override {
    return SetRetention("IncreaseStreamRetentionPeriod", *in);
  }
  Status DecreaseStreamRetentionPeriod(
      grpc::ServerContext*, const v1::DecreaseStreamRetentionPeriodRequest* in,
      v1::DecreaseStreamRetentionPeriodResponse*) override {
    return SetRetention("DecreaseStreamRetentionPeriod", *in);
  }
  Status ListScalingDecisions(grpc::ServerContext*,
                              const v1::ListScalingDecisionsRequest* in,
                              v1::ListScalingDecisionsResponse* out) override {
    return WithStream("ListScalingDecisions", *in, [out](Stream&) {
      v1::ScalingDecision& decision = *out->add_scaling_decisions();
      decision.mutable_decided_at()->set_seconds(1'700'000'000);
      decision.set_action(v1::SPLIT_SHARD);
      decision.add_shard_ids("shardId-000000000000");
      decision.set_reason("hot");
    });
  }
  Status DescribeLimits(grpc::ServerContext*, const v1::DescribeLimitsRequest*,
                        v1::DescribeLimitsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DescribeLimits"); !s.ok()) return s;
    size_t shards = 0;
    for (const auto& [name, stream] : fake_.streams_) {
      shards += stream.shards.size();
    }
    out->set_open_shard_count(static_cast<int64_t>(shards));
    out->set_shard_limit(10'000);
    out->set_on_demand_stream_count_limit(50);
    return Status::OK;
  }

  Status DescribeStream(grpc::ServerContext*,
                        const v1::DescribeStreamRequest* in,
                        v1::DescribeStreamResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DescribeStream"); !s.ok()) return s;
    Stream* stream = fake_.Find(in->stream_name());
    if (stream == nullptr) return NotFound("Stream " + in->stream_name());
    *out->mutable_stream_description() = stream->description;
    for (const Shard& shard : stream->shards) {
      if (shard.description.shard_id() <= in->exclusive_start_shard_id()) {
        continue;
      }
      v1::StreamDescription* page = out->mutable_stream_description();
      if (page->shards_size() == fake_.shards_per_page_) {
        page->set_has_more_shards(true);
        break;
      }
      *page->add_shards() = shard.description;
    }
    return Status::OK;
  }

  // Asking is what moves time here: the answer after CREATING is ACTIVE.
  Status DescribeStreamSummary(
      grpc::ServerContext*, const v1::DescribeStreamSummaryRequest* in,
      v1::DescribeStreamSummaryResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DescribeStreamSummary"); !s.ok()) return s;
    Stream* stream = fake_.Find(in->stream_name());
    if (stream == nullptr) return NotFound("Stream " + in->stream_name());
    v1::StreamDescriptionSummary* summary =
        out->mutable_stream_description_summary();
    summary->set_stream_name(in->stream_name());
    summary->set_stream_status(stream->description.stream_status());
    summary->set_open_shard_count(static_cast<int>(stream->shards.size()));
    summary->set_stream_id(stream->id);
    *summary->mutable_stream_mode_details() =
        stream->description.stream_mode_details();
    summary->set_record_distribution_strategy(stream->distribution);
    if (stream->description.stream_status() == v1::CREATING) {
      stream->description.set_stream_status(v1::ACTIVE);
    } else if (stream->description.stream_status() == v1::DELETING) {
      fake_.streams_.erase(in->stream_name());
    }
    return Status::OK;
  }

  Status ListStreams(grpc::ServerContext*, const v1::ListStreamsRequest* in,
                     v1::ListStreamsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("ListStreams"); !s.ok()) return s;
    for (const auto& [name, stream] : fake_.streams_) {
      if (name <= in->exclusive_start_stream_name()) continue;
      if (out->stream_names_size() == fake_.streams_per_page_) {
        out->set_has_more_streams(true);
        break;
      }
      out->add_stream_names(name);
      v1::StreamSummary* summary = out->add_stream_summaries();
      summary->set_stream_name(name);
      summary->set_stream_arn(stream.description.stream_arn());
      summary->set_stream_status(stream.description.stream_status());
      *summary->mutable_stream_creation_timestamp() =
          stream.description.stream_creation_timestamp();
    }
    return Status::OK;
  }

  Status ListShards(grpc::ServerContext*, const v1::ListShardsRequest* in,
                    v1::ListShardsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("ListShards"); !s.ok()) return s;
    if (!in->stream_name().empty() && !in->next_token().empty()) {
      return TypedError(StatusCode::INVALID_ARGUMENT,
                        "InvalidArgumentException", "name and token");
    }
    if (in->next_token().empty()) {
      fake_.shard_filter_ = in->shard_filter().ShortDebugString();
      fake_.request_ = in->ShortDebugString();
    }
    std::string name = in->stream_name();
    size_t first = 0;
    if (!in->next_token().empty()) {
      const std::vector<std::string> parts =
          absl::StrSplit(in->next_token(), '/');
      name = parts[0];
      if (!absl::SimpleAtoi(parts[1], &first)) return NotFound("token");
    }
    Stream* stream = fake_.Find(name);
    if (stream == nullptr) return NotFound("Stream " + name);
    out->set_stream_id(stream->id);
    for (size_t i = first; i < stream->shards.size(); ++i) {
      if (out->shards_size() == fake_.shards_per_page_) {
        out->set_next_token(absl::StrCat(name, "/", i));
        break;
      }
      *out->add_shards() = stream->shards[i].description;
    }
    return Status::OK;
  }

 private:
  template <typename Request>
  Status WithStream(const char* call, const Request& request,
                    absl::FunctionRef<void(Stream&)> answer) {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter(call); !s.ok()) return s;
    const std::string name = NameIn(request);
    Stream* const stream = fake_.Find(name);
    if (stream == nullptr) return NotFound("Stream " + name);
    fake_.request_ = request.ShortDebugString();
    answer(*stream);
    return Status::OK;
  }
  // By name or by ARN.
  template <typename Request>
  Status WithConsumer(
      const char* call, const Request& request,
      absl::FunctionRef<void(Stream&, const std::string&)> answer) {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter(call); !s.ok()) return s;
    for (auto& [stream_name, stream] : fake_.streams_) {
      for (const auto& [name, consumer] : stream.consumers) {
        if (request.consumer_arn() == consumer.consumer_arn() ||
            (request.stream_name() == stream_name &&
             request.consumer_name() == name)) {
          answer(stream, std::string(name));
          return Status::OK;
        }
      }
    }
    return NotFound("Consumer " + request.consumer_name());
  }
  template <typename Request>
  static std::string NameIn(const Request& request) {
    if constexpr (requires { request.resource_arn(); }) {
      const std::string& arn = request.resource_arn();
      return arn.substr(arn.rfind('/') + 1);
    } else {
      return request.stream_name();
    }
  }
  template <typename Request>
  Status Reshard(const char* call, const Request& request) {
    return WithStream(call, request, [&](Stream&) {
      fake_.mu_.AssertHeld();
      fake_.reshards_.push_back(request.ShortDebugString());
    });
  }
  template <typename Request>
  Status SetRetention(const char* call, const Request& request) {
    return WithStream(call, request, [&](Stream& stream) {
      stream.description.set_retention_period_hours(
          request.retention_period_hours());
    });
  }

  FakeTrireme& fake_;
};

class FakeTrireme::ClusterService : public v1::Cluster::Service {
 public:
  explicit ClusterService(FakeTrireme& fake) : fake_(fake) {}

  Status GetClusterStatus(grpc::ServerContext*,
                          const v1::GetClusterStatusRequest*,
                          v1::GetClusterStatusResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("GetClusterStatus"); !s.ok()) return s;
    if (!fake_.leaders_.empty()) {
      DescribeLeaders(out);
      return Status::OK;
    }
    for (int i = 1; i <= 3; ++i) {
      v1::NodeStatus* node = out->add_nodes();
      node->set_node_id(i);
      node->set_zone(absl::StrCat("zone-", std::string(1, 'a' + i - 1)));
      node->set_address(fake_.address());
      node->set_health(fake_.unhealthy_ && i == 3 ? v1::UNREACHABLE
                                                  : v1::HEALTHY);
      if (node->health() == v1::UNREACHABLE) {
        node->set_last_report_age_ms(42'000);
      }
      node->set_uptime_ms(90'061'000);
      node->set_groups_led(i == 1 ? 2 : 0);
      node->set_disk_free_bytes(3ull << 30);
      node->set_version("0.1.0");
    }
    for (int i = 0; i < 2; ++i) {
      v1::GroupStatus* group = out->add_groups();
      group->set_group_id(i);
      group->set_leader(fake_.unhealthy_ && i == 1 ? 0 : 1);
      group->set_term(2);
      group->set_commit_index(1000);
      for (int node = 1; node <= 3; ++node) {
        v1::ReplicaStatus* replica = group->add_replicas();
        replica->set_node_id(node);
        replica->set_match_index(node == 3 ? 993 : 1001);
      }
    }
    out->set_stream_count(static_cast<int>(fake_.streams_.size()));
    return Status::OK;
  }

 private:
  void DescribeLeaders(v1::GetClusterStatusResponse* out)
      ABSL_SHARED_LOCKS_REQUIRED(fake_.mu_) {
    for (const auto& [id, address] : fake_.leaders_) {
      v1::NodeStatus* node = out->add_nodes();
      node->set_node_id(id);
      node->set_address(address);
      node->set_health(v1::HEALTHY);
      v1::GroupStatus* group = out->add_groups();
      group->set_group_id(id);
      group->set_leader(id);
    }
  }

  FakeTrireme& fake_;
};

std::unique_ptr<grpc::Service> FakeTrireme::MakeStreams() {
  return std::make_unique<StreamsService>(*this);
}

std::unique_ptr<grpc::Service> FakeTrireme::MakeCluster() {
  return std::make_unique<ClusterService>(*this);
}

}  // namespace trireme::testing
