// triremed under measurement: `triremed --dev`, or three processes, with a
// fresh data directory that is removed at the end, and a client. Owned by the
// main thread.
#ifndef TRIREME_TESTS_BENCH_CLUSTER_H_
#define TRIREME_TESTS_BENCH_CLUSTER_H_

#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "tests/bench/load.h"
#include "tests/bench/process.h"

namespace trireme::bench {

struct Places {
  std::string bin;        // Where the programs are.
  std::string directory;  // For data and logs; on the disk to be measured.
  std::string peers;      // What tests/bench/peers/install has made.
};

class Cluster {
 public:
  enum class Shape { kOneProcess, kThreeProcesses };

  // Returns when it serves.
  Cluster(const Places& places, Shape shape);
  ~Cluster();

  // A stream of its own name that is ACTIVE and led everywhere: a record to
  // each of its shards was acknowledged.
  std::string MakeStream(int shards);
  // Ids of its shards.
  std::vector<std::string> Shards(const std::string& stream);

  void Kill(size_t process) { processes_[process]->Kill(); }
  void Terminate(size_t process) { processes_[process]->Terminate(); }
  // After Kill or Terminate. Does not wait until it serves.
  void Start(size_t process);

  client::Client& client() { return *client_; }
  const std::string& address(size_t process) const {
    return addresses_[process];
  }
  // Where AWS's clients are served. Of one process only.
  const std::string& kinesis_address() const { return kinesis_address_; }
  // Of all its processes together.
  double CpuMilliseconds() const;
  double ResidentBytes() const;

 private:
  std::vector<std::string> Command(size_t process) const;
  void WriteConfigurations();

  // Set at construction.
  const Places places_;
  const Shape shape_;
  const std::string kinesis_address_;
  std::string directory_;
  std::vector<std::string> addresses_;

  std::vector<std::unique_ptr<Process>> processes_;
  std::unique_ptr<client::Client> client_;
  int streams_ = 0;
};

// A client of one node, that goes on for 30 seconds when it is not there.
std::unique_ptr<client::Client> MakeClient(std::vector<std::string> addresses);

// Stops the run with a message if not OK.
void Must(const absl::Status& status, const std::string& what);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_CLUSTER_H_
