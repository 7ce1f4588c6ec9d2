// Loads on a server of trireme.v1.Records, with gRPC's callback API so that
// few threads keep many calls in flight. The same code loads triremed and the
// echo server. Any thread; each call returns when all its calls have ended.
#ifndef TRIREME_TESTS_BENCH_LOAD_H_
#define TRIREME_TESTS_BENCH_LOAD_H_

#include <grpcpp/channel.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trireme/v1/records.pb.h"

namespace trireme::bench {

// Nanoseconds of the steady clock.
int64_t SteadyNow();

using Channels = std::vector<std::shared_ptr<grpc::Channel>>;

// `count` connections of their own.
Channels Connect(const std::string& address, int count);

struct LoadResult {
  double seconds = 0;
  uint64_t records = 0;              // Acknowledged.
  uint64_t failed = 0;               // Records refused, or calls that broke.
  std::vector<double> latencies_ms;  // Of each call or request.

  double RecordsPerSecond() const {
    return static_cast<double>(records) / seconds;
  }
};

// What is measured: after `warm_up` for `measured`.
struct LoadTimes {
  double warm_up_s = 0.3;
  double measured_s = 1;
};

// `in_flight` PutRecord calls at any time.
LoadResult RunUnary(const Channels& channels, const std::string& stream,
                    uint32_t record_bytes, int in_flight, LoadTimes times);

// `calls` PutRecordsStream calls with `in_flight` requests each of
// `records` records.
struct StreamLoad {
  std::string stream;
  int calls = 1;
  int in_flight = 64;
  int records = 1;
  uint32_t record_bytes = 1024;
  bool exactly_once = false;  // Each call is a producer of numbered records.
};
LoadResult RunStream(const Channels& channels, const StreamLoad& load,
                     LoadTimes times);

// PutRecords calls of `records` records, `calls_per_s`, whether answered or
// not. The data of each record begins with when it was handed to gRPC.
struct PacedLoad {
  std::string stream;
  int calls_per_s = 1000;
  int records = 1;
  uint32_t record_bytes = 1024;
};
LoadResult RunPaced(const Channels& channels, const PacedLoad& load,
                    double seconds);

// When the record was handed to gRPC by RunPaced.
int64_t SentAt(const std::string& data);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_LOAD_H_
