// Fixed-width integers as bytes: little-endian in values, big-endian in keys
// (so that byte order is number order), and a cursor that never reads past the
// end of what a disk or a peer gave us.
#ifndef TRIREME_STORAGE_FIXED_INTS_H_
#define TRIREME_STORAGE_FIXED_INTS_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"

namespace trireme {

static_assert(std::endian::native == std::endian::little,
              "values are copied to disk as they stand in memory");

template <typename Int>
void StoreLittle(Int value, char* out) {
  std::memcpy(out, &value, sizeof(value));
}

template <typename Int>
Int LoadLittle(const char* in) {
  Int value;
  std::memcpy(&value, in, sizeof(value));
  return value;
}

template <typename Int>
void AppendLittle(Int value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename Int>
Int SwapBytes(Int value) {
  if constexpr (sizeof(Int) == 4) {
    return __builtin_bswap32(value);
  } else if constexpr (sizeof(Int) == 8) {
    return __builtin_bswap64(value);
  } else {
    static_assert(sizeof(Int) == 1);
    return value;
  }
}

template <typename Int>
void AppendBig(Int value, std::string* out) {
  AppendLittle(SwapBytes(value), out);
}

// Takes integers and byte strings off the front of somebody else's bytes.
class ByteCursor {
 public:
  explicit ByteCursor(absl::string_view bytes) : rest_(bytes) {}

  // False, and no change, when there are not enough bytes left.
  template <typename Int>
  bool TakeLittle(Int* value) {
    if (rest_.size() < sizeof(Int)) return false;
    *value = LoadLittle<Int>(rest_.data());
    rest_.remove_prefix(sizeof(Int));
    return true;
  }
  template <typename Int>
  bool TakeBig(Int* value) {
    if (!TakeLittle(value)) return false;
    *value = SwapBytes(*value);
    return true;
  }
  bool TakeBytes(size_t size, absl::string_view* bytes) {
    if (rest_.size() < size) return false;
    *bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  absl::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  absl::string_view rest_;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_FIXED_INTS_H_
