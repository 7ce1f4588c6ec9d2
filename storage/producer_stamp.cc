#include "storage/producer_stamp.h"

#include <utility>

#include "trireme/v1/command.pb.h"

namespace trireme {

void EncodeStamp(const ProducerStamp& stamp, v1::ProducerStamp* message) {
  message->set_producer(stamp.producer);
  message->set_epoch(stamp.epoch);
  message->set_oldest_number(stamp.oldest_number);
  message->mutable_numbers()->Add(stamp.numbers.begin(), stamp.numbers.end());
}

ProducerStamp DecodeStamp(v1::ProducerStamp* message) {
  return {std::move(*message->mutable_producer()),
          message->epoch(),
          message->oldest_number(),
          {message->numbers().begin(), message->numbers().end()}};
}

}  // namespace trireme
