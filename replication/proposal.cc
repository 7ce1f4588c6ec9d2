#include "replication/proposal.h"

namespace trireme {

PutBatch PutBatch::Front(uint32_t records, size_t bytes) const {
  PutBatch front{shard, records, batch.substr(0, bytes)};
  if (stamp != nullptr) {
    auto shorter = std::make_shared<ProducerStamp>(*stamp);
    shorter->numbers.resize(records);
    front.stamp = std::move(shorter);
  }
  return front;
}

size_t PutBatch::bytes() const {
  size_t sum = batch.size();
  if (stamp != nullptr) {
    sum += stamp->producer.size() + stamp->numbers.size() * sizeof(uint64_t);
  }
  return sum;
}

}  // namespace trireme
