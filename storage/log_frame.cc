#include "storage/log_frame.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/crc32c.h"
#include "storage/fixed_ints.h"

namespace trireme {
namespace {

// First byte after the header's checksum: says "a frame of ours".
constexpr uint8_t kFrameMagic = 0x54;
constexpr uint8_t kFlagLastOfBatch = 1;
constexpr uint8_t kFlagRecovering = 2;

// Version of everything below a segment's start frame.
constexpr uint32_t kLogFormat = 1;
constexpr uint32_t kStartFlagRepair = 1;
// A piece costs the kernel more than the copy of a payload of this size:
// measured, a write of 512 payloads of 1 KiB takes 64 us as 1,024 pieces and
// 40 us as one, the copy included.
constexpr size_t kCopiedPayloadBytesMax = 4096;
constexpr uint64_t kStartFixedBytes = 48;
constexpr uint64_t kStartGroupBytes = 32;

}  // namespace

void EncodeFrameHeader(const FrameHeader& header, char* out) {
  out[4] = static_cast<char>(kFrameMagic);
  out[5] = static_cast<char>(header.kind);
  out[6] = static_cast<char>((header.last_of_batch ? kFlagLastOfBatch : 0) |
                             (header.recovering ? kFlagRecovering : 0));
  out[7] = static_cast<char>(header.entry_type);
  StoreLittle<uint64_t>(header.segment, out + 8);
  StoreLittle<uint64_t>(header.batch, out + 16);
  StoreLittle<uint64_t>(header.index, out + 24);
  StoreLittle<uint64_t>(header.term, out + 32);
  StoreLittle<uint32_t>(header.group.value(), out + 40);
  StoreLittle<uint32_t>(header.payload_bytes, out + 44);
  StoreLittle<uint32_t>(header.payload_crc, out + 48);
  StoreLittle<uint32_t>(static_cast<uint32_t>(header.offset / kFrameAlignment),
                        out + 52);
  StoreLittle<uint32_t>(
      Crc32c(absl::string_view(out + 4, kFrameHeaderBytes - 4)), out);
}

std::optional<FrameHeader> DecodeFrameHeader(absl::string_view bytes) {
  CHECK(bytes.size() >= kFrameHeaderBytes);
  const char* in = bytes.data();
  if (static_cast<uint8_t>(in[4]) != kFrameMagic ||
      LoadLittle<uint32_t>(in) !=
          Crc32c(bytes.substr(4, kFrameHeaderBytes - 4)))
    return std::nullopt;
  FrameHeader header;
  const uint8_t kind = static_cast<uint8_t>(in[5]);
  if (kind < static_cast<uint8_t>(FrameKind::kEntry) ||
      kind > static_cast<uint8_t>(FrameKind::kMark))
    return std::nullopt;
  header.kind = static_cast<FrameKind>(kind);
  header.last_of_batch = in[6] & kFlagLastOfBatch;
  header.recovering = in[6] & kFlagRecovering;
  header.entry_type = static_cast<uint8_t>(in[7]);
  header.segment = LoadLittle<uint64_t>(in + 8);
  header.batch = LoadLittle<uint64_t>(in + 16);
  header.index = LoadLittle<uint64_t>(in + 24);
  header.term = LoadLittle<uint64_t>(in + 32);
  header.group = GroupId(LoadLittle<uint32_t>(in + 40));
  header.payload_bytes = LoadLittle<uint32_t>(in + 44);
  header.payload_crc = LoadLittle<uint32_t>(in + 48);
  header.offset = uint64_t{LoadLittle<uint32_t>(in + 52)} * kFrameAlignment;
  if (header.payload_bytes > kFramePayloadBytesMax) return std::nullopt;
  return header;
}

FrameHeader EntryFrame(const LogEntry& entry) {
  FrameHeader header;
  header.kind = FrameKind::kEntry;
  header.entry_type = entry.type;
  header.group = entry.group;
  header.index = entry.index;
  header.term = entry.term;
  header.payload_crc = entry.payload_crc;
  return header;
}

FrameHeader HardStateFrame(const LogHardState& state) {
  FrameHeader header;
  header.kind = FrameKind::kHardState;
  header.recovering = state.recovering;
  header.group = state.group;
  header.index = state.vote.value();
  header.term = state.term;
  return header;
}

FrameHeader CutFrame(const LogCut& cut) {
  FrameHeader header;
  header.kind = FrameKind::kCut;
  header.group = cut.group;
  header.index = cut.last;
  return header;
}

LogHardState HardStateOf(const FrameHeader& header) {
  return {.group = header.group,
          .term = header.term,
          .vote = NodeId(static_cast<uint32_t>(header.index)),
          .recovering = header.recovering};
}

uint64_t SegmentStartBytes(size_t groups) {
  return kStartFixedBytes + groups * kStartGroupBytes;
}

std::string EncodeSegmentStart(const SegmentStart& start) {
  std::string bytes(SegmentStartBytes(start.groups.size()), '\0');
  char* out = bytes.data();
  StoreLittle<uint32_t>(kLogFormat, out);
  StoreLittle<uint32_t>(start.repair ? kStartFlagRepair : 0, out + 4);
  StoreLittle<uint64_t>(start.previous_segment, out + 8);
  StoreLittle<uint64_t>(start.previous_end, out + 16);
  StoreLittle<uint64_t>(start.oldest_segment, out + 24);
  StoreLittle<uint64_t>(start.file_bytes, out + 32);
  StoreLittle<uint64_t>(start.groups.size(), out + 40);
  out += kStartFixedBytes;
  for (const SegmentStart::Group& group : start.groups) {
    StoreLittle<uint32_t>(group.hard_state.group.value(), out);
    StoreLittle<uint32_t>(group.hard_state.vote.value(), out + 4);
    StoreLittle<uint64_t>(group.hard_state.term, out + 8);
    StoreLittle<uint64_t>(group.trim, out + 16);
    StoreLittle<uint64_t>(group.hard_state.recovering ? 1 : 0, out + 24);
    out += kStartGroupBytes;
  }
  return bytes;
}

absl::StatusOr<SegmentStart> DecodeSegmentStart(absl::string_view bytes) {
  if (bytes.size() < kStartFixedBytes)
    return absl::DataLossError("the segment's start frame is too short");
  const char* in = bytes.data();
  if (const uint32_t format = LoadLittle<uint32_t>(in); format != kLogFormat)
    return absl::FailedPreconditionError(absl::StrCat(
        "the segment has log format ", format, "; this program knows format ",
        kLogFormat, " (it was written by a newer version)"));
  SegmentStart start;
  start.repair = LoadLittle<uint32_t>(in + 4) & kStartFlagRepair;
  start.previous_segment = LoadLittle<uint64_t>(in + 8);
  start.previous_end = LoadLittle<uint64_t>(in + 16);
  start.oldest_segment = LoadLittle<uint64_t>(in + 24);
  start.file_bytes = LoadLittle<uint64_t>(in + 32);
  const uint64_t groups = LoadLittle<uint64_t>(in + 40);
  if (groups != (bytes.size() - kStartFixedBytes) / kStartGroupBytes ||
      bytes.size() != SegmentStartBytes(groups))
    return absl::DataLossError("the segment's start frame is malformed");
  for (uint64_t i = 0; i < groups; ++i) {
    in = bytes.data() + SegmentStartBytes(i);
    SegmentStart::Group& group = start.groups.emplace_back();
    group.hard_state.group = GroupId(LoadLittle<uint32_t>(in));
    group.hard_state.vote = NodeId(LoadLittle<uint32_t>(in + 4));
    group.hard_state.term = LoadLittle<uint64_t>(in + 8);
    group.trim = LoadLittle<uint64_t>(in + 16);
    group.hard_state.recovering = LoadLittle<uint64_t>(in + 24) & 1;
  }
  return start;
}

BatchEncoder::BatchEncoder(uint64_t segment, uint64_t batch, uint64_t offset)
    : segment_(segment), batch_(batch), begin_(offset), end_(offset) {}

const FrameHeader& BatchEncoder::Add(FrameHeader header,
                                     absl::string_view payload) {
  CHECK(payload.size() <= kFramePayloadBytesMax,
        absl::StrCat("payload is ", payload.size(), " bytes; the limit is ",
                     kFramePayloadBytesMax));
  header.segment = segment_;
  header.batch = batch_;
  header.offset = end_;
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  end_ = header.end();
  headers_.push_back(header);
  payloads_.push_back(payload);
  return headers_.back();
}

// Our own buffer holds the headers, the padding and the short payloads; only
// a long payload ends a piece of it and is one by itself.
const std::vector<absl::string_view>& BatchEncoder::Finish() {
  CHECK(!headers_.empty());
  headers_.back().last_of_batch = true;
  bytes_ = RoundUp(end_ - begin_, kBatchAlignment);
  uint64_t referred_bytes = 0;
  for (absl::string_view payload : payloads_)
    if (payload.size() > kCopiedPayloadBytesMax)
      referred_bytes += payload.size();
  buffer_.assign(bytes_ - referred_bytes, '\0');

  char* piece = buffer_.data();
  char* out = piece;
  for (size_t i = 0; i < headers_.size(); ++i) {
    EncodeFrameHeader(headers_[i], out);
    out += kFrameHeaderBytes;
    const absl::string_view payload = payloads_[i];
    if (payload.size() > kCopiedPayloadBytesMax) {
      pieces_.emplace_back(piece, out - piece);
      pieces_.push_back(payload);
      piece = out;
    } else {
      out = std::copy(payload.begin(), payload.end(), out);
    }
    out += FrameBytes(payload.size()) - kFrameHeaderBytes - payload.size();
  }
  const char* const buffer_end = buffer_.data() + buffer_.size();
  if (piece != buffer_end) pieces_.emplace_back(piece, buffer_end - piece);
  return pieces_;
}

}  // namespace trireme
