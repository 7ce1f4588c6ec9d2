// Closed loops of PutRecords and GetRecords calls by gRPC, beside the same by
// HTTP. Any thread; each call returns when all its calls have ended.
#ifndef TRIREME_TESTS_BENCH_CALL_LOAD_H_
#define TRIREME_TESTS_BENCH_CALL_LOAD_H_

#include <string>
#include <vector>

#include "tests/bench/load.h"

namespace trireme::bench {

// `in_flight` PutRecords calls of `records` records at any time.
LoadResult RunPutRecords(const Channels& channels, const std::string& stream,
                         int in_flight, int records, uint32_t record_bytes,
                         LoadTimes times);

// One GetRecords call of each shard at any time, of so many records; reads from
// the oldest record to the end, again and again.
LoadResult RunGetRecords(const Channels& channels, const std::string& stream,
                         const std::vector<std::string>& shards,
                         int records_max, LoadTimes times);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_CALL_LOAD_H_
