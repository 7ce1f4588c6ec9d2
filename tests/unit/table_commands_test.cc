#include "storage/table_commands.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "tests/unit/state_fixture.h"
#include "tests/unit/table_commands_fixture.h"
#include "trireme/v1/table_commands.pb.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TableCommandsTest : public ::testing::Test {
 protected:
  TablesDecision Do(const v1::Command& command) {
    TablesDecision decision =
        DecideTables({tables_, ++index_, 1'000}, command.tables());
    for (const TableChange& change : decision.changes) tables_.Apply(change);
    return decision;
  }
  TableNumber Create(const std::string& name) {
    const TablesDecision decision = Do(CreateItemTable(name));
    EXPECT_OK(decision.status);
    v1::CreateTableReply reply;
    EXPECT_TRUE(reply.ParseFromString(decision.reply));
    EXPECT_EQ(reply.created_ms(), 1'000);
    return reply.table();
  }
  v1::WriteItemsReply Write(const v1::Command& command) {
    const TablesDecision decision = Do(command);
    EXPECT_OK(decision.status);
    v1::WriteItemsReply reply;
    EXPECT_TRUE(reply.ParseFromString(decision.reply));
    return reply;
  }
  bool Change(const v1::Command& command) {
    const TablesDecision decision = Do(command);
    EXPECT_OK(decision.status);
    v1::ChangeTableReply reply;
    EXPECT_TRUE(reply.ParseFromString(decision.reply));
    return reply.done();
  }
  ErrorReason Refused(const v1::Command& command) {
    const TablesDecision decision = Do(command);
    EXPECT_THAT(decision.changes, IsEmpty());
    return ReasonOf(decision.status);
  }
  std::string ItemOf(TableNumber table, const std::string& key) {
    const StoredItem* const item = FindItem(*tables_.Find(table), key);
    return item == nullptr ? "none" : *item->bytes;
  }

  ItemTables tables_;
  LogIndex index_ = 10;
};

TEST_F(TableCommandsTest, ATableIsNamedByTheEntryThatMadeIt) {
  const TableNumber table = Create("leases");
  EXPECT_EQ(table, index_);
  EXPECT_EQ(tables_.Find("leases")->first, table);
  EXPECT_EQ(tables_.Find(table)->head.definition, "definition of leases");
  EXPECT_EQ(Refused(CreateItemTable("leases")), ErrorReason::kResourceInUse);
  EXPECT_EQ(Refused(CreateItemTable("other", 1)), ErrorReason::kLimitExceeded);
  for (const char* name : {"ab", "", "a/b", "a b c"}) {
    EXPECT_EQ(Refused(CreateItemTable(name)), ErrorReason::kInvalidArgument);
  }
  EXPECT_EQ(Refused(CreateItemTable(std::string(256, 'a'))),
            ErrorReason::kInvalidArgument);
}

TEST_F(TableCommandsTest, ATableChangesOnlyFromTheVersionThatWasSeen) {
  const TableNumber table = Create("leases");
  EXPECT_TRUE(Change(UpdateItemTable(table, table, "new")));
  EXPECT_FALSE(Change(UpdateItemTable(table, table, "newer")));
  EXPECT_EQ(tables_.Find(table)->head.definition, "new");
  EXPECT_FALSE(Change(DeleteItemTable(table, table)));
  EXPECT_TRUE(
      Change(DeleteItemTable(table, tables_.Find(table)->head.version)));
  EXPECT_EQ(tables_.Find(table), nullptr);
  EXPECT_EQ(Refused(DeleteItemTable(table, table)),
            ErrorReason::kResourceNotFound);
  EXPECT_EQ(Refused(PutItem(table, "k", "v")), ErrorReason::kResourceNotFound);
  EXPECT_NE(Create("leases"), table);
}

TEST_F(TableCommandsTest, AnItemIsWrittenFromTheVersionThatWasSeen) {
  const TableNumber table = Create("leases");
  EXPECT_THAT(Write(PutItem(table, "k", "one", 0)).conflicts(), IsEmpty());
  const ItemVersion version = index_;
  v1::WriteItemsReply reply = Write(PutItem(table, "k", "two", 0));
  ASSERT_EQ(reply.conflicts_size(), 1);
  EXPECT_EQ(reply.conflicts(0).version(), version);
  EXPECT_EQ(reply.conflicts(0).item(), "one");
  reply = Write(PutItem(table, "k", "two", version));
  EXPECT_THAT(reply.conflicts(), IsEmpty());
  EXPECT_EQ(reply.version(), index_);
  // Of two that saw the same, one wins.
  EXPECT_EQ(Write(RemoveItem(table, "k", version)).conflicts_size(), 1);
  EXPECT_EQ(ItemOf(table, "k"), "two");
  EXPECT_THAT(Write(RemoveItem(table, "k", reply.version())).conflicts(),
              IsEmpty());
  EXPECT_EQ(ItemOf(table, "k"), "none");
  EXPECT_EQ(tables_.bytes(), 0u);
  // Whatever it is.
  Write(PutItem(table, "k", "three"));
  EXPECT_EQ(ItemOf(table, "k"), "three");
}

TEST_F(TableCommandsTest, SeveralWritesHappenTogetherOrNotAtAll) {
  const TableNumber one = Create("one");
  const TableNumber two = Create("two");
  Write(PutItem(one, "seen", "a"));
  const ItemVersion version = index_;
  v1::Command command = PutItem(one, "new", "b", 0);
  AddWrite(one, "seen", version, &command);
  AddWrite(two, "gone", 7, &command).set_remove(true);
  v1::WriteItemsReply reply = Write(command);
  ASSERT_EQ(reply.conflicts_size(), 1);
  EXPECT_EQ(reply.conflicts(0).write(), 2u);
  EXPECT_EQ(reply.conflicts(0).version(), 0u);
  EXPECT_EQ(ItemOf(one, "new"), "none");

  command.mutable_tables()
      ->mutable_write_items()
      ->mutable_writes(2)
      ->set_version(0);
  EXPECT_THAT(Write(command).conflicts(), IsEmpty());
  EXPECT_EQ(ItemOf(one, "new"), "b");
  // What was only looked at has the version it had.
  EXPECT_EQ(FindItem(*tables_.Find(one), "seen")->version, version);
}

TEST_F(TableCommandsTest, WhatIsTooMuchIsRefusedAndNothingWritten) {
  const TableNumber table = Create("leases");
  EXPECT_EQ(Refused(PutItem(table, "", "v")), ErrorReason::kInvalidArgument);
  EXPECT_EQ(
      Refused(PutItem(table, std::string(kItemKeyBytesMax + 1, 'k'), "v")),
      ErrorReason::kInvalidArgument);
  EXPECT_EQ(Refused(PutItem(table, "k", std::string(kItemBytesMax + 1, 'v'))),
            ErrorReason::kInvalidArgument);
  v1::Command twice = PutItem(table, "k", "v");
  AddWrite(table, "k", std::nullopt, &twice).set_remove(true);
  EXPECT_EQ(Refused(twice), ErrorReason::kInvalidArgument);

  const auto bounded = [table](const std::string& item) {
    v1::Command command = PutItem(table, "k", item);
    command.mutable_tables()->mutable_write_items()->set_bytes_max(
        kItemOverheadBytes + 11);
    return command;
  };
  EXPECT_EQ(Refused(bounded("eleven byte")), ErrorReason::kLimitExceeded);
  EXPECT_THAT(Do(bounded("eleven byte")).status.message(),
              HasSubstr("limit is 111"));
  Write(bounded("ten bytes."));
  EXPECT_EQ(tables_.bytes(), kItemOverheadBytes + 11);
  Write(PutItem(table, "k", "more than that"));
  // Less is taken, though it is still too much.
  Write(bounded("more than it"));
  EXPECT_EQ(Refused(CreateItemTable("")), ErrorReason::kInvalidArgument);
  EXPECT_EQ(Refused(v1::Command()), ErrorReason::kInvalidArgument);
}

}  // namespace
}  // namespace trireme
