// The bytes of the segment log: what a frame, a segment's first frame and a
// batch look like on disk (docs/storage-format.md, "Segment log").
//
// Pure functions and values; no files, no threads. Every integer is
// little-endian, encoded and decoded explicitly.
#ifndef TRIREME_STORAGE_LOG_FRAME_H_
#define TRIREME_STORAGE_LOG_FRAME_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"
#include "storage/log_batch.h"

namespace trireme {

inline constexpr uint64_t kFrameHeaderBytes = 56;
inline constexpr uint64_t kFrameAlignment = 8;
// Every batch begins on a page of its own, so that no write ever touches a
// page that holds synced bytes.
inline constexpr uint64_t kBatchAlignment = 4096;
// Far above the largest legal record, so that a damaged length never makes
// anyone allocate or read gigabytes.
inline constexpr uint32_t kFramePayloadBytesMax = 256u << 20;

constexpr uint64_t RoundUp(uint64_t value, uint64_t to) {
  return (value + to - 1) / to * to;
}
// What a frame occupies.
constexpr uint64_t FrameBytes(uint64_t payload_bytes) {
  return RoundUp(kFrameHeaderBytes + payload_bytes, kFrameAlignment);
}

// Written to disk; never renumber.
enum class FrameKind : uint8_t {
  kEntry = 1,
  kHardState = 2,     // `index` holds the vote.
  kCut = 3,           // `index` holds LogCut::last.
  kSegmentStart = 4,  // Payload: SegmentStart.
  kMark = 5,          // Says nothing; proves that what precedes is synced.
};

struct FrameHeader {
  FrameKind kind = FrameKind::kMark;
  bool last_of_batch = false;
  bool recovering = false;  // Of a hard state.
  uint8_t entry_type = 0;
  // The segment's id and the frame's place in it: stale frames of a recycled
  // file, and frames that stand inside a payload, never pass for real ones.
  uint64_t segment = 0;
  uint64_t offset = 0;
  uint64_t batch = 0;  // 1 more with every batch of the log.
  GroupId group{};
  LogIndex index = 0;
  Term term = 0;
  uint32_t payload_bytes = 0;
  uint32_t payload_crc = 0;

  uint64_t payload_offset() const { return offset + kFrameHeaderBytes; }
  uint64_t end() const { return offset + FrameBytes(payload_bytes); }
};

// Writes kFrameHeaderBytes to `out`.
void EncodeFrameHeader(const FrameHeader& header, char* out);
// Nothing unless the header's checksum and kind are right. `bytes` holds at
// least kFrameHeaderBytes.
std::optional<FrameHeader> DecodeFrameHeader(absl::string_view bytes);

FrameHeader EntryFrame(const LogEntry& entry);
FrameHeader HardStateFrame(const LogHardState& state);
FrameHeader CutFrame(const LogCut& cut);
LogHardState HardStateOf(const FrameHeader& header);

// The payload of a segment's first frame: how the segment hangs together with
// the one before, and a checkpoint of what would otherwise be known from
// older files only.
struct SegmentStart {
  // Set in the segment that replaces damaged ones: all segments between
  // `previous_segment` and this one are void.
  bool repair = false;
  uint64_t previous_segment = 0;  // 0: none.
  uint64_t previous_end = 0;      // Where its last batch ends.
  uint64_t oldest_segment = 0;    // Older files hold nothing anyone needs.
  uint64_t file_bytes = 0;        // Of this segment's file.

  struct Group {
    LogHardState hard_state;
    LogIndex trim = 0;  // Entries up to here are no longer needed.
  };
  std::vector<Group> groups;
};

std::string EncodeSegmentStart(const SegmentStart& start);
uint64_t SegmentStartBytes(size_t groups);  // Of the encoding.
// DataLoss when malformed, FailedPrecondition when it was written by a newer
// version of this program.
absl::StatusOr<SegmentStart> DecodeSegmentStart(absl::string_view bytes);

// Lays the frames of one batch out for one gathered write. Payloads beyond
// 4 KiB are referred to, not copied: they must outlive the encoder's pieces.
class BatchEncoder {
 public:
  // The batch will stand at `offset` of `segment`.
  BatchEncoder(uint64_t segment, uint64_t batch, uint64_t offset);

  // Adds a frame; sets header's segment, batch, offset and payload_bytes.
  // Returns it as it will be written.
  const FrameHeader& Add(FrameHeader header, absl::string_view payload = {});
  bool empty() const { return headers_.empty(); }

  // Flags the last frame and encodes; at least one frame was added. The pieces
  // fill whole pages.
  const std::vector<absl::string_view>& Finish();
  // Of all pieces, after Finish().
  uint64_t bytes() const { return bytes_; }

 private:
  const uint64_t segment_;
  const uint64_t batch_;
  const uint64_t begin_;
  uint64_t end_;
  uint64_t bytes_ = 0;
  std::vector<FrameHeader> headers_;
  std::vector<absl::string_view> payloads_;
  std::string buffer_;  // Headers, padding and short payloads.
  std::vector<absl::string_view> pieces_;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_LOG_FRAME_H_
