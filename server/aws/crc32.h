// CRC-32 of IEEE 802.3, as zlib and gzip compute it: of event stream messages
// and of DynamoDB's answers. Our own files use Crc32c (storage/crc32c.h).
#ifndef TRIREME_SERVER_AWS_CRC32_H_
#define TRIREME_SERVER_AWS_CRC32_H_

#include <cstdint>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace trireme {

// `seed` is the CRC of what goes before.
uint32_t Crc32(absl::string_view bytes, uint32_t seed = 0);
// Chunk by chunk: the cord is not flattened.
uint32_t Crc32(const absl::Cord& bytes, uint32_t seed = 0);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_CRC32_H_
