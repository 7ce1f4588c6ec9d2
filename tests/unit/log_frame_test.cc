#include "storage/log_frame.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/crc32c.h"

namespace trireme {
namespace {

FrameHeader SomeHeader() {
  FrameHeader header;
  header.kind = FrameKind::kEntry;
  header.last_of_batch = true;
  header.entry_type = 0x0a;
  header.segment = 0x1112131415161718;
  header.batch = 0x2122232425262728;
  header.index = 0x3132333435363738;
  header.term = 0x4142434445464748;
  header.group = GroupId(0x51525354);
  header.payload_bytes = 0x00616263;
  header.payload_crc = 0x71727374;
  header.offset = 0x1000;
  return header;
}

std::string Encoded(const FrameHeader& header) {
  std::string bytes(kFrameHeaderBytes, '\0');
  EncodeFrameHeader(header, bytes.data());
  return bytes;
}

TEST(FrameHeaderTest, IsLaidOutAsTheFormatPageSays) {
  const std::string bytes = Encoded(SomeHeader());
  const std::string fields(
      "\x54\x01\x01\x0a"
      "\x18\x17\x16\x15\x14\x13\x12\x11"
      "\x28\x27\x26\x25\x24\x23\x22\x21"
      "\x38\x37\x36\x35\x34\x33\x32\x31"
      "\x48\x47\x46\x45\x44\x43\x42\x41"
      "\x54\x53\x52\x51"
      "\x63\x62\x61\x00"
      "\x74\x73\x72\x71"
      "\x00\x02\x00\x00",
      52);
  EXPECT_EQ(bytes.substr(4), fields);
  const uint32_t crc = Crc32c(fields);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(static_cast<uint8_t>(bytes[i]), (crc >> (8 * i)) & 0xff);
}

TEST(FrameHeaderTest, RoundTrips) {
  const FrameHeader header = SomeHeader();
  const auto decoded = DecodeFrameHeader(Encoded(header));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->kind, header.kind);
  EXPECT_TRUE(decoded->last_of_batch);
  EXPECT_FALSE(decoded->recovering);
  EXPECT_EQ(decoded->entry_type, header.entry_type);
  EXPECT_EQ(decoded->segment, header.segment);
  EXPECT_EQ(decoded->batch, header.batch);
  EXPECT_EQ(decoded->index, header.index);
  EXPECT_EQ(decoded->term, header.term);
  EXPECT_EQ(decoded->group, header.group);
  EXPECT_EQ(decoded->payload_bytes, header.payload_bytes);
  EXPECT_EQ(decoded->payload_crc, header.payload_crc);
  EXPECT_EQ(decoded->offset, header.offset);
}

TEST(FrameHeaderTest, EveryFlippedBitIsNoticed) {
  const std::string good = Encoded(SomeHeader());
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_FALSE(DecodeFrameHeader(bad).has_value()) << "bit " << bit;
  }
}

TEST(FrameHeaderTest, ZerosAreNoFrame) {
  EXPECT_FALSE(DecodeFrameHeader(std::string(kFrameHeaderBytes, '\0')));
}

TEST(FrameHeaderTest, HardStatesKeepTheirFields) {
  LogHardState state;
  state.group = GroupId(7);
  state.term = 9;
  state.vote = NodeId(65535);
  state.recovering = true;
  const auto header = DecodeFrameHeader(Encoded(HardStateFrame(state)));
  ASSERT_TRUE(header.has_value());
  const LogHardState decoded = HardStateOf(*header);
  EXPECT_EQ(decoded.group, state.group);
  EXPECT_EQ(decoded.term, state.term);
  EXPECT_EQ(decoded.vote, state.vote);
  EXPECT_TRUE(decoded.recovering);
}

SegmentStart SomeStart() {
  SegmentStart start;
  start.repair = true;
  start.previous_segment = 4;
  start.previous_end = 8192;
  start.oldest_segment = 3;
  start.file_bytes = 65536;
  for (uint32_t id = 0; id < 3; ++id) {
    SegmentStart::Group& group = start.groups.emplace_back();
    group.hard_state.group = GroupId(id);
    group.hard_state.term = 10 + id;
    group.hard_state.vote = NodeId(id);
    group.hard_state.recovering = id == 1;
    group.trim = 100 * id;
  }
  return start;
}

TEST(SegmentStartTest, RoundTrips) {
  const auto decoded = DecodeSegmentStart(EncodeSegmentStart(SomeStart()));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(decoded->repair);
  EXPECT_EQ(decoded->previous_segment, 4u);
  EXPECT_EQ(decoded->previous_end, 8192u);
  EXPECT_EQ(decoded->oldest_segment, 3u);
  EXPECT_EQ(decoded->file_bytes, 65536u);
  ASSERT_EQ(decoded->groups.size(), 3u);
  for (uint32_t id = 0; id < 3; ++id) {
    const SegmentStart::Group& group = decoded->groups[id];
    EXPECT_EQ(group.hard_state.group, GroupId(id));
    EXPECT_EQ(group.hard_state.term, 10 + id);
    EXPECT_EQ(group.hard_state.vote, NodeId(id));
    EXPECT_EQ(group.hard_state.recovering, id == 1);
    EXPECT_EQ(group.trim, 100 * id);
  }
}

TEST(SegmentStartTest, WrongLengthIsDataLoss) {
  const std::string bytes = EncodeSegmentStart(SomeStart());
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_TRUE(absl::IsDataLoss(
        DecodeSegmentStart(absl::string_view(bytes).substr(0, size)).status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeSegmentStart(bytes + "x").status()));
}

TEST(SegmentStartTest, ANewerFormatIsRefusedNotTakenForDamage) {
  std::string bytes = EncodeSegmentStart(SomeStart());
  bytes[0] = 2;
  const absl::Status status = DecodeSegmentStart(bytes).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

TEST(BatchEncoderTest, FillsWholePagesAndFlagsTheLastFrame) {
  const std::string payload = "eleven byte";
  BatchEncoder encoder(3, 5, 8192);
  encoder.Add({.kind = FrameKind::kMark});
  const uint64_t offset =
      encoder.Add({.kind = FrameKind::kEntry}, payload).offset;
  EXPECT_EQ(offset, 8192 + 56u);
  encoder.Add({.kind = FrameKind::kMark});
  std::string bytes;
  for (absl::string_view piece : encoder.Finish())
    bytes.append(piece.data(), piece.size());

  EXPECT_EQ(bytes.size(), kBatchAlignment);
  EXPECT_EQ(encoder.bytes(), bytes.size());
  EXPECT_EQ(bytes.substr(2 * 56, payload.size()), payload);
  const auto first = DecodeFrameHeader(bytes);
  const auto last = DecodeFrameHeader(
      absl::string_view(bytes).substr(56 + FrameBytes(payload.size())));
  ASSERT_TRUE(first && last);
  EXPECT_FALSE(first->last_of_batch);
  EXPECT_TRUE(last->last_of_batch);
  EXPECT_EQ(last->segment, 3u);
  EXPECT_EQ(last->batch, 5u);
}

TEST(BatchEncoderTest, RefersToLongPayloadsWithoutCopyingThem) {
  const std::string payload(5000, 'x');
  BatchEncoder encoder(1, 1, 0);
  encoder.Add({.kind = FrameKind::kEntry}, payload);
  bool found = false;
  for (absl::string_view piece : encoder.Finish())
    found |= piece.data() == payload.data() && piece.size() == payload.size();
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace trireme
