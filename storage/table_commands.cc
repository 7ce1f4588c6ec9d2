#include "storage/table_commands.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/status_macros.h"
#include "trireme/v1/table_commands.pb.h"

namespace trireme {
namespace {

TablesDecision Refuse(ErrorReason reason, absl::string_view message) {
  return {MakeError(reason, message)};
}
TablesDecision Refuse(absl::Status status) { return {std::move(status)}; }

absl::Status TableNotFound(TableNumber table) {
  return MakeError(ErrorReason::kResourceNotFound,
                   absl::StrCat("table number ", table, " not found"));
}

absl::Status CheckBytes(absl::string_view what, size_t bytes, size_t max) {
  if (bytes <= max) return absl::OkStatus();
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat(what, " has ", bytes, " bytes; the limit is ", max));
}

TablesDecision Create(const TablesState& state,
                      const v1::CreateTableCommand& command) {
  if (!IsTableName(command.name())) {
    return Refuse(ErrorReason::kInvalidArgument,
                  absl::StrCat("not a name of a table: ", command.name()));
  }
  absl::Status checked =
      CheckBytes("the definition of a table", command.definition().size(),
                 kTableDefinitionBytesMax);
  if (!checked.ok()) return Refuse(std::move(checked));
  if (state.tables.Find(command.name()) != nullptr) {
    return Refuse(ErrorReason::kResourceInUse,
                  absl::StrCat("Table already exists: ", command.name()));
  }
  const size_t count = state.tables.by_number().size();
  if (command.tables_max() > 0 && count >= command.tables_max()) {
    return Refuse(ErrorReason::kLimitExceeded,
                  absl::StrCat("there are ", count, " tables; the limit is ",
                               command.tables_max()));
  }
  TableChange change;
  change.table = state.index;
  change.head = ItemTableHead{command.name(), command.definition(),
                              state.stamp_ms, state.index};
  v1::CreateTableReply reply;
  reply.set_table(state.index);
  reply.set_created_ms(state.stamp_ms);
  return {absl::OkStatus(), reply.SerializeAsString(), {std::move(change)}};
}

// `change` happens when the table has that version.
TablesDecision ChangeIf(const ItemTable* table, ItemVersion version,
                        TableChange change) {
  if (table == nullptr) return Refuse(TableNotFound(change.table));
  v1::ChangeTableReply reply;
  reply.set_done(table->head.version == version);
  TablesDecision decision;
  decision.reply = reply.SerializeAsString();
  if (reply.done()) decision.changes.push_back(std::move(change));
  return decision;
}

TablesDecision Update(const TablesState& state,
                      const v1::UpdateTableCommand& command) {
  absl::Status checked =
      CheckBytes("the definition of a table", command.definition().size(),
                 kTableDefinitionBytesMax);
  if (!checked.ok()) return Refuse(std::move(checked));
  const ItemTable* const table = state.tables.Find(command.table());
  TableChange change;
  change.table = command.table();
  if (table != nullptr) {
    change.head = table->head;
    change.head->definition = command.definition();
    change.head->version = state.index;
  }
  return ChangeIf(table, command.version(), std::move(change));
}

TablesDecision Delete(const TablesState& state,
                      const v1::DeleteTableCommand& command) {
  TableChange change;
  change.table = command.table();
  change.removed = true;
  return ChangeIf(state.tables.Find(command.table()), command.version(),
                  std::move(change));
}

// --- items ---

absl::Status CheckWrite(const v1::ItemWrite& write) {
  RETURN_IF_ERROR(
      CheckBytes("the key of an item", write.key().size(), kItemKeyBytesMax));
  if (write.key().empty()) {
    return MakeError(ErrorReason::kInvalidArgument, "an item without a key");
  }
  return CheckBytes("an item", write.put().size(), kItemBytesMax);
}

// A command while it is decided.
struct Plan {
  absl::btree_map<TableNumber, absl::btree_map<std::string, ItemChange>>
      changes;
  v1::WriteItemsReply reply;
  int64_t growth = 0;
};

absl::Status AddWrite(const TablesState& state, const v1::ItemWrite& write,
                      uint32_t place, Plan* plan) {
  RETURN_IF_ERROR(CheckWrite(write));
  const ItemTable* const table = state.tables.Find(write.table());
  if (table == nullptr) return TableNotFound(write.table());
  const auto [change, is_new] =
      plan->changes[write.table()].try_emplace(write.key());
  if (!is_new) {
    return MakeError(ErrorReason::kInvalidArgument,
                     "an item is named twice in one command");
  }
  const StoredItem* const item = FindItem(*table, write.key());
  const ItemVersion version = item == nullptr ? 0 : item->version;
  if (write.has_version() && write.version() != version) {
    v1::ItemConflict& conflict = *plan->reply.add_conflicts();
    conflict.set_write(place);
    conflict.set_version(version);
    if (item != nullptr) conflict.set_item(*item->bytes);
  }
  change->second.key = write.key();
  if (write.has_put()) {
    change->second.item = StoredItem{
        state.index, std::make_shared<const std::string>(write.put())};
    plan->growth +=
        static_cast<int64_t>(BytesOf(write.key(), *change->second.item));
  } else if (item != nullptr && !write.remove()) {
    change->second.item = *item;
    return absl::OkStatus();
  }
  if (item != nullptr) {
    plan->growth -= static_cast<int64_t>(BytesOf(write.key(), *item));
  }
  return absl::OkStatus();
}

// What is only looked at changes nothing.
bool Changes(const ItemTable& table, const ItemChange& change) {
  const StoredItem* const item = FindItem(table, change.key);
  if (item == nullptr || !change.item.has_value()) {
    return (item != nullptr) != change.item.has_value();
  }
  return item->version != change.item->version;
}

TablesDecision Write(const TablesState& state,
                     const v1::WriteItemsCommand& command) {
  Plan plan;
  for (int i = 0; i < command.writes_size(); ++i) {
    absl::Status added =
        AddWrite(state, command.writes(i), static_cast<uint32_t>(i), &plan);
    if (!added.ok()) return Refuse(std::move(added));
  }
  TablesDecision decision;
  if (!plan.reply.conflicts().empty()) {
    decision.reply = plan.reply.SerializeAsString();
    return decision;
  }
  if (command.bytes_max() > 0 && plan.growth > 0 &&
      state.tables.bytes() + static_cast<uint64_t>(plan.growth) >
          command.bytes_max()) {
    return Refuse(
        ErrorReason::kLimitExceeded,
        absl::StrCat("the items of all tables have ", state.tables.bytes(),
                     " bytes and would have ", plan.growth,
                     " more; the limit is ", command.bytes_max()));
  }
  plan.reply.set_version(state.index);
  decision.reply = plan.reply.SerializeAsString();
  for (auto& [number, items] : plan.changes) {
    TableChange change;
    change.table = number;
    const ItemTable& table = *state.tables.Find(number);
    for (auto& [key, item] : items) {
      if (Changes(table, item)) change.items.push_back(std::move(item));
    }
    if (!change.items.empty()) decision.changes.push_back(std::move(change));
  }
  return decision;
}

}  // namespace

bool IsTableName(absl::string_view name) {
  return name.size() >= kTableNameBytesMin &&
         name.size() <= kTableNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '_' || c == '.' || c == '-';
         });
}

TablesDecision DecideTables(const TablesState& state,
                            const v1::TableCommand& command) {
  switch (command.command_case()) {
    case v1::TableCommand::kCreateTable:
      return Create(state, command.create_table());
    case v1::TableCommand::kUpdateTable:
      return Update(state, command.update_table());
    case v1::TableCommand::kDeleteTable:
      return Delete(state, command.delete_table());
    case v1::TableCommand::kWriteItems:
      return Write(state, command.write_items());
    case v1::TableCommand::COMMAND_NOT_SET:
      break;
  }
  return Refuse(ErrorReason::kInvalidArgument, "an empty command about tables");
}

}  // namespace trireme
