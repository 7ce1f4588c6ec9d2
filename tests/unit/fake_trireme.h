// A Trireme in memory behind a real gRPC port, for tests of clients: the four
// public services with typed errors, and switches that make it misbehave in the
// ways clients must survive. Not a model of the server.
#ifndef TRIREME_TESTS_UNIT_FAKE_TRIREME_H_
#define TRIREME_TESTS_UNIT_FAKE_TRIREME_H_

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trireme/v1/cluster.grpc.pb.h"
#include "trireme/v1/consumer_groups.grpc.pb.h"
#include "trireme/v1/records.grpc.pb.h"
#include "trireme/v1/streams.grpc.pb.h"

namespace trireme::testing {

// A failed call as the server sends it, details included.
grpc::Status TypedError(grpc::StatusCode code, const std::string& reason,
                        const std::string& message,
                        absl::Duration retry_delay = absl::ZeroDuration());

class FakeTrireme {
 public:
  FakeTrireme();
  ~FakeTrireme();

  std::string address() const;
  // Ends calls and refuses connections from now on.
  void Shutdown();

  // The next `times` calls of this name fail so, before they do anything.
  void FailNext(const std::string& call, grpc::Status status, int times = 1);
  // In the next `times` requests that hold records with this key, they fail so.
  void FailKey(const std::string& key, const std::string& error_code,
               int times);
  // Records with this key make their whole request INVALID_ARGUMENT.
  void RefuseKey(const std::string& key);
  // The same of records with more data.
  void RefuseRecordsOver(size_t bytes) {
    absl::MutexLock lock(&mu_);
    record_bytes_max_ = bytes;
  }
  // The next PutRecordsStream breaks, once, instead of answering its n-th
  // request (from 0), which is written before if `written`.
  void BreakPutStreamAt(int request, bool written);
  // Every PutRecordsStream ends with OK before it answers, while set.
  void SetEndingPutStreams(bool ending);
  // Every PutRecordsStream waits before it answers, while set.
  void HoldPutStreams(bool holding) {
    absl::MutexLock lock(&mu_);
    holding_put_streams_ = holding;
  }
  // Every subscription ends with OK after so many events with records.
  void EndSubscriptionsAfter(int events);
  // The same, with ResourceInUseException.
  void TakeOverAfter(int events) {
    absl::MutexLock lock(&mu_);
    events_per_subscription_ = events;
    taken_over_ = true;
  }
  // Subscriptions send nothing, not even heartbeats, while set.
  void SetSilent(bool silent);
  // Readers get records twice, never, or in pairs the wrong way round.
  enum class Fault { kNone, kDuplicate, kLose, kSwap };
  void SetReadFault(Fault fault);

  void ExpireIterators();
  // The requests for them so far, as text; nothing is done to the shards.
  std::vector<std::string> reshards() const {
    absl::MutexLock lock(&mu_);
    return reshards_;
  }
  // The next calls of GetRecords wait until so many are there at once, 20
  // seconds at most.
  void AwaitReadersOfRecords(int count);
  void SetPageSizes(int shards, int streams, int records);
  void CloseShard(const std::string& stream, const std::string& shard,
                  const std::vector<std::string>& children);
  // Into two halves.
  void SplitShard(const std::string& stream, const std::string& shard);
  // As streams do whose record distribution strategy is AUTO: records go to the
  // open shards in turn, while set.
  void SetIgnoringHashKeys(bool ignoring) {
    absl::MutexLock lock(&mu_);
    ignores_hash_keys_ = ignoring;
  }
  void MergeShards(const std::string& stream, const std::string& shard,
                   const std::string& adjacent, const std::string& child);
  void SetUnhealthy(bool unhealthy);
  // The cluster status names one node an address, and it as the leader of
  // these groups; shard n belongs to group n + 1. By default every node stands
  // here.
  void SetLeaders(const std::map<uint32_t, std::string>& addresses_by_group);

  // As it is to be described; its settings are those that workers are told.
  void SetGroup(const v1::DescribeConsumerGroupResponse& group);
  // Waits until the shard's checkpoint is so, 20 seconds at most; gives it.
  using CheckpointTest = std::function<bool(const v1::ShardPosition&)>;
  v1::ShardPosition AwaitCheckpoint(const std::string& stream,
                                    const std::string& group,
                                    const std::string& shard,
                                    const CheckpointTest& reached);

  int calls(const std::string& call) const;
  // Waits until the call was made once, 20 seconds at most.
  bool AwaitCall(const std::string& call) const;
  std::vector<v1::Record> records(const std::string& stream) const;
  std::vector<v1::Record> records(const std::string& stream,
                                  const std::string& shard) const;
  bool HasStream(const std::string& stream) const;
  // The consumer_arn of the newest SubscribeToShard.
  std::string subscribed_by() const {
    absl::MutexLock lock(&mu_);
    return subscribed_by_;
  }
  // Of the newest ListShards of a stream, as text; nothing is filtered.
  std::string shard_filter() const {
    absl::MutexLock lock(&mu_);
    return shard_filter_;
  }
  // The newest request that changes a setting, or lists shards, as text.
  std::string request() const {
    absl::MutexLock lock(&mu_);
    return request_;
  }

 private:
  class StreamsService;
  class RecordsService;
  class ClusterService;
  class GroupsService;
  std::unique_ptr<grpc::Service> MakeStreams();
  std::unique_ptr<grpc::Service> MakeRecords();
  std::unique_ptr<grpc::Service> MakeCluster();
  std::unique_ptr<grpc::Service> MakeGroups();

  struct Shard {
    v1::Shard description;
    std::vector<v1::Record> records;
    std::vector<v1::ChildShard> children;  // Of a closed shard.
    bool closed = false;
  };
  struct Stream {
    std::string id;
    v1::StreamDescription description;
    std::vector<Shard> shards;
    std::map<std::string, std::string> tags;
    std::map<std::string, v1::Consumer> consumers;
    std::string policy;
    v1::RecordDistributionStrategy distribution = v1::USER_PARTITION_KEY;
  };

  struct Group {
    uint64_t number = 0;
    uint64_t worker_number = 0;  // The newest one.
    std::string stream;
    std::string worker_id;
    v1::DescribeConsumerGroupResponse description;
    std::map<std::string, v1::ShardPosition> checkpoints;  // By shard.
  };

  grpc::Status Enter(const std::string& call)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Stream* Find(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Shard* FindShard(const std::string& stream, const std::string& shard)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AddShard(Stream& stream, double from, double to)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  grpc::Status PutAll(const v1::PutRecordsRequest& request,
                      v1::PutRecordsResponse* response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PutOne(Stream& stream, const v1::PutRecordsEntry& entry,
              v1::PutRecordsResult* result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Index of the first record to give.
  size_t Position(const Shard& shard, const v1::StartingPosition& from)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CopyRecords(const Shard& shard, size_t from, size_t to,
                   google::protobuf::RepeatedPtrField<v1::Record>* out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  std::map<std::string, Stream> streams_ ABSL_GUARDED_BY(mu_);
  int streams_made_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::pair<std::string, std::string>, Group> groups_
      ABSL_GUARDED_BY(mu_);  // By stream and name.
  std::map<std::string, int> calls_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> reshards_ ABSL_GUARDED_BY(mu_);
  std::string subscribed_by_ ABSL_GUARDED_BY(mu_);
  std::string shard_filter_ ABSL_GUARDED_BY(mu_);
  std::string request_ ABSL_GUARDED_BY(mu_);
  struct Planned {
    grpc::Status status;
    int times = 0;
  };
  std::map<std::string, Planned> planned_ ABSL_GUARDED_BY(mu_);
  // By producer and number, what was put exactly once.
  std::map<std::pair<std::string, uint64_t>, v1::PutRecordsResult> numbered_
      ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::pair<std::string, int>> key_failures_
      ABSL_GUARDED_BY(mu_);
  std::string refused_key_ ABSL_GUARDED_BY(mu_);
  size_t record_bytes_max_ ABSL_GUARDED_BY(mu_) = 10 << 20;
  std::optional<std::pair<int, bool>> break_put_stream_ ABSL_GUARDED_BY(mu_);
  bool ignores_hash_keys_ ABSL_GUARDED_BY(mu_) = false;
  bool holding_put_streams_ ABSL_GUARDED_BY(mu_) = false;
  bool ending_put_streams_ ABSL_GUARDED_BY(mu_) = false;
  int events_per_subscription_ ABSL_GUARDED_BY(mu_) = 1 << 30;
  bool taken_over_ ABSL_GUARDED_BY(mu_) = false;
  bool silent_ ABSL_GUARDED_BY(mu_) = false;
  Fault fault_ ABSL_GUARDED_BY(mu_) = Fault::kNone;
  bool unhealthy_ ABSL_GUARDED_BY(mu_) = false;
  std::map<uint32_t, std::string> leaders_ ABSL_GUARDED_BY(mu_);
  bool shutting_down_ ABSL_GUARDED_BY(mu_) = false;
  int awaited_readers_ ABSL_GUARDED_BY(mu_) = 0;
  int iterator_generation_ ABSL_GUARDED_BY(mu_) = 0;
  int shards_per_page_ ABSL_GUARDED_BY(mu_) = 100;
  int streams_per_page_ ABSL_GUARDED_BY(mu_) = 100;
  int records_per_page_ ABSL_GUARDED_BY(mu_) = 10'000;
  uint64_t next_counter_ ABSL_GUARDED_BY(mu_) = 1;

  // Set at construction.
  std::unique_ptr<grpc::Service> streams_service_;
  std::unique_ptr<grpc::Service> records_service_;
  std::unique_ptr<grpc::Service> cluster_service_;
  std::unique_ptr<grpc::Service> groups_service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace trireme::testing

#endif  // TRIREME_TESTS_UNIT_FAKE_TRIREME_H_
