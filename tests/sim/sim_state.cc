#include "tests/sim/sim_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/check.h"
#include "storage/entry_payload.h"
#include "storage/errors.h"

namespace trireme::sim {
namespace {

constexpr size_t kItemsPerChunk = 8;

void ApplyCommand(absl::string_view command, uint32_t* sealed,
                  ApplyResult* result) {
  const std::vector<std::string> words = absl::StrSplit(command, ' ');
  uint32_t shard = 0;
  CHECK(words.size() == 3 && absl::SimpleAtoi(words[2], &shard));
  const uint32_t bit = 1u << (shard % 32);
  result->reply = absl::StrCat("did ", words[0]);
  if (words[1] == "seal") {
    if ((*sealed & bit) != 0) {
      result->status =
          MakeError(ErrorReason::kResourceInUse, "the shard is sealed already");
    }
    *sealed |= bit;
  } else if (words[1] == "open") {
    *sealed &= ~bit;
  }
}

}  // namespace

std::string SimCommand(RecordId id, absl::string_view verb, ShardIndex shard) {
  return absl::StrCat(id, " ", verb, " ", shard.value());
}

SimState::Item SimState::Follow(const Item* before, GroupId group,
                                const CommittedEntry& entry,
                                ApplyResult* result) const {
  Item item;
  if (before != nullptr) item = *before;
  item.term = entry.term;
  item.payload = entry.has_payload ? entry.payload : nullptr;
  if (item.payload == nullptr) return item;
  const absl::StatusOr<DecodedPayload> decoded = DecodePayload(*item.payload);
  CHECK(decoded.ok(), decoded.status().ToString());
  // As it is, so that a stamp that falls is seen.
  item.stamp_ms = decoded->stamp_ms;
  if (decoded->kind == PayloadKind::kCommand) {
    FollowCommand(decoded->command, {group, entry.index, item.stamp_ms}, &item,
                  result);
    return item;
  }
  result->stamp_ms = item.stamp_ms;
  for (const ShardBatch& batch : decoded->batches) {
    const absl::Status admitted = Admit(item, batch.shard);
    if (admitted.ok() && !batch.stamped.empty()) {
      result->batches.push_back(FollowStamped(batch, entry.index, &item));
    } else {
      result->batches.push_back({admitted, batch});
    }
  }
  return item;
}

AppliedBatch SimState::FollowStamped(const ShardBatch& batch, LogIndex index,
                                     Item* item) const {
  auto tables = item->tables == nullptr
                    ? std::make_shared<SimTables>()
                    : std::make_shared<SimTables>(*item->tables);
  const auto shard = tables->shards.find(batch.shard);
  Producers::Decision decision = tables->producers.Decide(
      batch, {index, item->stamp_ms,
              shard == tables->shards.end() ? 0 : shard->second.created_s});
  tables->AddProducers(std::move(decision.rows));
  if (shard != tables->shards.end() && decision.batch.written.record_count > 0)
    shard->second.next =
        MakeCounter(index, decision.batch.written.record_count);
  if (product_commands_) item->sealed = tables->Sum();
  item->tables = std::move(tables);
  return std::move(decision.batch);
}

std::vector<ProducerRow> SimState::ProducersOf(GroupId group,
                                               ShardKey shard) const {
  std::vector<ProducerRow> rows;
  for (const auto& [place, row] : TablesOf(group).rows) {
    if (place.first == shard) rows.push_back(row);
  }
  return rows;
}

void SimState::FollowCommand(absl::string_view command,
                             const SimEntryPlace& place, Item* item,
                             ApplyResult* result) const {
  if (!product_commands_) return ApplyCommand(command, &item->sealed, result);
  const SimTables none;
  const SimTables& before = item->tables == nullptr ? none : *item->tables;
  item->tables = ApplyToTables(
      before, place, static_cast<uint32_t>(groups_.size()), command, result);
  item->sealed = item->tables->Sum();
}

absl::Status SimState::Admit(const Item& item, ShardKey shard) const {
  if (product_commands_)
    return item.tables == nullptr ? SimTables().Admit(shard)
                                  : item.tables->Admit(shard);
  const bool sealed = item.sealed >> (shard.shard.value() % 32) & 1;
  return sealed ? MakeError(ErrorReason::kShardSealed, "sealed")
                : absl::OkStatus();
}

const SimTables& SimState::TablesOf(GroupId id) const {
  static const SimTables kNone;
  const Group& group = groups_[id.value()];
  if (group.items.empty() || group.items.back().tables == nullptr) return kNone;
  return *group.items.back().tables;
}

void SimState::ShowMetaState() {
  if (!product_commands_) return;
  catalog_.Clear();
  for (const auto& [id, stream] : TablesOf(kMetaGroup).streams)
    catalog_.Put(stream);
  leases_.Replace(TablesOf(kMetaGroup).groups);
}

absl::StatusOr<ApplyResult> SimState::Apply(const CommittedEntry& entry) {
  if (std::exchange(fails_next_apply_, false)) {
    return absl::DataLossError("injected damage of the state");
  }
  Group& group = groups_[entry.group.value()];
  ApplyResult result;
  if (entry.index <= group.items.size()) return result;
  if (MustWait(group)) return MakeError(ErrorReason::kDiskFull, "simulated");
  if (entry.index != group.items.size() + 1) {
    history_->Fail("log_agreement",
                   absl::StrCat("node ", node_.value(), " applies entry ",
                                entry.index, " after ", group.items.size()));
    return absl::InternalError("out of order");
  }
  group.items.push_back(
      Follow(group.items.empty() ? nullptr : &group.items.back(), entry.group,
             entry, &result));
  // What was pulled and is applied now by the other way is of no more use.
  if (!group.staged.empty()) group.staged.erase(group.staged.begin());
  history_->OnApplied(node_, entry, result, group.items.back().stamp_ms,
                      group.items.back().sealed);
  if (entry.group == kMetaGroup) ShowMetaState();
  return result;
}

AppliedPosition SimState::PositionAt(const Group& group, LogIndex index) {
  if (index == 0) return {};
  const Item& item = group.items[index - 1];
  return {index, item.term, item.stamp_ms};
}

AppliedPosition SimState::Applied(GroupId id) const {
  const Group& group = groups_[id.value()];
  AppliedPosition position = PositionAt(group, group.items.size());
  position.installed = group.installed;
  return position;
}

AppliedPosition SimState::Durable(GroupId id) const {
  const Group& group = groups_[id.value()];
  return PositionAt(group, group.durable);
}

bool SimState::DiskIsFull() const {
  return disk_ != nullptr && disk_->FreeBytes("").value() == 0;
}

bool SimState::MustWait(const Group& group) const {
  const size_t held = group.items.size() + group.staged.size();
  return held >= group.durable + unflushed_items_max_ && DiskIsFull();
}

// The real one waits for space; its caller does here, by calling again.
absl::Status SimState::Flush() {
  if (DiskIsFull()) return absl::OkStatus();
  for (Group& group : groups_) group.durable = group.items.size();
  return absl::OkStatus();
}

// --- catch-up ---

class SimState::Source : public StateSource {
 public:
  Source(const Group& group, LogIndex held)
      : position_(PositionAt(group, group.items.size())),
        next_(std::min<LogIndex>(held, group.items.size()) + 1),
        items_(group.items.begin() + static_cast<ptrdiff_t>(next_ - 1),
               group.items.end()) {}

  AppliedPosition position() const override { return position_; }

  absl::StatusOr<std::string> Next() override {
    std::string chunk;
    for (size_t i = 0; i < kItemsPerChunk && at_ < items_.size(); ++i, ++at_) {
      const Item& item = items_[at_];
      const absl::string_view bytes =
          item.payload ? absl::string_view(*item.payload) : "";
      absl::StrAppend(&chunk, next_ + at_, " ", item.term, " ", bytes.size(),
                      "\n", bytes);
    }
    return chunk;
  }

 private:
  const AppliedPosition position_;
  const LogIndex next_;
  const std::vector<Item> items_;
  size_t at_ = 0;
};

absl::StatusOr<std::string> SimState::DescribeHeld(GroupId id) {
  const Group& group = groups_[id.value()];
  return absl::StrCat(group.items.size() + group.staged.size());
}

absl::StatusOr<std::unique_ptr<StateSource>> SimState::OpenSource(
    GroupId id, absl::string_view held) {
  LogIndex index = 0;
  CHECK(absl::SimpleAtoi(held, &index), "not a description of ours");
  return std::make_unique<Source>(groups_[id.value()], index);
}

absl::Status SimState::InstallChunk(GroupId id, absl::string_view chunk) {
  Group& group = groups_[id.value()];
  if (MustWait(group)) return MakeError(ErrorReason::kDiskFull, "simulated");
  while (!chunk.empty()) {
    const size_t line = chunk.find('\n');
    const std::vector<std::string> words =
        absl::StrSplit(chunk.substr(0, line), ' ');
    LogIndex index = 0;
    Term term = 0;
    size_t bytes = 0;
    CHECK(words.size() == 3 && absl::SimpleAtoi(words[0], &index) &&
          absl::SimpleAtoi(words[1], &term) &&
          absl::SimpleAtoi(words[2], &bytes));
    const absl::string_view payload = chunk.substr(line + 1, bytes);
    chunk.remove_prefix(line + 1 + bytes);
    const LogIndex last = group.items.size() + group.staged.size();
    if (index <= last) continue;
    CHECK(index == last + 1, "a chunk leaves a gap");
    const Item* before = !group.staged.empty()  ? &group.staged.back()
                         : !group.items.empty() ? &group.items.back()
                                                : nullptr;
    CommittedEntry entry;
    entry.index = index;
    entry.term = term;
    entry.has_payload = bytes != 0;
    if (entry.has_payload) entry.payload = MakePayload(std::string(payload));
    ApplyResult ignored;
    group.staged.push_back(Follow(before, id, entry, &ignored));
  }
  return absl::OkStatus();
}

absl::Status SimState::FinishInstall(GroupId id,
                                     const AppliedPosition& position) {
  Group& group = groups_[id.value()];
  if (position.index < group.items.size()) {
    history_->Fail("log_agreement",
                   absl::StrCat("node ", node_.value(), " replaces its state ",
                                group.items.size(), " of group ", id.value(),
                                " by the older ", position.index));
    return absl::InternalError("state went back");
  }
  const size_t taken = position.index - group.items.size();
  CHECK(taken <= group.staged.size(), "chunks are missing");
  const auto end = group.staged.begin() + static_cast<ptrdiff_t>(taken);
  group.items.insert(group.items.end(), group.staged.begin(), end);
  group.staged.erase(group.staged.begin(), end);
  group.durable = group.installed = group.items.size();
  CHECK(PositionAt(group, position.index).term == position.term);
  if (id == kMetaGroup) ShowMetaState();
  return absl::OkStatus();
}

// --- faults ---

void SimState::Crash(Random* random) {
  fails_next_apply_ = false;
  for (Group& group : groups_) {
    const bool lost_any = group.durable < group.items.size();
    group.items.resize(group.durable);
    // What was pulled is kept or not, but never in part without its front.
    if (lost_any || random->Chance(0.5)) group.staged.clear();
  }
  ShowMetaState();
}

void SimState::CheckAll() const {
  for (uint32_t id = 0; id < groups_.size(); ++id) {
    const Group& group = groups_[id];
    for (size_t i = 0; i < group.items.size(); ++i) {
      history_->CheckHeld(node_, GroupId(id), i + 1, group.items[i].term,
                          group.items[i].payload);
    }
  }
}

}  // namespace trireme::sim
