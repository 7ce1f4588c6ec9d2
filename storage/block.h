// A block's bytes in the store: what one entry brought to one shard, under a
// checksum that also covers the key, so that a block can neither change nor
// stand in another's place unnoticed (docs/storage-format.md, "Block").
//
//   block = crc32c u32 | version u8 (1) | zero u8 u16 | record_count u32 |
//           arrival_ms i64 | batch
// Integers are little-endian. crc32c is over the key, then all after itself.
#ifndef TRIREME_STORAGE_BLOCK_H_
#define TRIREME_STORAGE_BLOCK_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/keys.h"

namespace trireme {

inline constexpr size_t kBlockHeaderBytes = 20;

// The header of the block with this key and batch.
std::array<char, kBlockHeaderBytes> MakeBlockHeader(absl::string_view key,
                                                    uint32_t record_count,
                                                    int64_t arrival_ms,
                                                    absl::string_view batch);

// A verified block inside somebody else's bytes.
struct BlockView {
  BlockId id;
  uint32_t record_count = 0;
  int64_t arrival_ms = 0;
  absl::string_view batch;
  absl::string_view value;  // All of it, as it is stored.

  Counter last() const { return id.first + record_count - 1; }
};

// DataLoss, naming shard and counter, when key or value are damaged.
absl::StatusOr<BlockView> VerifyBlock(absl::string_view key,
                                      absl::string_view value);

}  // namespace trireme

#endif  // TRIREME_STORAGE_BLOCK_H_
