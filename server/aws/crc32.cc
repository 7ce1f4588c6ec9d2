#include "server/aws/crc32.h"

#include <isa-l/crc.h>

namespace trireme {

uint32_t Crc32(absl::string_view bytes, uint32_t seed) {
  // The reflected variant, inversions included: zlib's, but faster.
  return crc32_gzip_refl(
      seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

uint32_t Crc32(const absl::Cord& bytes, uint32_t seed) {
  for (const absl::string_view chunk : bytes.Chunks()) {
    seed = Crc32(chunk, seed);
  }
  return seed;
}

}  // namespace trireme
