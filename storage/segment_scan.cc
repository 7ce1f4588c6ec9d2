#include "storage/segment_scan.h"

#include <algorithm>
#include <utility>

#include "storage/crc32c.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr uint64_t kWindowBytes = 1u << 20;

}  // namespace

absl::StatusOr<absl::string_view> SegmentScan::Bytes(uint64_t offset,
                                                     uint64_t size) {
  if (offset >= segment_.bytes) return absl::string_view();
  size = std::min(size, segment_.bytes - offset);
  if (offset < window_begin_ ||
      offset + size > window_begin_ + window_.size()) {
    ASSIGN_OR_RETURN(
        window_, segment_.file->ReadAt(offset, std::max(size, kWindowBytes)));
    window_begin_ = offset;
    bytes_read_ += window_.size();
  }
  const uint64_t skip = offset - window_begin_;
  if (skip > window_.size()) return absl::string_view();
  return absl::string_view(window_).substr(skip, size);
}

std::optional<FrameHeader> SegmentScan::Decode(absl::string_view bytes,
                                               uint64_t offset) const {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  std::optional<FrameHeader> header = DecodeFrameHeader(bytes);
  if (!header || header->segment != segment_.id || header->offset != offset ||
      header->end() > segment_.bytes)
    return std::nullopt;
  return header;
}

absl::StatusOr<std::optional<FrameHeader>> SegmentScan::HeaderAt(
    uint64_t offset) {
  ASSIGN_OR_RETURN(const absl::string_view bytes,
                   Bytes(offset, kFrameHeaderBytes));
  return Decode(bytes, offset);
}

absl::StatusOr<bool> SegmentScan::PayloadIsIntact(const FrameHeader& header) {
  uint32_t crc = 0;
  for (uint64_t done = 0; done < header.payload_bytes;) {
    ASSIGN_OR_RETURN(
        const absl::string_view piece,
        Bytes(header.payload_offset() + done,
              std::min<uint64_t>(header.payload_bytes - done, kWindowBytes)));
    if (piece.empty()) return false;
    crc = Crc32c(piece, crc);
    done += piece.size();
  }
  return crc == header.payload_crc;
}

absl::StatusOr<ScannedBatch> SegmentScan::ReadBatch(uint64_t offset,
                                                    uint64_t number) {
  ScannedBatch batch;
  batch.begin = batch.bad_offset = offset;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<FrameHeader> header,
                     HeaderAt(batch.bad_offset));
    if (!header || header->batch != number) return batch;
    // A segment starts with its start frame and has no other.
    if ((header->kind == FrameKind::kSegmentStart) != (header->offset == 0))
      return batch;
    ASSIGN_OR_RETURN(const bool intact, PayloadIsIntact(*header));
    if (!intact) return batch;
    batch.frames.push_back(*header);
    batch.bad_offset = header->end();
    if (header->last_of_batch) break;
  }
  batch.complete = true;
  batch.end = RoundUp(batch.bad_offset, kBatchAlignment);
  return batch;
}

absl::StatusOr<std::optional<SegmentStart>> SegmentScan::ReadStart() {
  ASSIGN_OR_RETURN(const std::optional<FrameHeader> header, HeaderAt(0));
  if (!header || header->kind != FrameKind::kSegmentStart) return std::nullopt;
  ASSIGN_OR_RETURN(const bool intact, PayloadIsIntact(*header));
  if (!intact) return std::nullopt;
  ASSIGN_OR_RETURN(const absl::string_view bytes,
                   Bytes(header->payload_offset(), header->payload_bytes));
  absl::StatusOr<SegmentStart> start = DecodeSegmentStart(bytes);
  if (absl::IsFailedPrecondition(start.status())) return start.status();
  // Checksummed but senseless: no file of ours says so, treat it as damage.
  if (!start.ok() || start->previous_segment >= segment_.id ||
      start->oldest_segment > segment_.id)
    return std::nullopt;
  return *std::move(start);
}

absl::Status SegmentScan::VisitHeaders(
    uint64_t offset,
    absl::FunctionRef<absl::Status(const FrameHeader&)> visit) {
  offset = RoundUp(offset, kFrameAlignment);
  while (true) {
    ASSIGN_OR_RETURN(const absl::string_view bytes,
                     Bytes(offset, kWindowBytes));
    if (bytes.size() < kFrameHeaderBytes) return absl::OkStatus();
    std::vector<FrameHeader> found;
    uint64_t at = 0;
    while (at + kFrameHeaderBytes <= bytes.size()) {
      const std::optional<FrameHeader> header =
          Decode(bytes.substr(at), offset + at);
      if (header) found.push_back(*header);
      at += header ? kFrameHeaderBytes : kFrameAlignment;
    }
    // Only now: visiting may read and thereby move the window.
    for (const FrameHeader& header : found) RETURN_IF_ERROR(visit(header));
    offset += at;
  }
}

}  // namespace trireme
