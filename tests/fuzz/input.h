// A fuzzer's bytes, read as the choices of a test: when they run out, all
// further choices are zero.
#ifndef TRIREME_TESTS_FUZZ_INPUT_H_
#define TRIREME_TESTS_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace trireme {

class Input {
 public:
  Input(const uint8_t* data, size_t size)
      : bytes_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return at_ >= bytes_.size(); }
  uint64_t Byte() {
    return empty() ? 0 : static_cast<unsigned char>(bytes_[at_++]);
  }
  uint64_t Below(uint64_t limit) { return (Byte() << 8 | Byte()) % limit; }
  // True but once in `times`.
  bool Mostly(uint64_t times) { return Byte() % times != times - 1; }
  // Mostly small, sometimes extreme.
  uint64_t Number() {
    const uint64_t byte = Byte();
    return byte == 255 ? UINT64_MAX : byte >= 250 ? byte << 40 : byte % 8;
  }
  std::string Bytes(size_t count) {
    const std::string taken =
        bytes_.substr(std::min(at_, bytes_.size()), count);
    at_ += taken.size();
    return taken;
  }
  std::string Rest() { return Bytes(bytes_.size()); }

 private:
  const std::string bytes_;
  size_t at_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_FUZZ_INPUT_H_
