// Chunks of a peer that gives us its state, with whatever in them. A chunk is
// refused or taken; what was taken is as its checksums say, and what is made of
// it is a state that can be given on.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/block.h"
#include "storage/catalog_tables.h"
#include "storage/check.h"
#include "storage/claims.h"
#include "storage/crc32c.h"
#include "storage/fixed_ints.h"
#include "storage/record.h"
#include "storage/shard_table.h"
#include "storage/state_transfer.h"
#include "tests/fuzz/input.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

constexpr uint32_t kGroups = 3;

void AppendSized(absl::string_view bytes, std::string* out) {
  AppendLittle(static_cast<uint32_t>(bytes.size()), out);
  out->append(bytes.data(), bytes.size());
}

ShardKey AppendShard(Input& input, std::string* out) {
  const ShardKey shard = {StreamId(static_cast<uint32_t>(input.Number())),
                          ShardIndex(static_cast<uint32_t>(input.Number()))};
  AppendLittle(shard.stream.value(), out);
  AppendLittle(shard.shard.value(), out);
  return shard;
}

std::string ShardRow(Input& input) {
  ShardRecord record;
  record.created_s = input.Number();
  record.next = input.Number();
  record.last_arrival_ms = static_cast<int64_t>(input.Number());
  if (!input.Mostly(4)) record.end = input.Number();
  record.dropped = !input.Mostly(4);
  record.retention_hours = static_cast<uint32_t>(input.Number());
  record.opened = input.Mostly(4);
  return EncodeShardRecord(record);
}

std::string StreamRow(Input& input) {
  Stream stream;
  stream.id = StreamId(static_cast<uint32_t>(input.Number()));
  stream.name = std::string(1, static_cast<char>('a' + input.Below(3)));
  stream.status = static_cast<StreamStatus>(1 + input.Below(4));
  stream.created = absl::FromUnixMillis(static_cast<int64_t>(input.Number()));
  stream.retention_hours = static_cast<uint32_t>(input.Number());
  const uint64_t shards = 1 + input.Below(2);
  for (uint64_t i = 0; i < shards; ++i) {
    Shard& shard = stream.shards.emplace_back();
    shard.index = ShardIndex(static_cast<uint32_t>(i));
    shard.group = GroupId(static_cast<uint32_t>(input.Number()));
    shard.range = {
        i == 0 ? 0 : absl::Uint128Max() / 2 + 1,
        i + 1 == shards ? absl::Uint128Max() : absl::Uint128Max() / 2};
    if (!input.Mostly(8)) shard.end = input.Number();
  }
  return EncodeStream(stream);
}

std::string ClaimsRow(Input& input) {
  Claims claims;
  for (uint64_t i = input.Below(3); i > 0; --i) {
    const ShardKey shard = {StreamId(static_cast<uint32_t>(input.Number())),
                            ShardIndex(static_cast<uint32_t>(input.Number()))};
    claims[{shard, static_cast<uint32_t>(input.Number())}] = {
        input.Number(), static_cast<int64_t>(input.Number())};
  }
  return EncodeClaims(claims);
}

void AppendBlock(Input& input, GroupId group, std::string* chunk) {
  BlockId id;
  id.group = group;
  id.shard = AppendShard(input, chunk);
  id.first = MakeCounter(input.Number(), 0);
  if (!input.Mostly(16)) id.first = input.Number();
  AppendLittle(id.first, chunk);
  std::string batch;
  uint32_t count = static_cast<uint32_t>(1 + input.Below(3));
  for (uint32_t i = 0; i < count; ++i) AppendRecord({"key", "data"}, &batch);
  if (!input.Mostly(16)) count = static_cast<uint32_t>(input.Number());
  const Key key = BlockKey(id);
  const auto header = MakeBlockHeader(
      key.view(), count, static_cast<int64_t>(input.Number()), batch);
  AppendSized(std::string(header.data(), header.size()) + batch, chunk);
}

// docs/storage-format.md, "Catch-up chunks".
void AppendItem(Input& input, GroupId group, std::string* chunk) {
  const auto item = static_cast<uint8_t>(1 + input.Below(11));
  AppendLittle(item, chunk);
  switch (item) {
    case 1:
      for (int i = 0; i < 3; ++i) AppendLittle(input.Number(), chunk);
      return;
    case 2:
      AppendShard(input, chunk);
      return AppendSized(input.Mostly(8) ? ShardRow(input) : input.Bytes(8),
                         chunk);
    case 3:
      return AppendBlock(input, group, chunk);
    case 4:
      return AppendSized(input.Mostly(8) ? StreamRow(input) : input.Bytes(8),
                         chunk);
    case 5:
      return AppendLittle(static_cast<uint32_t>(input.Number()), chunk);
    case 8:
      return AppendSized(input.Mostly(8) ? ClaimsRow(input) : input.Bytes(8),
                         chunk);
    case 11:
      AppendSized(input.Mostly(2)
                      ? ItemKey({input.Number(), input.Bytes(2)})
                      : std::string(ItemTableKey(input.Number()).view()),
                  chunk);
      return AppendSized(input.Bytes(10), chunk);
    default:
      return;
  }
}

std::string MakeChunk(Input& input, GroupId group) {
  std::string body;
  AppendLittle(static_cast<uint8_t>(input.Mostly(16) ? 1 : input.Byte()),
               &body);
  AppendLittle(
      input.Mostly(16) ? group.value() : static_cast<uint32_t>(input.Number()),
      &body);
  for (uint64_t items = input.Below(8); items > 0; --items) {
    AppendItem(input, group, &body);
  }
  if (!input.Mostly(8)) body.resize(input.Below(body.size() + 1));
  std::string chunk;
  AppendLittle(input.Mostly(16) ? Crc32c(body) : 0u, &chunk);
  return chunk + body;
}

void CheckTaken(const GroupInstall& install, absl::string_view chunk,
                const std::vector<BlockView>& blocks) {
  for (const BlockView& block : blocks) {
    CHECK(block.value.data() >= chunk.data() &&
          block.value.data() + block.value.size() <=
              chunk.data() + chunk.size());
    CHECK(CounterIndex(block.id.first) <= install.position().index);
    CHECK(VerifyBlock(BlockKey(block.id).view(), block.value).ok());
  }
}

// A source gives all of its state, whatever it is, without an error.
void CheckGivesOn(StateMachine& state, GroupId group) {
  const auto source = state.OpenSource(group, "");
  CHECK(source.ok(), source.status().ToString());
  GroupInstall install;
  while (true) {
    const absl::StatusOr<std::string> chunk = (*source)->Next();
    CHECK(chunk.ok(), chunk.status().ToString());
    if (chunk->empty()) break;
    std::vector<BlockView> blocks;
    const absl::Status taken = install.Add(group, *chunk, &blocks);
    CHECK(taken.ok(), taken.ToString());
  }
  CHECK(install.complete());
}

// The chunks of one pull, into a whole state machine.
void RunState(Input& input, GroupId group) {
  Replica replica;
  for (int chunks = 0; chunks < 8 && !input.empty(); ++chunks) {
    const std::string chunk = MakeChunk(input, group);
    const absl::Status taken = replica.state().InstallChunk(group, chunk);
    CHECK(taken.ok() || absl::IsInvalidArgument(taken), taken.ToString());
  }
  AppliedPosition position;
  position.index = input.Number();
  const absl::Status finished = replica.state().FinishInstall(group, position);
  CHECK(finished.ok() || absl::IsFailedPrecondition(finished),
        finished.ToString());
  CheckGivesOn(replica.state(), group);
  replica.Crash();
  CheckGivesOn(replica.state(), group);
}

void RunInstall(Input& input, GroupId group) {
  GroupInstall install;
  while (!input.empty()) {
    const std::string chunk =
        input.Mostly(16) ? MakeChunk(input, group) : input.Rest();
    std::vector<BlockView> blocks;
    const absl::Status taken = install.Add(group, chunk, &blocks);
    CHECK(taken.ok() || absl::IsDataLoss(taken), taken.ToString());
    CheckTaken(install, chunk, blocks);
  }
}

void Run(Input input) {
  const GroupId group(static_cast<uint32_t>(input.Below(kGroups)));
  switch (input.Byte() % 16) {
    case 0:
      return RunState(input, group);
    case 1:
      return DecodeHeld(input.Rest()).IgnoreError();
    default:
      return RunInstall(input, group);
  }
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Run(trireme::Input(data, size));
  return 0;
}
