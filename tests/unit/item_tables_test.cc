// Tables of items in the store: what a crash and a catch-up leave of them, and
// that any commands make of them what a model says. What single commands
// decide: table_commands_test.cc.
#include "storage/item_tables.h"

#include <map>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "storage/keys.h"
#include "storage/table_rows.h"
#include "tests/unit/state_fixture.h"
#include "tests/unit/table_commands_fixture.h"
#include "trireme/v1/table_commands.pb.h"

namespace trireme {
namespace {

ItemTables TablesOf(Replica& replica) {
  ItemTables tables;
  replica.state().tables().Read(
      [&tables](const ItemTables& now) { tables = now; });
  return tables;
}

// What there should be: by table and key, version and bytes.
using Model =
    std::map<uint64_t, std::map<std::string, std::pair<uint64_t, std::string>>>;

Model ModelOf(const ItemTables& tables) {
  Model model;
  uint64_t bytes = 0;
  for (const auto& [number, table] : tables.by_number()) {
    auto& items = model[number];
    for (const auto& [key, item] : table.items) {
      items[key] = {item.version, *item.bytes};
      bytes += BytesOf(key, item);
    }
  }
  EXPECT_EQ(tables.bytes(), bytes);
  return model;
}

class ItemTablesTest : public ::testing::Test {
 protected:
  uint64_t Pick(uint64_t count) { return random_() % count; }

  // A table of the model, now and then one that is not there.
  uint64_t AnyTable() {
    if (model_.empty() || Pick(20) == 0) return Pick(1000);
    return std::next(model_.begin(), Pick(model_.size()))->first;
  }
  void CreateOrDelete() {
    const LogIndex index = replica_.state().Applied(kMetaGroup).index + 1;
    if (model_.size() < 3) {
      const auto result = replica_.Command(
          0, CreateItemTable("table-" + std::to_string(index)));
      ASSERT_OK(result.status);
      model_[index];
      return;
    }
    const uint64_t table = AnyTable();
    const bool is_there = model_.contains(table);
    const auto result = replica_.Command(0, DeleteItemTable(table, table));
    EXPECT_EQ(result.status.ok(), is_there);
    model_.erase(table);
  }
  // Writes some items and checks the answer against the model.
  void WriteAnything() {
    v1::Command command;
    std::map<std::pair<uint64_t, std::string>, std::optional<uint64_t>> named;
    bool all_there = true;
    bool twice = false;
    std::vector<uint32_t> conflicts;
    for (uint32_t i = 0; i <= Pick(4); ++i) {
      const uint64_t table = AnyTable();
      const std::string key = "k" + std::to_string(Pick(6));
      const auto items = model_.find(table);
      all_there = all_there && items != model_.end();
      uint64_t version = 0;
      if (items != model_.end() && items->second.contains(key)) {
        version = items->second[key].first;
      }
      std::optional<uint64_t> expected;
      if (Pick(3) != 0) expected = Pick(8) == 0 ? version + 1 : version;
      if (expected.has_value() && *expected != version) conflicts.push_back(i);
      auto& write = AddWrite(table, key, expected, &command);
      const uint64_t action = Pick(4);
      if (action == 0) write.set_remove(true);
      if (action >= 2) write.set_put(std::string(Pick(50), 'x'));
      twice = !named.emplace(std::pair(table, key), expected).second || twice;
    }
    const LogIndex index = replica_.state().Applied(kMetaGroup).index + 1;
    const ApplyResult result = replica_.Command(0, command);
    ASSERT_EQ(result.status.ok(), all_there && !twice);
    if (!result.status.ok()) return;
    v1::WriteItemsReply reply;
    ASSERT_TRUE(reply.ParseFromString(result.reply));
    std::vector<uint32_t> got;
    for (const auto& conflict : reply.conflicts()) {
      got.push_back(conflict.write());
    }
    ASSERT_EQ(got, conflicts);
    if (!conflicts.empty()) return;
    for (const auto& write : command.tables().write_items().writes()) {
      auto& items = model_[write.table()];
      if (write.remove()) items.erase(write.key());
      if (write.has_put()) items[write.key()] = {index, write.put()};
    }
  }
  void DoAnything(int commands) {
    for (int i = 0; i < commands; ++i) {
      if (model_.empty() || Pick(15) == 0) {
        CreateOrDelete();
      } else {
        WriteAnything();
      }
    }
  }

  Replica replica_;
  Model model_;
  std::mt19937 random_{11};
};

TEST_F(ItemTablesTest, AnyCommandsMakeWhatTheModelSaysAlsoAfterAStart) {
  for (int round = 0; round < 20; ++round) {
    DoAnything(100);
    ASSERT_EQ(ModelOf(TablesOf(replica_)), model_) << round;
    ASSERT_OK(replica_.state().Flush());
    const ItemTables before = TablesOf(replica_);
    replica_.Crash();
    ASSERT_EQ(TablesOf(replica_), before) << round;
  }
}

TEST_F(ItemTablesTest, AReplicaThatIsBehindGetsThemInsteadOfItsOwn) {
  Replica behind;
  for (uint64_t entry = 0; entry < 3; ++entry) {
    behind.Command(0, CreateItemTable("mine-" + std::to_string(entry)));
    behind.Command(0, PutItem(entry * 2 + 1, "k", "mine"));
  }
  DoAnything(300);
  // More than a chunk holds.
  while (model_.empty()) DoAnything(1);
  for (int i = 0; i < 5; ++i) {
    replica_.Command(0,
                     PutItem(model_.begin()->first, "big" + std::to_string(i),
                             std::string(600'000, 'b')));
  }
  auto source = replica_.state().OpenSource(kMetaGroup, "");
  ASSERT_OK(source);
  int chunks = 0;
  while (true) {
    const auto chunk = (*source)->Next();
    ASSERT_OK(chunk);
    if (chunk->empty()) break;
    ++chunks;
    // What comes after the source was opened is not in it.
    replica_.Command(0, CreateItemTable("later-" + std::to_string(chunks)));
    ASSERT_OK(behind.state().InstallChunk(kMetaGroup, *chunk));
  }
  EXPECT_GT(chunks, 2);
  ASSERT_OK(behind.state().FinishInstall(kMetaGroup, (*source)->position()));
  ItemTables expected;
  const ItemTables now = TablesOf(replica_);
  for (const auto& [number, table] : now.by_number()) {
    if (number > (*source)->position().index) continue;
    TableChange change;
    change.table = number;
    change.head = table.head;
    for (const auto& [key, item] : table.items) {
      change.items.push_back({key, item});
    }
    expected.Apply(change);
  }
  EXPECT_EQ(TablesOf(behind), expected);
  behind.Crash();
  EXPECT_EQ(TablesOf(behind), expected);
}

TEST_F(ItemTablesTest, TheyAreTheMetaGroups) {
  EXPECT_EQ(ReasonOf(replica_.Command(1, CreateItemTable("leases")).status),
            ErrorReason::kInvalidArgument);
  EXPECT_TRUE(TablesOf(replica_).by_number().empty());
}

TEST(TableRowsTest, WhatIsNoRowIsDamage) {
  TableChange change;
  change.table = 5;
  change.head = ItemTableHead{"leases", "definition", 77, 6};
  change.items.push_back(
      {"key", StoredItem{9, std::make_shared<const std::string>("bytes")}});
  std::vector<std::pair<std::string, std::string>> rows;
  ForRowsOf(
      {}, change,
      [&rows](absl::string_view key, const std::optional<std::string>& row) {
        rows.push_back({std::string(key), *row});
      });
  ASSERT_EQ(rows.size(), 2u);
  ItemTables read;
  // An item of a table that is not there.
  EXPECT_TRUE(
      absl::IsDataLoss(AddTableRow(rows[1].first, rows[1].second, &read)));
  for (const auto& [key, row] : rows) {
    ASSERT_OK(AddTableRow(key, row, &read));
    EXPECT_TRUE(absl::IsDataLoss(AddTableRow(key, "\xff", &read)));
    EXPECT_TRUE(absl::IsDataLoss(AddTableRow(key.substr(1), row, &read)));
  }
  ItemTables expected;
  expected.Apply(change);
  EXPECT_EQ(read, expected);
  EXPECT_TRUE(Difference(read, expected).empty());
}

}  // namespace
}  // namespace trireme
