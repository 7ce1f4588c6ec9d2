#include "server/dynamodb/item_writer.h"

#include <set>
#include <utility>

#include "server/dynamodb/item_bytes.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

// Each lost race is another's won; so many in a row, and the item is hot.
constexpr int kTriesMax = 64;

TableWrite WriteOf(const PlannedWrite& planned, const Table& table,
                   const std::string& key, ItemVersion version,
                   const std::optional<Item>& after) {
  TableWrite write;
  write.table = table.found.number;
  write.key = key;
  if (!planned.is_blind()) write.version = version;
  if (planned.kind == PlannedWrite::Kind::kCheck) return write;
  write.action = after.has_value() ? WriteAction::kPut : WriteAction::kRemove;
  if (after.has_value()) write.item = EncodeItem(*after);
  return write;
}

}  // namespace

void ItemWriter::Start(Broker* broker, std::vector<PlannedWrite> writes,
                       absl::Duration timeout, Done done) {
  const std::shared_ptr<ItemWriter> writer(
      new ItemWriter(broker, std::move(writes), timeout, std::move(done)));
  writer->Look();
}

ItemWriter::ItemWriter(Broker* broker, std::vector<PlannedWrite> writes,
                       absl::Duration timeout, Done done)
    : broker_(broker),
      reader_(broker),
      writes_(std::move(writes)),
      deadline_(broker->clock()->MonotonicNow() + timeout),
      done_(std::move(done)) {}

absl::Duration ItemWriter::left() const {
  return deadline_ - broker_->clock()->MonotonicNow();
}

void ItemWriter::Look() {
  absl::Status found = FindItems();
  if (found.ok()) found = ReadAll();
  if (!found.ok()) return LookAgain(std::move(found));
  Try();
}

absl::Status ItemWriter::FindItems() {
  seen_.clear();
  std::set<std::pair<TableNumber, std::string>> named;
  for (const PlannedWrite& write : writes_) {
    Seen seen;
    ASSIGN_OR_RETURN(seen.table, reader_.Find(write.table_name));
    ASSIGN_OR_RETURN(seen.key, KeyBytesOf(write, *seen.table));
    if (!named.emplace(seen.table->found.number, seen.key).second) {
      return ValidationError(
          "Transaction request cannot include multiple operations on one item");
    }
    seen_.push_back(std::move(seen));
  }
  return absl::OkStatus();
}

absl::Status ItemWriter::ReadAll() {
  std::vector<std::pair<TableNumber, std::string>> wanted;
  for (const Seen& seen : seen_) {
    wanted.emplace_back(seen.table->found.number, seen.key);
  }
  const auto items = broker_->tables().GetAll(wanted);
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].has_value() || writes_[i].is_blind()) continue;
    seen_[i].version = items[i]->version;
    ASSIGN_OR_RETURN(seen_[i].item, DecodeItem(*items[i]->bytes));
  }
  return absl::OkStatus();
}

void ItemWriter::Try() {
  Outcomes outcomes;
  if (!EvaluateAll(&outcomes)) return LookAgain(std::move(outcomes));
  if (++tries_ > kTriesMax || left() <= absl::ZeroDuration()) {
    return done_(MakeError(ErrorReason::kOverloaded,
                           "The item is written to by too many at once."));
  }
  Commit(std::move(outcomes));
}

bool ItemWriter::EvaluateAll(Outcomes* outcomes) {
  bool all = true;
  for (size_t i = 0; i < writes_.size(); ++i) {
    WriteOutcome& outcome = outcomes->emplace_back();
    outcome.before = seen_[i].item;
    absl::StatusOr<std::optional<Item>> after =
        Evaluate(writes_[i], *seen_[i].table, outcome.before);
    if (after.ok()) {
      outcome.after = *std::move(after);
    } else {
      outcome.status = after.status();
      all = false;
    }
  }
  return all;
}

void ItemWriter::LookAgain(absl::StatusOr<Outcomes> why) {
  if (is_fresh_) return done_(std::move(why));
  is_fresh_ = true;
  broker_->tables().Refresh(left(),
                            [self = shared_from_this()](absl::Status status) {
                              if (!status.ok())
                                return self->done_(std::move(status));
                              self->Look();
                            });
}

void ItemWriter::Commit(Outcomes outcomes) {
  std::vector<TableWrite> writes;
  for (size_t i = 0; i < writes_.size(); ++i) {
    writes.push_back(WriteOf(writes_[i], *seen_[i].table, seen_[i].key,
                             seen_[i].version, outcomes[i].after));
  }
  broker_->tables().Write(
      writes, left(),
      [self = shared_from_this(), outcomes = std::move(outcomes)](
          absl::StatusOr<std::vector<WriteConflict>> conflicts) mutable {
        self->OnCommitted(std::move(outcomes), std::move(conflicts));
      });
}

void ItemWriter::OnCommitted(
    Outcomes outcomes, absl::StatusOr<std::vector<WriteConflict>> conflicts) {
  if (ReasonOf(conflicts.status()) == ErrorReason::kResourceNotFound) {
    return LookAgain(ResourceNotFound());
  }
  if (!conflicts.ok()) return done_(conflicts.status());
  if (conflicts->empty()) return done_(std::move(outcomes));
  // All items are as they are told here, or as they were seen, at the one
  // moment at which the command was applied.
  is_fresh_ = true;
  for (const WriteConflict& conflict : *conflicts) {
    Seen& seen = seen_[conflict.write];
    seen.version = conflict.version;
    seen.item.reset();
    if (conflict.version == 0) continue;
    absl::StatusOr<Item> item = DecodeItem(conflict.item);
    if (!item.ok()) return done_(item.status());
    seen.item = *std::move(item);
  }
  Try();
}

}  // namespace trireme::dynamodb
