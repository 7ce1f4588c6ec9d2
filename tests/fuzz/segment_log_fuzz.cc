// Opens a log whose files the input has made up: frames with right checksums
// and senseless fields, raw bytes, bytes changed afterwards. Whatever is
// found, the log must not crash, must serve only bytes whose checksum fits,
// must take a write, and must then be whole.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_format.h"
#include "storage/check.h"
#include "storage/crc32c.h"
#include "storage/segment_log.h"
#include "tests/fuzz/input.h"
#include "tests/sim/fault_disk.h"

namespace trireme {
namespace {

constexpr char kDirectory[] = "log";
constexpr uint64_t kSegmentBytes = 2 * kBatchAlignment;

SegmentStart MakeStart(Input& input, uint64_t segment) {
  SegmentStart start;
  start.repair = input.Byte() % 4 == 0;
  start.previous_segment = input.Byte() % 2 ? segment - 1 : input.Number();
  start.previous_end = kBatchAlignment * input.Below(3);
  start.oldest_segment = input.Byte() % 2 ? 1 : input.Number();
  start.file_bytes = input.Byte() % 8 ? kSegmentBytes : input.Number();
  for (uint64_t groups = input.Below(3); groups > 0; --groups) {
    SegmentStart::Group& group = start.groups.emplace_back();
    group.hard_state.group = GroupId(static_cast<uint32_t>(input.Below(3)));
    group.hard_state.term = input.Number();
    group.trim = input.Number();
  }
  return start;
}

// One batch of frames with valid checksums.
std::string MakeBatch(Input& input, uint64_t segment, uint64_t batch,
                      uint64_t offset) {
  BatchEncoder encoder(segment, batch, offset);
  const std::string start = EncodeSegmentStart(MakeStart(input, segment));
  const std::string payload(input.Below(40), 'p');
  if (offset == 0)
    encoder.Add(
        {.kind = FrameKind::kSegmentStart, .payload_crc = Crc32c(start)},
        start);
  for (uint64_t frames = 1 + input.Below(6); frames > 0; --frames) {
    FrameHeader header;
    header.kind = static_cast<FrameKind>(1 + input.Below(5));
    header.group = GroupId(static_cast<uint32_t>(input.Below(3)));
    header.index = input.Number();
    header.term = input.Number();
    header.payload_crc = input.Byte() % 16 ? Crc32c(payload) : 0;
    encoder.Add(header, payload);
  }
  std::string bytes;
  for (absl::string_view piece : encoder.Finish())
    bytes.append(piece.data(), piece.size());
  return bytes;
}

void MakeFile(Input& input, uint64_t segment, uint64_t* batch,
              sim::FaultDisk& disk) {
  const std::string path =
      absl::StrFormat("%s/segment-%020d.log", kDirectory, segment);
  CHECK(disk.CreateFile(path, kSegmentBytes).ok());
  for (uint64_t offset = 0; offset < kSegmentBytes && input.Byte() % 8 != 0;) {
    const std::string bytes = MakeBatch(input, segment, (*batch)++, offset);
    if (input.Byte() % 16 == 0) *batch = input.Number() % (1u << 30);
    disk.Overwrite(path, offset, bytes.substr(0, kSegmentBytes - offset));
    offset += bytes.size();
  }
  while (input.Byte() % 4 == 0 && !input.empty())
    disk.FlipBit(path, input.Below(kSegmentBytes),
                 static_cast<int>(input.Below(8)));
  if (input.Byte() % 16 == 0) disk.Truncate(path, input.Below(kSegmentBytes));
}

std::unique_ptr<SegmentLog> Open(sim::FaultDisk& disk, Replay* replay) {
  SegmentLogOptions options;
  options.segment_bytes = kSegmentBytes;
  auto log = SegmentLog::Open(&disk, kDirectory, options, replay);
  CHECK(log.ok(), log.status().ToString());
  for (const auto& [id, group] : replay->groups) {
    for (size_t i = 0; i < group.entries.size(); ++i) {
      const auto& entry = group.entries[i];
      CHECK(entry.index == group.entries[0].index + i);
      const auto payload = (*log)->Read(id, entry.index);
      CHECK(payload.ok(), payload.status().ToString());
      CHECK(Crc32c(**payload) == entry.payload_crc);
    }
  }
  return *std::move(log);
}

void Run(Input input) {
  std::mt19937_64 random(1);
  sim::FaultDisk disk(&random);
  uint64_t batch = 1;
  const uint64_t files = 1 + input.Below(4);
  for (uint64_t segment = 1; segment <= files; ++segment)
    if (input.Byte() % 16 != 0) MakeFile(input, segment, &batch, disk);

  Replay found;
  std::unique_ptr<SegmentLog> log = Open(disk, &found);
  LogBatch write;
  LogHardState& state = write.hard_states.emplace_back();
  state.group = GroupId(7);
  state.term = 77;
  CHECK(log->Write(write).ok());
  log->Publish(write);
  log.reset();
  disk.Crash();

  Replay again;
  log = Open(disk, &again);
  CHECK(again.damage.ok(), again.damage.ToString());
  CHECK(again.groups[GroupId(7)].hard_state.term == 77);
  for (const auto& [id, group] : found.groups)
    CHECK(again.groups[id].entries.size() == group.entries.size());
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Run(trireme::Input(data, size));
  return 0;
}
