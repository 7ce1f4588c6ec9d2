// Loads on a server of Kinesis's API by HTTP. One thread does it all, so that
// the load takes little of the machine from the server; each call returns when
// all its requests have ended.
#ifndef TRIREME_TESTS_BENCH_HTTP_LOAD_H_
#define TRIREME_TESTS_BENCH_HTTP_LOAD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/bench/kinesis_request.h"
#include "tests/bench/load.h"

namespace trireme::bench {

struct Counted {
  uint64_t records = 0;
  uint64_t failed = 0;
};

// One request after another, each sent when the one before is answered.
struct ClosedLoop {
  // The next one; it stays as it is until its answer is counted.
  std::function<const KinesisRequest&()> next;
  // `status` is 0 when the connection broke.
  std::function<Counted(unsigned status, absl::string_view answer)> count;
};

// Each on a keep-alive connection of its own.
LoadResult RunHttp1(const std::string& address,
                    const std::vector<ClosedLoop>& loops, LoadTimes times);

// Each is a stream of one of so many connections; cleartext, prior knowledge.
LoadResult RunHttp2(const std::string& address, int connections,
                    const std::vector<ClosedLoop>& loops, LoadTimes times);

// One call. Stops the run when it is not answered with 200.
std::string CallKinesis(const std::string& address,
                        const KinesisRequest& request);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_HTTP_LOAD_H_
