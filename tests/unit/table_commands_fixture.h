// What tests of the commands about tables of items share.
#ifndef TRIREME_TESTS_UNIT_TABLE_COMMANDS_FIXTURE_H_
#define TRIREME_TESTS_UNIT_TABLE_COMMANDS_FIXTURE_H_

#include <optional>
#include <string>

#include "trireme/v1/command.pb.h"

namespace trireme {

inline v1::Command CreateItemTable(const std::string& name,
                                   uint32_t tables_max = 0) {
  v1::Command command;
  auto& create = *command.mutable_tables()->mutable_create_table();
  create.set_name(name);
  create.set_definition("definition of " + name);
  create.set_tables_max(tables_max);
  return command;
}

inline v1::Command DeleteItemTable(uint64_t table, uint64_t version) {
  v1::Command command;
  command.mutable_tables()->mutable_delete_table()->set_table(table);
  command.mutable_tables()->mutable_delete_table()->set_version(version);
  return command;
}

inline v1::Command UpdateItemTable(uint64_t table, uint64_t version,
                                   const std::string& definition) {
  v1::Command command;
  auto& update = *command.mutable_tables()->mutable_update_table();
  update.set_table(table);
  update.set_version(version);
  update.set_definition(definition);
  return command;
}

// Adds a write to the command; returns it, to be given an action.
inline v1::ItemWrite& AddWrite(uint64_t table, const std::string& key,
                               std::optional<uint64_t> version,
                               v1::Command* command) {
  auto& write = *command->mutable_tables()->mutable_write_items()->add_writes();
  write.set_table(table);
  write.set_key(key);
  if (version.has_value()) write.set_version(*version);
  return write;
}

inline v1::Command PutItem(uint64_t table, const std::string& key,
                           const std::string& item,
                           std::optional<uint64_t> version = std::nullopt) {
  v1::Command command;
  AddWrite(table, key, version, &command).set_put(item);
  return command;
}

inline v1::Command RemoveItem(uint64_t table, const std::string& key,
                              std::optional<uint64_t> version = std::nullopt) {
  v1::Command command;
  AddWrite(table, key, version, &command).set_remove(true);
  return command;
}

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_TABLE_COMMANDS_FIXTURE_H_
