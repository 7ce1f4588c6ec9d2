// Compresses the data of records with zstd, and back. Readers know compressed
// data by its first bytes, zstd's frame magic.
#ifndef TRIREME_CLIENT_COMPRESSION_H_
#define TRIREME_CLIENT_COMPRESSION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct ZSTD_CCtx_s;

namespace trireme::client {

// What a record's data may come to when it is decompressed, and at most so many
// times what it was: a small record must not fill a reader's memory.
inline constexpr uint64_t kDecompressedBytesMax = 64 << 20;
inline constexpr uint64_t kCompressionRatioMax = 1000;

// The reason of the error (client/error.h).
inline constexpr char kDecompressedTooLarge[] = "DecompressedTooLarge";

// One owner, one thread.
class Compressor {
 public:
  static constexpr int kLevelMin = 1;
  static constexpr int kLevelMax = 19;

  explicit Compressor(int level);
  ~Compressor();

  // None when it would not be smaller, or be more than Decompress takes. Data
  // that begins as a frame does is compressed in any case, so that it comes
  // back as it was.
  std::optional<std::string> Compress(absl::string_view data);

 private:
  // Set at construction.
  const int level_;
  ZSTD_CCtx_s* const context_;
};

// Begins as a zstd frame does.
bool MayBeCompressed(absl::string_view data);

// Data that is not one whole zstd frame is returned as it is. Errors:
// ResourceExhausted (DecompressedTooLarge).
absl::StatusOr<std::string> Decompress(std::string data);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_COMPRESSION_H_
