#include "storage/entry_payload.h"

#include <limits>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/fixed_ints.h"
#include "storage/record.h"
#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr uint8_t kVersion = 1;

void AppendHeader(PayloadKind kind, uint32_t batch_count, int64_t stamp_ms,
                  std::string* out) {
  AppendLittle(static_cast<uint8_t>(kind), out);
  AppendLittle(kVersion, out);
  AppendLittle(uint16_t{0}, out);
  AppendLittle(batch_count, out);
  AppendLittle(stamp_ms, out);
}

absl::Status Malformed(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("malformed entry payload: ", what));
}

// Two batches of one shard would get the same counters.
bool ShardsAreDistinct(const std::vector<ShardBatch>& batches) {
  // Proposers mostly sort, and then one pass of compares is enough.
  bool ascending = true;
  for (size_t i = 1; i < batches.size() && ascending; ++i)
    ascending = batches[i - 1].shard < batches[i].shard;
  if (ascending) return true;
  absl::flat_hash_set<ShardKey> seen;
  seen.reserve(batches.size());
  for (const ShardBatch& batch : batches) {
    if (!seen.insert(batch.shard).second) return false;
  }
  return true;
}

absl::StatusOr<ShardBatch> TakeBatch(ByteCursor* cursor) {
  uint32_t stream = 0;
  uint32_t shard = 0;
  uint32_t bytes = 0;
  ShardBatch batch;
  const bool whole =
      cursor->TakeLittle(&stream) && cursor->TakeLittle(&shard) &&
      cursor->TakeLittle(&batch.record_count) && cursor->TakeLittle(&bytes) &&
      cursor->TakeBytes(bytes, &batch.batch);
  if (!whole) return Malformed("it ends in the middle of a batch");
  if (batch.record_count == 0 || batch.record_count > kEntryPositionsMax ||
      batch.record_count > bytes / kRecordHeaderBytes)
    return Malformed("impossible number of records");
  batch.shard = {StreamId(stream), ShardIndex(shard)};
  return batch;
}

absl::Status TakeStamps(ByteCursor* cursor, v1::EntryStamps* stamps) {
  uint32_t size = 0;
  absl::string_view bytes;
  if (!cursor->TakeLittle(&size) || !cursor->TakeBytes(size, &bytes))
    return Malformed("it ends in the middle of its stamps");
  if (!stamps->ParseFromArray(bytes.data(), static_cast<int>(size)) ||
      stamps->stamps().empty())
    return Malformed("stamps that are none");
  return absl::OkStatus();
}

absl::Status AddStamps(v1::EntryStamps* stamps,
                       std::vector<ShardBatch>* batches) {
  for (v1::BatchStamp& encoded : *stamps->mutable_stamps()) {
    if (encoded.batch() >= batches->size())
      return Malformed("a stamp of a batch that is not there");
    ShardBatch& batch = (*batches)[encoded.batch()];
    const uint64_t end =
        batch.stamped.empty()
            ? 0
            : batch.stamped.back().first +
                  uint64_t{batch.stamped.back().stamp->numbers.size()};
    const auto count = static_cast<uint64_t>(encoded.stamp().numbers_size());
    if (count == 0 || encoded.first() < end ||
        encoded.first() + count > batch.record_count)
      return Malformed("a stamp of records that are not there");
    batch.stamped.push_back(
        {encoded.first(), std::make_shared<const ProducerStamp>(
                              DecodeStamp(encoded.mutable_stamp()))});
  }
  return absl::OkStatus();
}

}  // namespace

std::string EncodeRecordsPayload(int64_t stamp_ms,
                                 std::span<const ShardBatch> pieces) {
  std::vector<ShardBatch> wholes;  // Without bytes: their length is enough.
  std::vector<uint64_t> sizes;
  v1::EntryStamps stamps;
  uint64_t total = kPayloadHeaderBytes;
  for (const ShardBatch& piece : pieces) {
    if (wholes.empty() || wholes.back().shard != piece.shard) {
      wholes.push_back({piece.shard, 0, {}});
      sizes.push_back(0);
      total += kShardBatchHeaderBytes;
    }
    for (const StampedRecords& stamped : piece.stamped) {
      v1::BatchStamp& encoded = *stamps.add_stamps();
      encoded.set_batch(static_cast<uint32_t>(wholes.size()) - 1);
      encoded.set_first(wholes.back().record_count + stamped.first);
      EncodeStamp(*stamped.stamp, encoded.mutable_stamp());
    }
    wholes.back().record_count += piece.record_count;
    sizes.back() += piece.batch.size();
    total += piece.batch.size();
  }
  CHECK(ShardsAreDistinct(wholes), "pieces of a shard stand apart");

  const bool is_stamped = !stamps.stamps().empty();
  const uint32_t stamp_bytes =
      is_stamped ? static_cast<uint32_t>(stamps.ByteSizeLong()) : 0;
  std::string out;
  out.reserve(total + sizeof(stamp_bytes) + stamp_bytes);
  AppendHeader(is_stamped ? PayloadKind::kStamped : PayloadKind::kRecords,
               static_cast<uint32_t>(wholes.size()), stamp_ms, &out);
  if (is_stamped) {
    AppendLittle(stamp_bytes, &out);
    stamps.AppendToString(&out);
  }
  size_t next = 0;  // The piece to write next.
  for (size_t i = 0; i < wholes.size(); ++i) {
    const ShardBatch& whole = wholes[i];
    CHECK(whole.record_count >= 1 && whole.record_count <= kEntryPositionsMax,
          "records of a shard in one entry");
    CHECK(sizes[i] <= std::numeric_limits<uint32_t>::max(), "batch too long");
    AppendLittle(whole.shard.stream.value(), &out);
    AppendLittle(whole.shard.shard.value(), &out);
    AppendLittle(whole.record_count, &out);
    AppendLittle(static_cast<uint32_t>(sizes[i]), &out);
    for (; next < pieces.size() && pieces[next].shard == whole.shard; ++next)
      out.append(pieces[next].batch.data(), pieces[next].batch.size());
  }
  return out;
}

std::string EncodeCommandPayload(int64_t stamp_ms, absl::string_view command) {
  std::string out;
  out.reserve(kPayloadHeaderBytes + command.size());
  AppendHeader(PayloadKind::kCommand, 0, stamp_ms, &out);
  out.append(command.data(), command.size());
  return out;
}

absl::StatusOr<DecodedPayload> DecodePayload(absl::string_view payload) {
  ByteCursor cursor(payload);
  uint8_t kind = 0;
  uint8_t version = 0;
  uint16_t zero = 0;
  uint32_t batch_count = 0;
  DecodedPayload decoded;
  const bool whole = cursor.TakeLittle(&kind) && cursor.TakeLittle(&version) &&
                     cursor.TakeLittle(&zero) &&
                     cursor.TakeLittle(&batch_count) &&
                     cursor.TakeLittle(&decoded.stamp_ms);
  if (!whole) return Malformed("shorter than its header");
  if (version != kVersion || zero != 0)
    return Malformed(absl::StrCat("unknown version ", version));
  decoded.kind = static_cast<PayloadKind>(kind);
  if (decoded.kind == PayloadKind::kCommand) {
    if (batch_count != 0) return Malformed("a command with batches");
    decoded.command = cursor.rest();
    return decoded;
  }
  v1::EntryStamps stamps;
  if (decoded.kind == PayloadKind::kStamped) {
    RETURN_IF_ERROR(TakeStamps(&cursor, &stamps));
    decoded.kind = PayloadKind::kRecords;
  }
  if (decoded.kind != PayloadKind::kRecords)
    return Malformed(absl::StrCat("unknown kind ", kind));
  // Bounds the reservation by what the bytes can hold.
  if (batch_count > cursor.rest().size() / kShardBatchHeaderBytes)
    return Malformed("more batches than bytes for them");
  decoded.batches.reserve(batch_count);
  for (uint32_t i = 0; i < batch_count; ++i) {
    ASSIGN_OR_RETURN(ShardBatch batch, TakeBatch(&cursor));
    decoded.batches.push_back(std::move(batch));
  }
  RETURN_IF_ERROR(AddStamps(&stamps, &decoded.batches));
  if (!cursor.empty()) return Malformed("bytes after the last batch");
  if (!ShardsAreDistinct(decoded.batches)) return Malformed("a shard twice");
  return decoded;
}

}  // namespace trireme
