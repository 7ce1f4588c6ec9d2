// Writers and readers of one stream, over the C++ client library: threads that
// put records in four ways through all three nodes and tell a History, pushed
// readers, and a reader of everything.
#ifndef TRIREME_TESTS_CLUSTER_LOAD_H_
#define TRIREME_TESTS_CLUSTER_LOAD_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/client.h"
#include "client/subscriber.h"
#include "tests/cluster/cluster_process.h"
#include "tests/cluster/history.h"

namespace trireme {

struct LoadOptions {
  std::string stream = "load";
  int shards = 8;    // One in each data group.
  int batchers = 3;  // Threads that use PutRecords.
  int producers = 3;
  int streamers = 2;  // Threads that keep several requests in flight.
  size_t data_bytes = 200;
  // Each sends its batch when the one before is answered.
  int batch_records = 20;
};

// A thread for each shard that puts record after record (they show the gaps),
// and batchers, producers and streamers. Writer number w begins at node w mod 3
// and goes to the next when that one is gone. Owns its threads; one owner.
class Load {
 public:
  Load(const ClusterProcess& cluster, LoadOptions options, History* history);
  ~Load();  // Stop.

  // No new records; waits for the outcome of all that were sent.
  void Stop();

 private:
  void PutOneByOne(int writer, int shard);
  void PutBatches(int writer);
  void Produce(int writer);
  void Stream(int writer);
  void StreamOnce(v1::Records::Stub& stub, int writer, int* number);
  v1::PutRecordsRequest NextBatch(int writer, int* number,
                                  std::vector<uint64_t>* ids);
  std::unique_ptr<client::Client> MakeClient(int writer) const;
  std::string ExplicitHashKey(int shard) const;

  // Set at construction.
  const ClusterProcess& cluster_;
  const LoadOptions options_;
  History& history_;

  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;
};

// Gets a stream's records pushed, one Subscriber a shard, from TRIM_HORIZON.
class PushedReader {
 public:
  PushedReader(std::vector<std::string> endpoints, std::string stream);
  ~PushedReader();

  size_t count() const;
  // Waits for `count` records in all; then ends the subscriptions.
  absl::StatusOr<StreamRecords> Take(size_t count, absl::Duration timeout);

 private:
  bool Enough() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return count_ >= wanted_;
  }

  mutable absl::Mutex mu_;
  StreamRecords records_ ABSL_GUARDED_BY(mu_);
  size_t count_ ABSL_GUARDED_BY(mu_) = 0;
  size_t wanted_ ABSL_GUARDED_BY(mu_) = 0;

  // Set at construction.
  std::unique_ptr<client::Client> client_;
  std::vector<std::unique_ptr<client::Subscriber>> subscribers_;
};

// Creates the stream and waits until it is ACTIVE.
absl::Status MakeStream(const ClusterProcess& cluster,
                        const LoadOptions& options);

// All records from TRIM_HORIZON through one client.
absl::StatusOr<StreamRecords> ReadAll(client::Client& client,
                                      const std::string& stream);

// What must hold at the end: every node that runs gives what the history says,
// and each goes on from what the one before gave. The result is what the last
// one gave.
absl::StatusOr<StreamRecords> CheckThroughEachNode(
    const ClusterProcess& cluster, const std::string& stream,
    const History& history);

size_t CountOf(const StreamRecords& records);

}  // namespace trireme

#endif  // TRIREME_TESTS_CLUSTER_LOAD_H_
