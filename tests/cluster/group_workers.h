// Workers of a consumer group as processes (group_worker.cc), and the check of
// what they processed.
#ifndef TRIREME_TESTS_CLUSTER_GROUP_WORKERS_H_
#define TRIREME_TESTS_CLUSTER_GROUP_WORKERS_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/client.h"
#include "tests/cluster/cluster_process.h"
#include "tests/cluster/history.h"

namespace trireme {

// A record that a worker processed.
struct Processed {
  int64_t at_ns = 0;  // Monotonic; the same clock for all.
  std::string worker;
  std::string shard;
  std::string sequence_number;
};

class GroupWorkers {
 public:
  GroupWorkers(const ClusterProcess& cluster, std::string stream, int lease_ms)
      : cluster_(cluster), stream_(std::move(stream)), lease_ms_(lease_ms) {}
  ~GroupWorkers();  // Kills them.

  void Start(const std::string& worker, bool polls = false);
  void Kill(const std::string& worker);
  void Pause(const std::string& worker);
  void Resume(const std::string& worker);
  // Gives the exit code.
  absl::StatusOr<int> Terminate(const std::string& worker);
  std::vector<std::string> running() const;

  // What all of them processed so far, by time.
  std::vector<Processed> TakeAll() const;

  // All shards are read to their ends, or as far as there is something.
  static bool IsCaughtUp(client::Client& client, const std::string& stream);

 private:
  std::string FileOf(const std::string& worker) const;

  // Set at construction.
  const ClusterProcess& cluster_;
  const std::string stream_;
  const int lease_ms_;

  std::map<std::string, pid_t> pids_;
  std::vector<std::string> all_;
};

// What must hold: every stored record was processed, and when a record was
// processed for the first time, all that stand before it in its shard, and all
// of its shard's parents, had been. Gives how often one was processed again.
absl::StatusOr<size_t> CheckProcessed(const std::vector<Processed>& processed,
                                      const StreamRecords& stored,
                                      const std::vector<v1::Shard>& shards);

}  // namespace trireme

#endif  // TRIREME_TESTS_CLUSTER_GROUP_WORKERS_H_
