// The clients of a simulated cluster: each asks one thing at a time of some
// node (records for several shards, a command, a read barrier), waits for the
// answer, and holds the cluster to it.
#ifndef TRIREME_TESTS_SIM_SIM_CLIENTS_H_
#define TRIREME_TESTS_SIM_SIM_CLIENTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "replication/proposal.h"
#include "tests/sim/sim_cluster.h"

namespace trireme::sim {

struct SimClientsOptions {
  int clients = 4;
  Micros think_max = 60 * kMillisecond;
  Micros timeout_min = 500 * kMillisecond;
  Micros timeout_max = 4 * kSecond;
  uint32_t record_bytes_max = 400;
  double burst_chance = 0.05;  // Of asking many things at once.
};

class SimClients {
 public:
  // The cluster must outlive the clients' last answer.
  SimClients(SimCluster* cluster, const SimClientsOptions& options);

  void Start();
  void Stop() { running_ = false; }
  bool idle() const { return asked_.empty(); }

  // Asks and does not wait.
  void PutLater(int node, GroupId group) { Put(-1, node, group, kSecond); }
  // Asks a single thing; true when it was answered with OK in time.
  bool PutSucceeds(int node, GroupId group);
  bool BarrierSucceeds(int node, GroupId group, Micros timeout = 5 * kSecond);

  uint64_t puts_acked() const { return puts_acked_; }
  uint64_t refused() const { return refused_; }
  uint64_t unknown() const { return unknown_; }
  uint64_t barriers_passed() const { return barriers_passed_; }

 private:
  // One thing asked and not answered.
  struct Asked {
    int client = 0;  // -1: of no client.
    int node = 0;
    uint64_t life = 0;  // Of the node.
    GroupId group;
    Micros deadline = 0;
    bool barrier = false;
    LogIndex acked_before = 0;      // In the group, when it was asked.
    std::vector<RecordId> command;  // One, for a command.
    std::vector<std::vector<RecordId>> puts;
  };

  void Next(int client);
  void Ask(int client);
  uint64_t Put(int client, int node, GroupId group, Micros timeout);
  uint64_t Command(int client, int node, GroupId group, Micros timeout);
  uint64_t AskBarrier(int client, int node, GroupId group, Micros timeout);
  uint64_t Remember(Asked asked, Micros timeout);
  void Propose(uint64_t number, std::shared_ptr<const ProposalBody> body,
               Micros timeout);
  PutBatch MakeBatch(const Lane& lane, std::vector<RecordId>* ids);

  void OnOutcome(uint64_t number, const ProposalOutcome& outcome);
  void OnDone(const Asked& asked, const ProposalOutcome& outcome);
  void OnNotDone(const Asked& asked, const absl::Status& status);
  void OnBarrier(uint64_t number, const absl::Status& status);
  bool Take(uint64_t number, Asked* asked);
  void CheckAnswered(uint64_t number);
  bool Await(uint64_t number);

  SimCluster* const cluster_;
  const SimClientsOptions options_;
  bool running_ = false;
  std::map<uint64_t, Asked> asked_;
  std::map<uint64_t, bool> awaited_;  // By number: whether the answer was OK.
  uint64_t next_number_ = 1;
  uint64_t puts_acked_ = 0;
  uint64_t refused_ = 0;
  uint64_t unknown_ = 0;
  uint64_t barriers_passed_ = 0;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_CLIENTS_H_
