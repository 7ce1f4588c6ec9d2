// How long a record takes from the call that puts it to the consumer that gets
// it, through Kinesis's API by HTTP/1.1 and JSON. Any thread.
#ifndef TRIREME_TESTS_BENCH_KINESIS_PUSH_H_
#define TRIREME_TESTS_BENCH_KINESIS_PUSH_H_

#include <string>
#include <vector>

namespace trireme::bench {

struct PushLoad {
  std::string address;
  std::string stream;        // Of one shard.
  std::string consumer_arn;  // Empty: polls GetRecords without a pause.
  int records_per_s = 100;   // By PutRecord, whether answered or not.
  uint32_t record_bytes = 1024;
};

// Of each record in milliseconds. Stops the run if not all come.
std::vector<double> MeasurePushes(const PushLoad& load, double seconds);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_KINESIS_PUSH_H_
