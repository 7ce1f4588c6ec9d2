#include "storage/block.h"

#include "absl/strings/str_cat.h"
#include "storage/crc32c.h"
#include "storage/fixed_ints.h"
#include "storage/record.h"

namespace trireme {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kCrcBytes = 4;

absl::Status Damaged(const BlockId& id, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("damaged block: ", what, " (group ", id.group.value(),
                   ", stream ", id.shard.stream.value(), ", shard ",
                   id.shard.shard.value(), ", counter ", id.first, ")"));
}

}  // namespace

std::array<char, kBlockHeaderBytes> MakeBlockHeader(absl::string_view key,
                                                    uint32_t record_count,
                                                    int64_t arrival_ms,
                                                    absl::string_view batch) {
  std::array<char, kBlockHeaderBytes> header = {};
  header[kCrcBytes] = static_cast<char>(kVersion);
  StoreLittle(record_count, header.data() + 8);
  StoreLittle(arrival_ms, header.data() + 12);
  const absl::string_view rest(header.data() + kCrcBytes,
                               header.size() - kCrcBytes);
  StoreLittle(Crc32c(batch, Crc32c(rest, Crc32c(key))), header.data());
  return header;
}

absl::StatusOr<BlockView> VerifyBlock(absl::string_view key,
                                      absl::string_view value) {
  const std::optional<BlockId> id = DecodeBlockKey(key);
  if (!id) return absl::DataLossError("damaged block: not a key of one");
  if (value.size() < kBlockHeaderBytes)
    return Damaged(*id, "shorter than its header");
  if (Crc32c(value.substr(kCrcBytes), Crc32c(key)) !=
      LoadLittle<uint32_t>(value.data()))
    return Damaged(*id, "checksum differs");
  BlockView block;
  block.id = *id;
  block.record_count = LoadLittle<uint32_t>(value.data() + 8);
  block.arrival_ms = LoadLittle<int64_t>(value.data() + 12);
  block.batch = value.substr(kBlockHeaderBytes);
  block.value = value;
  // From here on the bytes are what somebody wrote, though perhaps a later
  // version of us, or a peer with other ideas.
  if (static_cast<uint8_t>(value[kCrcBytes]) != kVersion)
    return Damaged(*id, "unknown version");
  if (block.record_count == 0 || block.record_count > kEntryPositionsMax ||
      block.record_count > block.batch.size() / kRecordHeaderBytes ||
      CounterPosition(id->first) != 0 || block.arrival_ms < 0)
    return Damaged(*id, "impossible header");
  return block;
}

}  // namespace trireme
