#include "server/table_operations.h"

#include <algorithm>
#include <utility>

#include "server/limits.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

FoundTable FoundOf(TableNumber number, const ItemTable& table) {
  return {number, table.head, table.items.size(), table.bytes};
}

// What a listing still takes.
class Room {
 public:
  explicit Room(const ItemRange& range)
      : items_(range.items_max), bytes_(range.bytes_max) {}

  // False when the item is not to be added.
  bool Take(absl::string_view key, const StoredItem& item) {
    const uint64_t bytes = BytesOf(key, item);
    if (taken_ > 0 && (taken_ >= items_ || bytes > bytes_)) return false;
    ++taken_;
    bytes_ -= std::min(bytes_, bytes);
    return true;
  }

 private:
  const size_t items_;
  uint64_t bytes_;
  size_t taken_ = 0;
};

template <typename Iterator>
FoundItems Collect(Iterator at, Iterator end, Room room) {
  FoundItems found;
  for (; at != end; ++at) {
    if (!room.Take(at->first, at->second)) {
      found.has_more = true;
      break;
    }
    found.items.push_back({at->first, at->second});
  }
  return found;
}

absl::Status Malformed() {
  return absl::DataLossError("the reply about tables is malformed");
}

v1::ItemWrite Encode(const TableWrite& write) {
  v1::ItemWrite message;
  message.set_table(write.table);
  message.set_key(write.key);
  if (write.version.has_value()) message.set_version(*write.version);
  if (write.action == WriteAction::kPut) message.set_put(write.item);
  if (write.action == WriteAction::kRemove) message.set_remove(true);
  return message;
}

}  // namespace

std::optional<FoundTable> TableOperations::Find(absl::string_view name) const {
  std::optional<FoundTable> found;
  tables_->Read([&](const ItemTables& tables) {
    const auto* const table = tables.Find(name);
    if (table != nullptr) found = FoundOf(table->first, table->second);
  });
  return found;
}

std::vector<std::string> TableOperations::Names() const {
  std::vector<std::string> names;
  tables_->Read([&names](const ItemTables& tables) {
    for (const auto& [number, table] : tables.by_number()) {
      names.push_back(table.head.name);
    }
  });
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<StoredItem> TableOperations::Get(TableNumber table,
                                               absl::string_view key) const {
  return GetAll({{table, std::string(key)}})[0];
}

std::vector<std::optional<StoredItem>> TableOperations::GetAll(
    const std::vector<std::pair<TableNumber, std::string>>& items) const {
  std::vector<std::optional<StoredItem>> found;
  tables_->Read([&](const ItemTables& tables) {
    for (const auto& [number, key] : items) {
      const ItemTable* const table = tables.Find(number);
      const StoredItem* const item =
          table == nullptr ? nullptr : FindItem(*table, key);
      found.push_back(item == nullptr ? std::nullopt : std::optional(*item));
    }
  });
  return found;
}

FoundItems TableOperations::List(const ItemRange& range) const {
  FoundItems found;
  tables_->Read([&](const ItemTables& tables) {
    const ItemTable* const table = tables.Find(range.table);
    if (table == nullptr) return;
    const auto begin = table->items.lower_bound(range.from);
    const auto end = range.to.empty() ? table->items.end()
                                      : table->items.lower_bound(range.to);
    if (!range.to.empty() && range.to <= range.from) return;
    if (range.backwards) {
      found = Collect(std::make_reverse_iterator(end),
                      std::make_reverse_iterator(begin), Room(range));
    } else {
      found = Collect(begin, end, Room(range));
    }
  });
  return found;
}

void TableOperations::Create(absl::string_view name, std::string definition,
                             absl::Duration timeout, Done<FoundTable> done) {
  v1::TableCommand command;
  v1::CreateTableCommand& create = *command.mutable_create_table();
  create.set_name(std::string(name));
  create.set_definition(definition);
  create.set_tables_max(kTablesMax);
  ItemTableHead head{std::string(name), std::move(definition)};
  Propose(std::move(command), timeout,
          [head = std::move(head), done = std::move(done)](
              const absl::StatusOr<std::string>& reply) mutable {
            if (!reply.ok()) return done(reply.status());
            v1::CreateTableReply created;
            if (!created.ParseFromString(*reply)) return done(Malformed());
            head.created_ms = created.created_ms();
            head.version = created.table();
            done(FoundTable{created.table(), std::move(head)});
          });
}

void TableOperations::Update(TableNumber table, ItemVersion version,
                             std::string definition, absl::Duration timeout,
                             Done<bool> done) {
  v1::TableCommand command;
  command.mutable_update_table()->set_table(table);
  command.mutable_update_table()->set_version(version);
  command.mutable_update_table()->set_definition(std::move(definition));
  Change(std::move(command), timeout, std::move(done));
}

void TableOperations::Delete(TableNumber table, ItemVersion version,
                             absl::Duration timeout, Done<bool> done) {
  v1::TableCommand command;
  command.mutable_delete_table()->set_table(table);
  command.mutable_delete_table()->set_version(version);
  Change(std::move(command), timeout, std::move(done));
}

void TableOperations::Change(v1::TableCommand command, absl::Duration timeout,
                             Done<bool> done) {
  Propose(std::move(command), timeout,
          [done = std::move(done)](
              const absl::StatusOr<std::string>& reply) mutable {
            if (!reply.ok()) return done(reply.status());
            v1::ChangeTableReply changed;
            if (!changed.ParseFromString(*reply)) return done(Malformed());
            done(changed.done());
          });
}

void TableOperations::Write(const std::vector<TableWrite>& writes,
                            absl::Duration timeout,
                            Done<std::vector<WriteConflict>> done) {
  v1::TableCommand command;
  v1::WriteItemsCommand& items = *command.mutable_write_items();
  for (const TableWrite& write : writes) *items.add_writes() = Encode(write);
  items.set_bytes_max(kTableItemsBytesMax);
  Propose(std::move(command), timeout,
          [done = std::move(done)](
              const absl::StatusOr<std::string>& reply) mutable {
            if (!reply.ok()) return done(reply.status());
            v1::WriteItemsReply written;
            if (!written.ParseFromString(*reply)) return done(Malformed());
            std::vector<WriteConflict> conflicts;
            for (const v1::ItemConflict& conflict : written.conflicts()) {
              conflicts.push_back(
                  {conflict.write(), conflict.version(), conflict.item()});
            }
            done(std::move(conflicts));
          });
}

void TableOperations::Propose(v1::TableCommand command, absl::Duration timeout,
                              Replied done) {
  v1::Command wrapped;
  *wrapped.mutable_tables() = std::move(command);
  // Off the node's own threads: what follows may evaluate a condition anew.
  replicas_->Propose(ProposalOfCommand(
      kMetaGroup, wrapped.SerializeAsString(), timeout,
      [this, done = std::move(done)](ProposalOutcome outcome) mutable {
        pool_->Schedule(
            [done = std::move(done), outcome = std::move(outcome)]() mutable {
              if (!outcome.status.ok()) return done(std::move(outcome.status));
              done(std::move(outcome.reply));
            });
      }));
}

}  // namespace trireme
