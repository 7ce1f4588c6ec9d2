#include "client/compression.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/error.h"

namespace trireme::client {
namespace {

constexpr absl::string_view kMagic = "\x28\xB5\x2F\xFD";
// 64 MiB: of frames that do not say how long their content is.
constexpr int kWindowLogMax = 26;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

uint64_t BytesMax(uint64_t compressed_bytes) {
  return std::min(kDecompressedBytesMax,
                  compressed_bytes * kCompressionRatioMax);
}

absl::Status TooLarge(uint64_t compressed_bytes) {
  return MakeError(
      absl::StatusCode::kResourceExhausted, kDecompressedTooLarge, "Decompress",
      absl::StrCat("a record of ", compressed_bytes, " bytes is more than ",
                   BytesMax(compressed_bytes),
                   " bytes when it is decompressed"));
}

// Grows with what is there, up to the limit. None: not one whole frame.
absl::StatusOr<std::optional<std::string>> DecompressFrame(
    absl::string_view data) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  const uint64_t bytes_max = BytesMax(data.size());
  std::string content;
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  for (;;) {
    const size_t before = content.size();
    // One more than the limit shows that there is more.
    content.resize(std::min(before + std::max(before, ZSTD_DStreamOutSize()),
                            bytes_max + 1));
    ZSTD_outBuffer out{content.data(), content.size(), before};
    const size_t left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left)) {
      if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge) {
        return TooLarge(data.size());
      }
      return std::nullopt;
    }
    if (out.pos > bytes_max) return TooLarge(data.size());
    content.resize(out.pos);
    if (left == 0) break;
    // Cut off: it takes no more in and gives nothing out.
    if (in.pos == in.size && out.pos < out.size) return std::nullopt;
  }
  if (in.pos != in.size) return std::nullopt;
  return content;
}

// In blocks so small that readers take it, however well it compresses.
std::string CompressInSmallBlocks(ZSTD_CCtx* context, absl::string_view data,
                                  int level) {
  constexpr size_t kBlock = 2 << 10;  // A block is at least 3 bytes.
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  const size_t blocks = data.size() / kBlock + 1;
  std::string compressed(blocks * ZSTD_compressBound(kBlock), '\0');
  ZSTD_outBuffer out{compressed.data(), compressed.size(), 0};
  for (size_t block = 0; block < blocks; ++block) {
    const absl::string_view part = data.substr(block * kBlock, kBlock);
    ZSTD_inBuffer in{part.data(), part.size(), 0};
    ZSTD_compressStream2(context, &out, &in,
                         block + 1 < blocks ? ZSTD_e_flush : ZSTD_e_end);
  }
  compressed.resize(out.pos);
  return compressed;
}

}  // namespace

Compressor::Compressor(int level)
    : level_(level), context_(ZSTD_createCCtx()) {}

Compressor::~Compressor() { ZSTD_freeCCtx(context_); }

std::optional<std::string> Compressor::Compress(absl::string_view data) {
  std::string compressed(ZSTD_compressBound(data.size()), '\0');
  const size_t bytes =
      ZSTD_compressCCtx(context_, compressed.data(), compressed.size(),
                        data.data(), data.size(), level_);
  if (ZSTD_isError(bytes)) return std::nullopt;
  const bool is_readable = data.size() <= BytesMax(bytes);
  const bool is_better = bytes < data.size() && is_readable;
  if (!is_better && !MayBeCompressed(data)) return std::nullopt;
  if (!is_readable) return CompressInSmallBlocks(context_, data, level_);
  compressed.resize(bytes);
  compressed.shrink_to_fit();
  return compressed;
}

bool MayBeCompressed(absl::string_view data) {
  return absl::StartsWith(data, kMagic);
}

absl::StatusOr<std::string> Decompress(std::string data) {
  if (!MayBeCompressed(data)) return data;
  const auto known = ZSTD_getFrameContentSize(data.data(), data.size());
  if (known != ZSTD_CONTENTSIZE_UNKNOWN && known != ZSTD_CONTENTSIZE_ERROR &&
      known > BytesMax(data.size())) {
    return TooLarge(data.size());
  }
  auto content = DecompressFrame(data);
  if (!content.ok()) return std::move(content).status();
  return content->has_value() ? **std::move(content) : std::move(data);
}

}  // namespace trireme::client
