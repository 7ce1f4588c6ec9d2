// The demo: real files through a stream and back, pushed and re-read, compared
// line by line. Works on any cluster; makes a stream of its own and deletes
// it.
#ifndef TRIREME_CLIENT_CLI_DEMO_H_
#define TRIREME_CLIENT_CLI_DEMO_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/demo_check.h"
#include "client/cli/latency.h"
#include "client/cli/session.h"

namespace trireme::cli {

struct DemoOptions {
  std::string input = "/var/lib/dpkg/info";
  int shards = 4;
  bool keep = false;
  // The phase below saturation that the latency is judged by. 0: none.
  absl::Duration paced = absl::Seconds(5);
  uint64_t paced_records_per_s = 1000;
};

struct DemoShard {
  std::string shard_id;
  uint32_t replication_group = 0;
  double share = 0;  // Of the hash key space.
  uint64_t records = 0;
  uint64_t bytes = 0;
};

struct DemoResult {
  std::string stream;
  uint64_t files = 0;
  uint64_t bulk_records = 0;
  uint64_t bulk_bytes = 0;
  uint64_t paced_records = 0;
  uint64_t put_failures = 0;
  absl::Status first_put_failure;
  absl::Duration write_took;   // The bulk, first put to last answer.
  absl::Duration pushed_took;  // First put to last record pushed.
  absl::Duration reread_took;
  Latencies bulk_latency;
  Latencies paced_latency;
  std::vector<DemoShard> shards;
  Verdict pushed;
  Verdict reread;

  // A put that failed or whose outcome is unknown counts by what came back.
  bool ok() const { return pushed.ok() && reread.ok(); }
};

// Errors: those of the calls it makes; wrong records are not errors but
// verdicts.
absl::StatusOr<DemoResult> RunDemo(Session& session,
                                   const DemoOptions& options);

void PrintDemoResult(const DemoResult& result,
                     const v1::GetClusterStatusResponse& cluster,
                     Session& session);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_DEMO_H_
