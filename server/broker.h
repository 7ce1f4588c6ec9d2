// Broker is the API of a node in C++ terms, once for all front ends: it checks
// requests, finds the shard and its replication group, and answers when the
// cluster has. No transport is known here.
//
// Owned by a Node; thread-safe; no method blocks. Requests, callbacks and
// errors as api.h says. A timeout bounds the whole call: then it is answered
// with what is known, at worst "outcome unknown".
#ifndef TRIREME_SERVER_BROKER_H_
#define TRIREME_SERVER_BROKER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/account_operations.h"
#include "server/admission.h"
#include "server/api.h"
#include "server/capacity_operations.h"
#include "server/cluster_status.h"
#include "server/consumer_api.h"
#include "server/consumer_group_operations.h"
#include "server/consumer_operations.h"
#include "server/policy_operations.h"
#include "server/put_operations.h"
#include "server/rate_limits.h"
#include "server/read_operations.h"
#include "server/reshard_operations.h"
#include "server/retention_operations.h"
#include "server/router.h"
#include "server/settings_operations.h"
#include "server/shard_claims.h"
#include "server/shard_reader.h"
#include "server/shard_tail.h"
#include "server/signed_token.h"
#include "server/stream_operations.h"
#include "server/subscribe_operations.h"
#include "server/subscriptions.h"
#include "server/table_operations.h"
#include "server/timers.h"
#include "server/work_pool.h"
#include "storage/clock.h"
#include "storage/state_machine.h"

namespace trireme {

struct BrokerOptions {
  std::string cluster = "trireme";
  std::string iterator_secret;  // The same on every node; may be empty.
  Account account;
  std::vector<ClusterMember> members;  // All nodes, by id.
  uint32_t group_count = 9;            // The meta group included.
  ReadFrom read_from = ReadFrom::kLeader;
  LimitsOptions limits;  // The same on all nodes.

  // What a node holds for its callers at most; beyond it they are refused.
  uint64_t put_calls_max = 20'000;
  uint64_t put_bytes_max = 128u << 20;
  uint64_t read_calls_max = 4'096;  // Being read or sent at a time.
  uint64_t read_bytes_max = 256u << 20;
  size_t subscriptions_max = 10'000;
};

// What a Broker stands on; all must outlive it. Before it is destroyed its
// front ends, the pool, the timers and the replicas are stopped: their jobs and
// callbacks use it.
struct BrokerParts {
  Replicas* replicas = nullptr;
  const StateMachine* state = nullptr;
  ShardTails* tails = nullptr;
  ShardClaims* claims = nullptr;
  WorkPool* read_pool = nullptr;
  Timers* timers = nullptr;
  Clock* clock = nullptr;
};

class Broker {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;

  Broker(const BrokerOptions& options, const BrokerParts& parts);

  const Account& account() const { return router_.account(); }

  // --- Writing (kinesis-contract.md §1.5) ---
  void PutRecord(const PutRecordRequest& request, absl::Duration timeout,
                 Done<PutResult> done);
  // True when the records were proposed, or refused, before this returned:
  // what is put next to the same shards is written after them.
  bool PutRecords(const PutRecordsRequest& request, absl::Duration timeout,
                  Done<PutRecordsResponse> done);

  // --- Reading (§1.6, §2.3, §2.4, §2.8) ---
  void GetShardIterator(const GetShardIteratorRequest& request,
                        absl::Duration timeout,
                        Done<GetShardIteratorResponse> done);
  void GetRecords(const GetRecordsRequest& request, absl::Duration timeout,
                  Done<GetRecordsResponse> done);
  // `sink` gets the events until its Finish; an error instead of a
  // subscription means that it gets nothing. The request is copied. `timeout`
  // is for finding the position and, of a registered consumer, for claiming the
  // shard: ResourceInUse when it is its other subscription's
  // (subscribe_operations.h).
  absl::StatusOr<std::shared_ptr<Subscription>> SubscribeToShard(
      const SubscribeToShardRequest& request, absl::Duration timeout,
      SubscriptionSink* sink);
  // Ends all subscriptions, for a planned stop.
  void StopSubscriptions() { subscriptions_.Stop(); }

  // --- Streams (§1.4) ---
  void CreateStream(const CreateStreamRequest& request, absl::Duration timeout,
                    StatusDone done);
  void DeleteStream(const DeleteStreamRequest& request, absl::Duration timeout,
                    StatusDone done);
  void DescribeStream(const DescribeStreamRequest& request,
                      absl::Duration timeout,
                      Done<DescribeStreamResponse> done);
  void DescribeStreamSummary(const StreamAddress& stream,
                             absl::Duration timeout, Done<StreamPtr> done);
  void ListStreams(const ListStreamsRequest& request, absl::Duration timeout,
                   Done<ListStreamsResponse> done);
  void ListShards(const ListShardsRequest& request, absl::Duration timeout,
                  Done<ListShardsResponse> done);

  // --- Resharding (§1.7, §2.6) ---
  void SplitShard(const SplitShardRequest& request, absl::Duration timeout,
                  StatusDone done);
  void MergeShards(const MergeShardsRequest& request, absl::Duration timeout,
                   StatusDone done);
  void UpdateShardCount(const UpdateShardCountRequest& request,
                        absl::Duration timeout,
                        Done<UpdateShardCountResponse> done);

  // --- Registered consumers (§1.6, §2.8) ---
  void RegisterConsumer(const RegisterConsumerRequest& request,
                        absl::Duration timeout, Done<FoundConsumer> done);
  void DeregisterConsumer(const ConsumerAddress& consumer,
                          absl::Duration timeout, StatusDone done);
  void DescribeConsumer(const ConsumerAddress& consumer, absl::Duration timeout,
                        Done<FoundConsumer> done);
  void ListConsumers(const ListConsumersRequest& request,
                     absl::Duration timeout, Done<ListConsumersResponse> done);

  // --- Consumer groups (docs/decisions/0010) ---
  ConsumerGroupOperations& consumer_groups() { return consumer_groups_; }

  // --- Tables of items (docs/decisions/0012) ---
  TableOperations& tables() { return tables_; }
  Clock* clock() const { return clock_; }

  // --- Settings and tags (§1.4, §1.8) ---
  void UpdateMaxRecordSize(const UpdateMaxRecordSizeRequest& request,
                           absl::Duration timeout, StatusDone done);
  void IncreaseStreamRetentionPeriod(const RetentionPeriodRequest& request,
                                     absl::Duration timeout, StatusDone done);
  void DecreaseStreamRetentionPeriod(const RetentionPeriodRequest& request,
                                     absl::Duration timeout, StatusDone done);
  void DescribeLimits(absl::Duration timeout,
                      Done<DescribeLimitsResponse> done);
  // Tags of a stream, or of a consumer when a resource is named by its ARN.
  void AddTags(const AddTagsRequest& request, absl::Duration timeout,
               StatusDone done);
  void RemoveTags(const RemoveTagsRequest& request, absl::Duration timeout,
                  StatusDone done);
  void ListTags(const ListTagsRequest& request, absl::Duration timeout,
                Done<ListTagsResponse> done);
  void ChangeEnhancedMonitoring(const MonitoringRequest& request,
                                absl::Duration timeout,
                                Done<MonitoringResponse> done);
  void StartStreamEncryption(const EncryptionRequest& request,
                             absl::Duration timeout, StatusDone done);
  void StopStreamEncryption(const EncryptionRequest& request,
                            absl::Duration timeout, StatusDone done);

  // --- Capacity (§1.4, §2.9) ---
  void UpdateStreamMode(const UpdateStreamModeRequest& request,
                        absl::Duration timeout, StatusDone done);
  void UpdateStreamWarmThroughput(const UpdateWarmThroughputRequest& request,
                                  absl::Duration timeout,
                                  Done<UpdateWarmThroughputResponse> done);
  void UpdateStreamRecordDistributionStrategy(
      const UpdateRecordDistributionRequest& request, absl::Duration timeout,
      StatusDone done);

  // --- Policies (§1.8) ---
  void PutResourcePolicy(const PutPolicyRequest& request,
                         absl::Duration timeout, StatusDone done);
  // Of a resource that has none: "{}".
  void GetResourcePolicy(const StreamAddress& resource, absl::Duration timeout,
                         Done<std::string> done);
  void DeleteResourcePolicy(const StreamAddress& resource,
                            absl::Duration timeout, StatusDone done);

  // --- The account (§1.4) ---
  void DescribeAccountSettings(absl::Duration timeout,
                               Done<AccountSettings> done);
  void UpdateAccountSettings(const UpdateAccountRequest& request,
                             absl::Duration timeout,
                             Done<AccountSettings> done);

  // What this node knows of the cluster, at once.
  ClusterStatus DescribeCluster() const;

 private:
  // Of the stream whose calls are counted; empty when nothing is.
  std::string NameOf(const StreamAddress& stream) const;
  std::string NameOf(const ConsumerAddress& consumer) const;
  // Calls `run` with what is left of the time, once the operation's rate
  // allows it. The rate is the stream's or the account's, see rate_limits.cc.
  template <typename Callback, typename Run>
  void Meter(Operation operation, const std::string& stream_name,
             absl::Duration timeout, Callback done, Run run);
  // The same for a method of those that the Broker is made of.
  template <typename Operations, typename Request, typename Callback>
  void Meter(Operation operation, const std::string& stream_name,
             Operations* operations,
             void (Operations::*method)(const Request&, absl::Duration,
                                        Callback),
             const Request& request, absl::Duration timeout, Callback done);

  // Set at construction.
  const BrokerOptions options_;
  Replicas* const replicas_;
  const Catalog* const catalog_;
  const TokenSigner signer_;
  Clock* const clock_;
  const RateLimits rates_;

  // Thread-safe.
  Admission puts_admission_;
  Admission reads_admission_;
  const ShardReader reader_;
  Router router_;
  AccountOperations account_settings_;
  CapacityOperations capacity_;
  PolicyOperations policies_;
  PutOperations puts_;
  ReadOperations reads_;
  ReshardOperations reshards_;
  SettingsOperations settings_;
  RetentionOperations retention_;
  StreamOperations streams_;
  ConsumerOperations consumers_;
  ConsumerGroupOperations consumer_groups_;
  TableOperations tables_;
  Subscriptions subscriptions_;
  SubscribeOperations subscribes_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_BROKER_H_
