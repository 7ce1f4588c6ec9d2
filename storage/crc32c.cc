#include "storage/crc32c.h"

#include <isa-l/crc.h>

namespace trireme {

uint32_t Crc32c(absl::string_view bytes, uint32_t seed) {
  // crc32_iscsi takes and returns the raw register, without the inversions of
  // the CRC32C definition. Its buffer parameter lacks a const it honours.
  return ~crc32_iscsi(
      reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())),
      static_cast<int>(bytes.size()), ~seed);
}

}  // namespace trireme
