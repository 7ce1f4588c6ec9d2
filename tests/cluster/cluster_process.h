// Three real triremed processes, on loopback or in a network namespace each,
// with a configuration file, a data directory and a log file in a temporary
// folder. The folder and what the nodes logged are kept when a test fails. Ends
// its own children only, and they die with the thread that started them.
//
// One thread (the tests' own); the nodes are numbered 0, 1, 2 here and have the
// ids 1, 2, 3.
#ifndef TRIREME_TESTS_CLUSTER_CLUSTER_PROCESS_H_
#define TRIREME_TESTS_CLUSTER_CLUSTER_PROCESS_H_

#include <sys/types.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "tests/cluster/zone_networks.h"

namespace trireme {

// A started program: its output goes to a file, it dies with us.
absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& arguments,
                            const std::string& output_path);
// The exit code, or -signal. Errors: DeadlineExceeded.
absl::StatusOr<int> WaitForExit(pid_t pid, absl::Duration timeout);

std::string ReadFileText(const std::string& path);
void WriteFileText(const std::string& path, const std::string& text);

class ClusterProcess {
 public:
  static constexpr int kNodes = 3;

  // Writes the configurations; starts nothing. Without `networks`, which must
  // outlive the cluster, all are on loopback.
  explicit ClusterProcess(const ZoneNetworks* networks = nullptr);
  ~ClusterProcess();
  ClusterProcess(const ClusterProcess&) = delete;
  ClusterProcess& operator=(const ClusterProcess&) = delete;

  void Start(int node);
  void StartAll();
  // Until every running node says: each group has a leader that runs, and all
  // running nodes are HEALTHY. Errors: DeadlineExceeded with what is missing.
  absl::Status WaitReady(absl::Duration timeout = absl::Seconds(30));

  void Kill(int node);    // SIGKILL, and waits for its end.
  void Pause(int node);   // SIGSTOP
  void Resume(int node);  // SIGCONT
  // SIGTERM; gives the exit code.
  absl::StatusOr<int> Terminate(int node,
                                absl::Duration timeout = absl::Seconds(20));
  // All that run, at the same moment. Errors: of one that did not end with 0.
  absl::Status TerminateAll(absl::Duration timeout = absl::Seconds(20));
  void Wipe(int node);  // Deletes the data of a stopped node.

  bool running(int node) const { return pids_[node] != 0; }
  bool paused(int node) const { return paused_[node]; }
  // Reaps those that ended unasked; their numbers.
  std::vector<int> Ended();

  // As `node` knows it: the index of the leader's node. Errors: of the call;
  // Unavailable when it knows none.
  absl::StatusOr<int> LeaderOf(uint32_t group, int node);

  std::string address(int node) const;
  // All three addresses, `first` first.
  std::vector<std::string> addresses(int first = 0) const;
  std::string config_path(int node) const;
  std::string data_dir(int node) const;
  std::string log_path(int node) const;
  const std::string& folder() const { return folder_; }
  // Keep the folder and show the end of the logs.
  void KeepForInspection();

  // A client of one node only.
  std::unique_ptr<client::Client> ClientOf(
      int node, absl::Duration timeout = absl::Seconds(10)) const;
  // A client of all, beginning with `first`.
  std::unique_ptr<client::Client> ClientOfAll(int first = 0) const;

 private:
  std::string ConfigText(int node) const;
  std::string peer_address(int node) const;
  std::string host(int node) const;
  absl::Status Readiness(int node);

  // Set at construction.
  const ZoneNetworks* const networks_;
  std::string folder_;
  std::vector<int> ports_;  // Clients' of 0, 1, 2, then peers'.
  std::array<std::unique_ptr<client::Client>, kNodes> clients_;

  std::array<pid_t, kNodes> pids_ = {};  // 0: not running.
  std::array<bool, kNodes> paused_ = {};
  bool keep_ = false;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_CLUSTER_CLUSTER_PROCESS_H_
