// Reads one segment file in big pieces: frames by offset, whole batches, and
// what valid frames lie behind a bad one. Keeps no payloads. Not thread-safe.
#ifndef TRIREME_STORAGE_SEGMENT_SCAN_H_
#define TRIREME_STORAGE_SEGMENT_SCAN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/file_system.h"
#include "storage/log_frame.h"

namespace trireme {

// A segment file as found in the log's directory.
struct SegmentFile {
  uint64_t id = 0;
  std::string path{};
  std::shared_ptr<File> file{};
  uint64_t bytes = 0;
};

// A run of frames that claim to be one batch.
struct ScannedBatch {
  std::vector<FrameHeader> frames;  // The valid ones, from its first.
  bool complete = false;            // Up to the flagged last frame.
  uint64_t begin = 0;
  uint64_t end = 0;  // When complete: where the next batch begins.
  // When not: the first bad frame.
  uint64_t bad_offset = 0;
};

class SegmentScan {
 public:
  explicit SegmentScan(const SegmentFile& segment) : segment_(segment) {}

  // All errors are I/O errors of the file.

  // The batch `number` at `offset`, payload checksums verified.
  absl::StatusOr<ScannedBatch> ReadBatch(uint64_t offset, uint64_t number);
  // The frame at `offset`, if its header is valid and belongs there.
  absl::StatusOr<std::optional<FrameHeader>> HeaderAt(uint64_t offset);
  absl::StatusOr<bool> PayloadIsIntact(const FrameHeader& header);
  // The segment's start; nothing when its frame is damaged or absent.
  // FailedPrecondition when a newer version wrote it.
  absl::StatusOr<std::optional<SegmentStart>> ReadStart();
  // Calls `visit` for every valid header of this segment at or behind
  // `offset`, at whatever place: what lies between need not make sense.
  absl::Status VisitHeaders(
      uint64_t offset,
      absl::FunctionRef<absl::Status(const FrameHeader&)> visit);

  uint64_t bytes_read() const { return bytes_read_; }

 private:
  // A view of the file, shorter only at its end. Valid until the next call.
  absl::StatusOr<absl::string_view> Bytes(uint64_t offset, uint64_t size);
  std::optional<FrameHeader> Decode(absl::string_view bytes,
                                    uint64_t offset) const;

  const SegmentFile segment_;
  std::string window_;
  uint64_t window_begin_ = 0;
  uint64_t bytes_read_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SEGMENT_SCAN_H_
