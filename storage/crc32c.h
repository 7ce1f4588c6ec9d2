// CRC32C (Castagnoli), hardware-accelerated by ISA-L.
#ifndef TRIREME_STORAGE_CRC32C_H_
#define TRIREME_STORAGE_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace trireme {

// The checksum of `bytes`; pass an earlier result as `seed` to continue it
// over the next piece: Crc32c(ab) == Crc32c(b, Crc32c(a)).
uint32_t Crc32c(absl::string_view bytes, uint32_t seed = 0);

}  // namespace trireme

#endif  // TRIREME_STORAGE_CRC32C_H_
