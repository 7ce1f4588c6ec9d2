// AutoPlacement says which shards the records of one put go to when the service
// decides that (kinesis-contract.md §2.5, AUTO): runs of them to one open shard
// after the other. A small put goes to one shard as a whole, which costs one
// batch; a large one is spread.
//
// Lives as long as a put is routed; the stream must outlive it.
#ifndef TRIREME_SERVER_AUTO_PLACEMENT_H_
#define TRIREME_SERVER_AUTO_PLACEMENT_H_

#include <cstddef>
#include <cstdint>

#include "storage/catalog.h"

namespace trireme {

class AutoPlacement {
 public:
  static constexpr size_t kRunBytesMax = 64u << 10;

  // `turn`: the next number for each put, so that they take turns.
  AutoPlacement(const Stream& stream, uint32_t turn)
      : stream_(stream), turn_(turn) {}

  // For the put's next record. A run is one record at least.
  const Shard& Next(size_t record_bytes) {
    if (run_bytes_ > 0 && run_bytes_ + record_bytes > kRunBytesMax) {
      ++turn_;
      run_bytes_ = 0;
    }
    run_bytes_ += record_bytes;
    return stream_.shards[stream_.open[turn_ % stream_.open.size()]];
  }

 private:
  const Stream& stream_;
  uint32_t turn_;
  size_t run_bytes_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AUTO_PLACEMENT_H_
