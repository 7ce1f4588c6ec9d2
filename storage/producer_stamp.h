// What a producer says of records that it puts exactly once
// (docs/decisions/0009): who it is, and the number it gave each of them.
#ifndef TRIREME_STORAGE_PRODUCER_STAMP_H_
#define TRIREME_STORAGE_PRODUCER_STAMP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace trireme {

namespace v1 {
class ProducerStamp;
}

struct ProducerStamp {
  std::string producer;  // Its id: 1..kProducerIdBytesMax bytes.
  uint64_t epoch = 0;    // Of its runs, ascending: a newer one fences older.
  // It knows the outcome of all its records below this number, or has given
  // them up: it sends none of them again.
  uint64_t oldest_number = 0;
  std::vector<uint64_t> numbers;  // One a record.
};

inline constexpr size_t kProducerIdBytesMax = 128;
// A number is less than the oldest one plus this.
inline constexpr uint64_t kProducerWindow = 65'536;

// Records of a batch that one producer stamped: one for each number, from
// `first` on.
struct StampedRecords {
  uint32_t first = 0;
  std::shared_ptr<const ProducerStamp> stamp;
};

// To and from what is sent and stored (proto/trireme/v1/command.proto).
void EncodeStamp(const ProducerStamp& stamp, v1::ProducerStamp* message);
ProducerStamp DecodeStamp(v1::ProducerStamp* message);

}  // namespace trireme

#endif  // TRIREME_STORAGE_PRODUCER_STAMP_H_
