#include "absl/strings/cord.h"
#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/limits.h"

namespace trireme {
namespace {

// Room for what comes with each record: names, number, time, punctuation.
constexpr size_t kMembersBytes = 200;

// An answer's bytes, and its place among the reads of the node until they are
// sent.
struct HeldAnswer {
  std::string bytes;
  Ticket ticket;
};

absl::Cord HoldUntilSent(std::string bytes, Ticket ticket) {
  auto held = std::make_unique<HeldAnswer>();
  held->bytes = std::move(bytes);
  held->ticket = std::move(ticket);
  const absl::string_view view = held->bytes;
  return absl::MakeCordFromExternal(view, [held = std::move(held)] {});
}

void Reply(KinesisCall& call, GetRecordsResponse found) {
  const size_t data = found.records.bytes;
  MessageWriter writer(
      call.aws().format(),
      (call.aws().format() == MessageFormat::kJson ? data / 3 * 4 : data) +
          (found.records.record_count + 1) * kMembersBytes);
  writer.BeginMap();
  WriteRecords(found.records, found.encrypted, &writer);
  if (!found.next_shard_iterator.empty()) {
    writer.Key("NextShardIterator").String(found.next_shard_iterator);
  }
  writer.Key("MillisBehindLatest").Integer(found.millis_behind_latest);
  WriteChildShards(found.child_shards, &writer);
  writer.EndMap();
  call.aws().Respond(HoldUntilSent(writer.Take(), std::move(found.ticket)));
}

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().GetRecords(
      {in.String("ShardIterator"), in.Integer("Limit").value_or(0),
       in.String("StreamARN"), in.String("StreamId"), in.Boolean("DryRun")},
      kKinesisCallTimeout, [call](absl::StatusOr<GetRecordsResponse> found) {
        if (!found.ok()) return call->Fail(found.status());
        // A reading thread encodes it: there are several, and the answer may
        // have megabytes.
        Reply(*call, *std::move(found));
      });
}

}  // namespace

KinesisOperation GetRecordsOperation() {
  return {"GetRecords",
          Structure({{"Limit", ListLimitShape()},
                     {"ShardIterator", String().Required().Length(
                                           1, kShardIteratorCharactersMax)},
                     {"StreamARN", ArnShape()},
                     {"StreamId", StreamIdShape()},
                     {"DryRun", Boolean()}}),
          Run};
}

}  // namespace trireme
