// The servers that the rows about Kinesis's API compare, all running at once:
// triremed with three replicas and fsync, in each protocol it speaks, and
// kinesalite and kinesis-local, which keep one copy in memory. Without the
// latter when tests/bench/peers/install was not run. Owned by the main thread.
#ifndef TRIREME_TESTS_BENCH_KINESIS_SERVERS_H_
#define TRIREME_TESTS_BENCH_KINESIS_SERVERS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/aws/message_format.h"
#include "tests/bench/cluster.h"
#include "tests/bench/process.h"

namespace trireme::bench {

// A server and how it is spoken to.
struct Contestant {
  enum class Protocol { kHttp1, kHttp2, kGrpc };

  std::string name;
  std::string address;
  Protocol protocol = Protocol::kHttp1;
  MessageFormat format = MessageFormat::kJson;
  bool is_peer = false;
  bool pushes = true;  // Has SubscribeToShard.
  std::function<double()> cpu_ms = {};
};

class KinesisServers {
 public:
  // Returns when all serve.
  explicit KinesisServers(const Places& places);

  const std::vector<Contestant>& contestants() const { return contestants_; }

  // A stream of its own name whose shards take records.
  std::string MakeStream(const Contestant& contestant, int shards);
  // The ARN of a new consumer that may subscribe.
  std::string MakeConsumer(const Contestant& contestant,
                           const std::string& stream);

  Cluster& cluster() { return cluster_; }

 private:
  void AddPeer(const std::string& name, const std::vector<std::string>& command,
               const std::string& address);

  const Places places_;  // Set at construction.
  Cluster cluster_;
  std::vector<std::unique_ptr<Process>> peers_;
  std::vector<Contestant> contestants_;
  int streams_ = 0;
};

// As Kinesis names the shards that a stream is made with.
std::string ShardIdOf(int number);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_KINESIS_SERVERS_H_
