// An envelope of a peer that sends anything at all. It must be refused or
// taken, never crash; what was taken must say the same when it is sent on, and
// its proposals must be such that every replica can apply them.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "replication/wire.h"
#include "storage/check.h"
#include "storage/crc32c.h"
#include "storage/entry_payload.h"
#include "storage/record.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/input_message.h"

namespace trireme {
namespace {

void MakeRecords(Input& input, v1::PutBatch* put) {
  std::string batch;
  const uint64_t records = input.Below(4);
  for (uint64_t i = 0; i < records; ++i) {
    AppendRecord({"key", input.Bytes(input.Byte() % 16)}, &batch);
  }
  put->set_record_count(static_cast<uint32_t>(records));
  put->set_batch(std::move(batch));
}

// Much of what only a peer of ours gets right, so that the rest is looked at.
void MakeBelievable(Input& input, v1::Envelope* wire) {
  for (v1::GroupMessage& message : *wire->mutable_messages()) {
    if (input.Mostly(8)) message.set_from(wire->from());
    if (input.Mostly(8)) {
      message.set_type(static_cast<uint32_t>(1 + input.Below(11)));
    }
    for (v1::LogEntry& entry : *message.mutable_entries()) {
      if (input.Mostly(8)) entry.set_payload_crc(Crc32c(entry.payload()));
    }
  }
  for (v1::ForwardedProposal& proposal : *wire->mutable_proposals()) {
    if (input.Mostly(4)) {
      if (proposal.puts().empty() && proposal.command().empty()) {
        proposal.add_puts();
      }
      if (!proposal.puts().empty()) proposal.clear_command();
    }
    for (v1::PutBatch& put : *proposal.mutable_puts()) {
      if (input.Mostly(8)) MakeRecords(input, &put);
    }
  }
}

void CheckApplicable(const ForwardedProposal& proposal) {
  if (proposal.body->puts.empty()) return;
  std::vector<ShardBatch> pieces;
  for (const PutBatch& put : proposal.body->puts) {
    pieces.push_back({put.shard, put.record_count, put.batch});
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const ShardBatch& a, const ShardBatch& b) {
                     return a.shard < b.shard;
                   });
  const std::string payload = EncodeRecordsPayload(0, pieces);
  const absl::StatusOr<DecodedPayload> decoded = DecodePayload(payload);
  CHECK(decoded.ok(), decoded.status().ToString());
}

void Run(Input input) {
  v1::Envelope wire;
  std::string bytes;
  if (input.Mostly(8)) {
    TakeMessage(input, &wire);
    MakeBelievable(input, &wire);
    bytes = wire.SerializeAsString();
  } else {
    bytes = input.Rest();
  }
  if (!wire.ParseFromString(bytes)) return;
  const absl::StatusOr<Envelope> taken = DecodeEnvelope(wire);
  if (!taken.ok()) {
    CHECK(absl::IsInvalidArgument(taken.status()), taken.status().ToString());
    return;
  }
  for (const ForwardedProposal& proposal : taken->proposals) {
    CheckApplicable(proposal);
  }
  v1::Envelope sent_on = EncodeEnvelope(*taken);
  bytes = sent_on.SerializeAsString();
  const absl::StatusOr<Envelope> again = DecodeEnvelope(sent_on);
  CHECK(again.ok(), again.status().ToString());
  CHECK(EncodeEnvelope(*again).SerializeAsString() == bytes);
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Run(trireme::Input(data, size));
  return 0;
}
