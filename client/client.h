// A client of a Trireme cluster: every call of the API, synchronous, with
// retries and failover over the endpoints given. Calls that fail carry a typed
// reason (client/error.h).
//
// What is repeated, with jittered backoff, until `timeout`:
// - a failure to connect and UNAVAILABLE with a reason: nothing was done;
// - RESOURCE_EXHAUSTED with a reason, after the server's RetryInfo if any;
// - for reads also a broken connection or an attempt without an answer.
// A write whose connection broke may have taken place. It is not repeated but
// ends with DEADLINE_EXCEEDED/OutcomeUnknown, unless `allow_duplicates` is
// set: then it is repeated, and a record may be there twice.
//
// Puts go straight to the node that leads the record's shard, from the second
// put of a stream on (client/topology.h). Any node takes any call, so a leader
// that is not known, or cannot be reached from here, costs a forward.
//
// Any thread. Producers, subscribers and readers made from a client must be
// destroyed before it.
#ifndef TRIREME_CLIENT_CLIENT_H_
#define TRIREME_CLIENT_CLIENT_H_

#include <grpcpp/client_context.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cancellation.h"
#include "client/endpoints.h"
#include "client/topology.h"

namespace trireme::client {

struct ClientOptions {
  std::vector<std::string> endpoints = {"127.0.0.1:7420"};  // HOST:PORT
  // Null: no TLS. For TLS: grpc::SslCredentials.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  // Of a whole call, repetitions included.
  absl::Duration timeout = absl::Seconds(30);
  // Of one attempt of a read; then the next endpoint is asked.
  absl::Duration attempt_timeout = absl::Seconds(10);
  // How long to go on when no endpoint can be connected to; and when all of
  // them refuse, because nobody listens there.
  absl::Duration connect_timeout = absl::Seconds(5);
  absl::Duration refused_timeout = absl::Seconds(5);
  bool allow_duplicates = false;
};

class Client {
 public:
  // Connects nowhere yet. Errors: InvalidArgument for an endpoint that is not
  // HOST:PORT.
  static absl::StatusOr<std::unique_ptr<Client>> Create(ClientOptions options);

  // --- streams ---
  absl::Status CreateStream(absl::string_view name, int shard_count);
  absl::Status CreateStream(const v1::CreateStreamRequest& request);
  absl::Status DeleteStream(absl::string_view name,
                            bool enforce_consumer_deletion = false);
  // Start a reshard: the stream is UPDATING, then ACTIVE.
  absl::Status SplitShard(const v1::SplitShardRequest& request);
  absl::Status MergeShards(const v1::MergeShardsRequest& request);
  absl::StatusOr<v1::UpdateShardCountResponse> UpdateShardCount(
      absl::string_view name, int target_shard_count);
  // The stream is UPDATING, then ACTIVE.
  absl::Status UpdateStreamMode(const v1::UpdateStreamModeRequest& request);
  absl::StatusOr<v1::UpdateStreamWarmThroughputResponse>
  UpdateStreamWarmThroughput(absl::string_view name, int mibps);
  // What an on-demand stream did about its load, oldest first.
  absl::StatusOr<std::vector<v1::ScalingDecision>> ListScalingDecisions(
      absl::string_view name);
  // From the next record on.
  absl::Status UpdateStreamRecordDistributionStrategy(
      absl::string_view name, v1::RecordDistributionStrategy strategy);
  // From the next record on; 1024..10240.
  absl::Status UpdateMaxRecordSize(absl::string_view name, int kib);
  // 24..8760 hours; the stream is UPDATING, then ACTIVE.
  absl::Status IncreaseRetentionPeriod(absl::string_view name, int hours);
  absl::Status DecreaseRetentionPeriod(absl::string_view name, int hours);
  absl::StatusOr<v1::DescribeLimitsResponse> DescribeLimits();
  absl::Status AddTags(absl::string_view name,
                       const std::map<std::string, std::string>& tags);
  absl::Status RemoveTags(absl::string_view name,
                          const std::vector<std::string>& keys);
  absl::StatusOr<std::map<std::string, std::string>> ListTags(
      absl::string_view name);
  // The same by ARN.
  absl::Status TagResource(absl::string_view arn,
                           const std::map<std::string, std::string>& tags);
  absl::Status UntagResource(absl::string_view arn,
                             const std::vector<std::string>& keys);
  absl::StatusOr<std::map<std::string, std::string>> ListTagsForResource(
      absl::string_view arn);
  // JSON; that of a resource that has none is "{}".
  absl::Status PutResourcePolicy(absl::string_view arn,
                                 absl::string_view policy);
  absl::StatusOr<std::string> GetResourcePolicy(absl::string_view arn);
  absl::Status DeleteResourcePolicy(absl::string_view arn);
  absl::StatusOr<v1::EnableEnhancedMonitoringResponse> EnableEnhancedMonitoring(
      const v1::EnableEnhancedMonitoringRequest& request);
  absl::StatusOr<v1::DisableEnhancedMonitoringResponse>
  DisableEnhancedMonitoring(
      const v1::DisableEnhancedMonitoringRequest& request);
  // The stream is UPDATING, then ACTIVE.
  absl::Status StartStreamEncryption(absl::string_view name,
                                     absl::string_view key_id);
  absl::Status StopStreamEncryption(absl::string_view name,
                                    absl::string_view key_id);
  // With all its shards, however many pages that takes.
  absl::StatusOr<v1::StreamDescription> DescribeStream(absl::string_view name);
  absl::StatusOr<v1::StreamDescriptionSummary> DescribeStreamSummary(
      absl::string_view name);
  absl::StatusOr<std::vector<v1::StreamSummary>> ListStreams();
  // All pages of it.
  absl::StatusOr<std::vector<v1::Shard>> ListShards(
      absl::string_view name, const v1::ShardFilter& filter = {});
  absl::StatusOr<std::vector<v1::Shard>> ListShards(
      const v1::ListShardsRequest& request);
  // Ask until the stream is ACTIVE, or gone. Errors: DeadlineExceeded.
  absl::Status WaitUntilActive(absl::string_view name, absl::Duration timeout);
  absl::Status WaitUntilGone(absl::string_view name, absl::Duration timeout);

  // --- registered consumers ---
  absl::StatusOr<v1::Consumer> RegisterStreamConsumer(
      absl::string_view stream, absl::string_view name,
      const std::map<std::string, std::string>& tags = {});
  // `consumer`: its name, or its ARN; with that `stream` may be empty.
  absl::Status DeregisterStreamConsumer(absl::string_view stream,
                                        absl::string_view consumer);
  absl::StatusOr<v1::ConsumerDescription> DescribeStreamConsumer(
      absl::string_view stream, absl::string_view consumer);
  // All pages of it.
  absl::StatusOr<std::vector<v1::Consumer>> ListStreamConsumers(
      absl::string_view stream);

  // --- consumer groups (consumer_groups.proto; client/consumer.h) ---
  absl::StatusOr<v1::JoinConsumerGroupResponse> JoinConsumerGroup(
      const v1::JoinConsumerGroupRequest& request);
  // Each endpoint is asked once: a heartbeat that comes late is worth little.
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(
      const v1::HeartbeatRequest& request, absl::Time deadline);
  absl::StatusOr<v1::CheckpointResponse> Checkpoint(
      const v1::CheckpointRequest& request);
  // Each endpoint is asked once, and not for long.
  absl::StatusOr<v1::ReleaseLeasesResponse> ReleaseLeases(
      const v1::ReleaseLeasesRequest& request);
  absl::Status LeaveConsumerGroup(const v1::WorkerHandle& worker);
  absl::Status AssignLeases(const v1::AssignLeasesRequest& request);
  absl::StatusOr<std::vector<v1::ConsumerGroupSummary>> ListConsumerGroups(
      absl::string_view stream);
  // With all its leases, however many pages that takes.
  absl::StatusOr<v1::DescribeConsumerGroupResponse> DescribeConsumerGroup(
      absl::string_view stream, absl::string_view group);
  absl::Status ResetConsumerGroup(absl::string_view stream,
                                  absl::string_view group,
                                  const v1::StartingPosition& from);
  absl::Status DeleteConsumerGroup(absl::string_view stream,
                                   absl::string_view group);

  // --- the account ---
  absl::StatusOr<v1::MinimumThroughputBillingCommitment>
  DescribeAccountSettings();
  // ENABLED or DISABLED.
  absl::StatusOr<v1::MinimumThroughputBillingCommitment> UpdateAccountSettings(
      v1::MinimumThroughputBillingCommitment::Status commitment);

  // --- records ---
  absl::StatusOr<v1::PutRecordResponse> PutRecord(
      const v1::PutRecordRequest& request);
  // OK also when single records failed: see failed_record_count. Goes where
  // its first record's shard is led.
  absl::StatusOr<v1::PutRecordsResponse> PutRecords(
      const v1::PutRecordsRequest& request);
  absl::StatusOr<std::string> GetShardIterator(
      absl::string_view stream, absl::string_view shard_id,
      const v1::StartingPosition& from);
  absl::StatusOr<v1::GetRecordsResponse> GetRecords(absl::string_view iterator,
                                                    int limit);

  // --- cluster ---
  absl::StatusOr<v1::GetClusterStatusResponse> GetClusterStatus();

  // Ends every call in progress, of producers and subscribers too, and every
  // later one, with CANCELLED/Cancelled.
  void Cancel() { cancellation_.Cancel(); }

  Cancellation& cancellation() { return cancellation_; }
  Endpoints& endpoints() { return *endpoints_; }
  Topology& topology() { return topology_; }
  const ClientOptions& options() const { return options_; }

 private:
  enum class Repeat {
    kFreely,
    kWhenNotDone,
    kOnceEach,  // Each endpoint is asked once, and not for long.
    kInTurn,    // The same; they share what time there is.
  };
  using Attempt =
      absl::FunctionRef<grpc::Status(const Endpoint&, grpc::ClientContext*)>;

  Client(ClientOptions options, std::unique_ptr<Endpoints> endpoints);

  // To any node, within the timeout of a call.
  absl::Status Call(absl::string_view name, Repeat repeat, Attempt attempt);
  // A call of the control plane.
  template <typename Request, typename Response>
  absl::Status CallStreams(absl::string_view name, Repeat repeat,
                           grpc::Status (v1::Streams::Stub::*method)(
                               grpc::ClientContext*, const Request&, Response*),
                           const Request& request, Response* response) {
    return Call(name, repeat,
                [&](const Endpoint& endpoint, grpc::ClientContext* context) {
                  return (endpoint.streams.get()->*method)(context, request,
                                                           response);
                });
  }
  // A call about consumer groups.
  template <typename Request, typename Response>
  absl::Status CallGroups(absl::string_view name, Repeat repeat,
                          grpc::Status (v1::ConsumerGroups::Stub::*method)(
                              grpc::ClientContext*, const Request&, Response*),
                          const Request& request, Response* response) {
    return Call(name, repeat,
                [&](const Endpoint& endpoint, grpc::ClientContext* context) {
                  return (endpoint.groups.get()->*method)(context, request,
                                                          response);
                });
  }
  // `group`: goes to its leader; none: to any node.
  absl::Status CallUntil(absl::Time deadline, absl::string_view name,
                         Repeat repeat, Attempt attempt,
                         std::optional<uint32_t> group = std::nullopt);
  absl::Status CallOnce(absl::string_view name, Repeat repeat,
                        const Endpoint& endpoint, absl::Time deadline,
                        Attempt attempt);
  Repeat OfWrites() const {
    return options_.allow_duplicates ? Repeat::kFreely : Repeat::kWhenNotDone;
  }
  // All pages as one.
  absl::StatusOr<v1::ListShardsResponse> ListShards(
      v1::ListShardsRequest request, Repeat repeat, absl::Time deadline);
  absl::StatusOr<v1::GetClusterStatusResponse> GetClusterStatus(
      Repeat repeat, absl::Time deadline);
  // A call that writes, to the leader of the group of a record's keys.
  absl::Status Put(absl::string_view name, absl::string_view stream,
                   absl::string_view partition_key,
                   absl::string_view explicit_hash_key, Attempt attempt);
  absl::Time Deadline() const;

  // Set at construction.
  const ClientOptions options_;
  const std::unique_ptr<Endpoints> endpoints_;

  // Each has a lock of its own.
  Cancellation cancellation_;
  Topology topology_;
};

// Shorthands.
v1::StartingPosition FromTrimHorizon();
v1::StartingPosition FromLatest();
v1::StartingPosition FromTime(absl::Time time);
v1::StartingPosition AtSequenceNumber(absl::string_view number);
v1::StartingPosition AfterSequenceNumber(absl::string_view number);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_CLIENT_H_
