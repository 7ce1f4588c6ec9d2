#include "server/broker.h"

#include <utility>

#include "storage/shard_places.h"

namespace trireme {
namespace {

bool NamesConsumer(const StreamAddress& resource) {
  return resource.is_resource && IsConsumerArn(resource.arn);
}

}  // namespace

Broker::Broker(const BrokerOptions& options, const BrokerParts& parts)
    : options_(options),
      replicas_(parts.replicas),
      catalog_(&parts.state->catalog()),
      signer_(options.cluster, options.iterator_secret),
      clock_(parts.clock),
      rates_(options.limits, options.account, parts.replicas),
      puts_admission_("puts", options.put_calls_max, options.put_bytes_max),
      reads_admission_("reads", options.read_calls_max, options.read_bytes_max),
      reader_(parts.state, parts.tails, parts.clock),
      router_(options.account, catalog_, parts.replicas, parts.read_pool),
      account_settings_(&router_, parts.replicas, parts.clock),
      capacity_(&router_, parts.replicas, &rates_, parts.clock),
      policies_(&router_, parts.replicas, parts.clock),
      puts_(&router_, parts.replicas, parts.state, &puts_admission_,
            parts.timers, parts.clock),
      reads_(options.read_from, &router_, parts.replicas, &reader_, &signer_,
             &reads_admission_, &rates_, parts.read_pool, parts.clock),
      reshards_(options.group_count, &router_, parts.replicas, &rates_,
                parts.clock),
      settings_(options.group_count, &router_, parts.replicas, &rates_,
                parts.clock),
      retention_(&router_, parts.replicas, parts.clock),
      streams_(options.group_count, &router_, parts.replicas, &signer_,
               parts.clock),
      consumers_(&router_, parts.replicas, &signer_, parts.clock),
      consumer_groups_({&parts.state->leases(), &router_, parts.replicas,
                        &reader_, &signer_, parts.read_pool, parts.timers,
                        parts.clock}),
      tables_(&parts.state->tables(), &router_, parts.replicas,
              parts.read_pool),
      subscriptions_({catalog_, &reader_, parts.tails, parts.read_pool,
                      parts.timers, parts.clock, parts.replicas, &rates_},
                     options.subscriptions_max),
      subscribes_(&router_, &reads_, &subscriptions_, parts.claims,
                  parts.replicas, &rates_, parts.clock) {}

// What names no stream is refused for that by the operation itself.
std::string Broker::NameOf(const StreamAddress& stream) const {
  if (!rates_.limit_any()) return "";
  return std::string(ResolveStreamName(stream, account()).value_or(""));
}

std::string Broker::NameOf(const ConsumerAddress& consumer) const {
  if (!rates_.limit_any()) return "";
  const absl::StatusOr<ConsumerName> name =
      ResolveConsumer(consumer, account());
  return name.ok() ? name->stream : "";
}

template <typename Callback, typename Run>
void Broker::Meter(Operation operation, const std::string& stream_name,
                   absl::Duration timeout, Callback done, Run run) {
  if (!rates_.limit_any()) return run(timeout, std::move(done));
  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  rates_.Enter(operation, stream_name, timeout,
               [this, deadline, run = std::move(run),
                done = std::move(done)](absl::Status admitted) mutable {
                 if (!admitted.ok()) return done(std::move(admitted));
                 run(deadline - clock_->MonotonicNow(), std::move(done));
               });
}

template <typename Operations, typename Request, typename Callback>
void Broker::Meter(
    Operation operation, const std::string& stream_name, Operations* operations,
    void (Operations::*method)(const Request&, absl::Duration, Callback),
    const Request& request, absl::Duration timeout, Callback done) {
  Meter(operation, stream_name, timeout, std::move(done),
        [operations, method, request](absl::Duration left, Callback done) {
          (operations->*method)(request, left, std::move(done));
        });
}

void Broker::PutRecord(const PutRecordRequest& request, absl::Duration timeout,
                       Done<PutResult> done) {
  puts_.PutRecord(request, timeout, std::move(done));
}

bool Broker::PutRecords(const PutRecordsRequest& request,
                        absl::Duration timeout, Done<PutRecordsResponse> done) {
  return puts_.PutRecords(request, timeout, std::move(done));
}

void Broker::GetShardIterator(const GetShardIteratorRequest& request,
                              absl::Duration timeout,
                              Done<GetShardIteratorResponse> done) {
  reads_.GetShardIterator(request, timeout, std::move(done));
}

void Broker::GetRecords(const GetRecordsRequest& request,
                        absl::Duration timeout, Done<GetRecordsResponse> done) {
  reads_.GetRecords(request, timeout, std::move(done));
}

absl::StatusOr<std::shared_ptr<Subscription>> Broker::SubscribeToShard(
    const SubscribeToShardRequest& request, absl::Duration timeout,
    SubscriptionSink* sink) {
  return subscribes_.Subscribe(request, timeout, sink);
}

void Broker::CreateStream(const CreateStreamRequest& request,
                          absl::Duration timeout, StatusDone done) {
  Meter(Operation::kCreateStream, "", &streams_,
        &StreamOperations::CreateStream, request, timeout, std::move(done));
}

void Broker::DeleteStream(const DeleteStreamRequest& request,
                          absl::Duration timeout, StatusDone done) {
  Meter(Operation::kDeleteStream, NameOf(request.stream), &streams_,
        &StreamOperations::DeleteStream, request, timeout, std::move(done));
}

void Broker::DescribeStream(const DescribeStreamRequest& request,
                            absl::Duration timeout,
                            Done<DescribeStreamResponse> done) {
  Meter(Operation::kDescribeStream, NameOf(request.stream), &streams_,
        &StreamOperations::DescribeStream, request, timeout, std::move(done));
}

void Broker::DescribeStreamSummary(const StreamAddress& stream,
                                   absl::Duration timeout,
                                   Done<StreamPtr> done) {
  Meter(Operation::kDescribeStreamSummary, NameOf(stream), &streams_,
        &StreamOperations::DescribeStreamSummary, stream, timeout,
        std::move(done));
}

void Broker::ListStreams(const ListStreamsRequest& request,
                         absl::Duration timeout,
                         Done<ListStreamsResponse> done) {
  Meter(Operation::kListStreams, "", &streams_, &StreamOperations::ListStreams,
        request, timeout, std::move(done));
}

void Broker::ListShards(const ListShardsRequest& request,
                        absl::Duration timeout, Done<ListShardsResponse> done) {
  Meter(Operation::kListShards, NameOf(request.stream), &streams_,
        &StreamOperations::ListShards, request, timeout, std::move(done));
}

void Broker::SplitShard(const SplitShardRequest& request,
                        absl::Duration timeout, StatusDone done) {
  Meter(Operation::kSplitShard, NameOf(request.stream), &reshards_,
        &ReshardOperations::SplitShard, request, timeout, std::move(done));
}

void Broker::MergeShards(const MergeShardsRequest& request,
                         absl::Duration timeout, StatusDone done) {
  Meter(Operation::kMergeShards, NameOf(request.stream), &reshards_,
        &ReshardOperations::MergeShards, request, timeout, std::move(done));
}

void Broker::UpdateShardCount(const UpdateShardCountRequest& request,
                              absl::Duration timeout,
                              Done<UpdateShardCountResponse> done) {
  Meter(Operation::kUpdateShardCount, NameOf(request.stream), &reshards_,
        &ReshardOperations::UpdateShardCount, request, timeout,
        std::move(done));
}

void Broker::RegisterConsumer(const RegisterConsumerRequest& request,
                              absl::Duration timeout,
                              Done<FoundConsumer> done) {
  Meter(Operation::kRegisterStreamConsumer, NameOf(request.stream), &consumers_,
        &ConsumerOperations::Register, request, timeout, std::move(done));
}

void Broker::DeregisterConsumer(const ConsumerAddress& consumer,
                                absl::Duration timeout, StatusDone done) {
  Meter(Operation::kDeregisterStreamConsumer, NameOf(consumer), &consumers_,
        &ConsumerOperations::Deregister, consumer, timeout, std::move(done));
}

void Broker::DescribeConsumer(const ConsumerAddress& consumer,
                              absl::Duration timeout,
                              Done<FoundConsumer> done) {
  Meter(Operation::kDescribeStreamConsumer, NameOf(consumer), &consumers_,
        &ConsumerOperations::Describe, consumer, timeout, std::move(done));
}

void Broker::ListConsumers(const ListConsumersRequest& request,
                           absl::Duration timeout,
                           Done<ListConsumersResponse> done) {
  Meter(Operation::kListStreamConsumers, NameOf(request.stream), &consumers_,
        &ConsumerOperations::List, request, timeout, std::move(done));
}

void Broker::UpdateMaxRecordSize(const UpdateMaxRecordSizeRequest& request,
                                 absl::Duration timeout, StatusDone done) {
  settings_.UpdateMaxRecordSize(request, timeout, std::move(done));
}

void Broker::IncreaseStreamRetentionPeriod(
    const RetentionPeriodRequest& request, absl::Duration timeout,
    StatusDone done) {
  Meter(Operation::kIncreaseStreamRetentionPeriod, NameOf(request.stream),
        &retention_, &RetentionOperations::Increase, request, timeout,
        std::move(done));
}

void Broker::DecreaseStreamRetentionPeriod(
    const RetentionPeriodRequest& request, absl::Duration timeout,
    StatusDone done) {
  Meter(Operation::kDecreaseStreamRetentionPeriod, NameOf(request.stream),
        &retention_, &RetentionOperations::Decrease, request, timeout,
        std::move(done));
}

void Broker::DescribeLimits(absl::Duration timeout,
                            Done<DescribeLimitsResponse> done) {
  Meter(Operation::kDescribeLimits, "", timeout, std::move(done),
        [this](absl::Duration left, auto done) {
          settings_.DescribeLimits(left, std::move(done));
        });
}

void Broker::AddTags(const AddTagsRequest& request, absl::Duration timeout,
                     StatusDone done) {
  if (NamesConsumer(request.stream)) {
    return consumers_.AddTags(request, timeout, std::move(done));
  }
  Meter(Operation::kAddTagsToStream, NameOf(request.stream), &settings_,
        &SettingsOperations::AddTags, request, timeout, std::move(done));
}

void Broker::RemoveTags(const RemoveTagsRequest& request,
                        absl::Duration timeout, StatusDone done) {
  if (NamesConsumer(request.stream)) {
    return consumers_.RemoveTags(request, timeout, std::move(done));
  }
  Meter(Operation::kRemoveTagsFromStream, NameOf(request.stream), &settings_,
        &SettingsOperations::RemoveTags, request, timeout, std::move(done));
}

void Broker::ListTags(const ListTagsRequest& request, absl::Duration timeout,
                      Done<ListTagsResponse> done) {
  if (NamesConsumer(request.stream)) {
    return consumers_.ListTags(request, timeout, std::move(done));
  }
  Meter(Operation::kListTagsForStream, NameOf(request.stream), &settings_,
        &SettingsOperations::ListTags, request, timeout, std::move(done));
}

void Broker::ChangeEnhancedMonitoring(const MonitoringRequest& request,
                                      absl::Duration timeout,
                                      Done<MonitoringResponse> done) {
  Meter(request.enable ? Operation::kEnableEnhancedMonitoring
                       : Operation::kDisableEnhancedMonitoring,
        NameOf(request.stream), &settings_,
        &SettingsOperations::ChangeEnhancedMonitoring, request, timeout,
        std::move(done));
}

void Broker::StartStreamEncryption(const EncryptionRequest& request,
                                   absl::Duration timeout, StatusDone done) {
  settings_.StartStreamEncryption(request, timeout, std::move(done));
}

void Broker::StopStreamEncryption(const EncryptionRequest& request,
                                  absl::Duration timeout, StatusDone done) {
  settings_.StopStreamEncryption(request, timeout, std::move(done));
}

void Broker::UpdateStreamMode(const UpdateStreamModeRequest& request,
                              absl::Duration timeout, StatusDone done) {
  capacity_.UpdateStreamMode(request, timeout, std::move(done));
}

void Broker::UpdateStreamWarmThroughput(
    const UpdateWarmThroughputRequest& request, absl::Duration timeout,
    Done<UpdateWarmThroughputResponse> done) {
  Meter(Operation::kUpdateStreamWarmThroughput, NameOf(request.stream),
        &capacity_, &CapacityOperations::UpdateWarmThroughput, request, timeout,
        std::move(done));
}

void Broker::UpdateStreamRecordDistributionStrategy(
    const UpdateRecordDistributionRequest& request, absl::Duration timeout,
    StatusDone done) {
  capacity_.UpdateRecordDistribution(request, timeout, std::move(done));
}

void Broker::PutResourcePolicy(const PutPolicyRequest& request,
                               absl::Duration timeout, StatusDone done) {
  if (NamesConsumer(request.resource)) {
    return consumers_.PutPolicy(request, timeout, std::move(done));
  }
  policies_.Put(request, timeout, std::move(done));
}

void Broker::GetResourcePolicy(const StreamAddress& resource,
                               absl::Duration timeout, Done<std::string> done) {
  if (NamesConsumer(resource)) {
    return consumers_.GetPolicy(resource, timeout, std::move(done));
  }
  policies_.Get(resource, timeout, std::move(done));
}

void Broker::DeleteResourcePolicy(const StreamAddress& resource,
                                  absl::Duration timeout, StatusDone done) {
  if (NamesConsumer(resource)) {
    return consumers_.DeletePolicy(resource, timeout, std::move(done));
  }
  policies_.Delete(resource, timeout, std::move(done));
}

void Broker::DescribeAccountSettings(absl::Duration timeout,
                                     Done<AccountSettings> done) {
  Meter(Operation::kDescribeAccountSettings, "", timeout, std::move(done),
        [this](absl::Duration left, auto done) {
          account_settings_.Describe(left, std::move(done));
        });
}

void Broker::UpdateAccountSettings(const UpdateAccountRequest& request,
                                   absl::Duration timeout,
                                   Done<AccountSettings> done) {
  Meter(Operation::kUpdateAccountSettings, "", &account_settings_,
        &AccountOperations::Update, request, timeout, std::move(done));
}

ClusterStatus Broker::DescribeCluster() const {
  ClusterStatus status =
      SummarizeCluster(options_.members, replicas_->KnownNodes());
  status.stream_count = catalog_->stream_count();
  status.open_shard_count =
      ShardPlaces(catalog_->OpenShardsByGroup(options_.group_count))
          .shard_count();
  return status;
}

}  // namespace trireme
