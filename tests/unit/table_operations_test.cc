#include "server/table_operations.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TableOperationsTest : public ::testing::Test {
 protected:
  TableOperationsTest() { table_ = Create("leases").number; }

  TableOperations& tables() { return node_.broker.tables(); }
  FoundTable Create(const std::string& name) {
    TestNode::Answer<FoundTable> answer;
    tables().Create(name, "definition", TestNode::kTimeout, answer.Callback());
    const auto found = node_.Take(answer);
    EXPECT_OK(found);
    return *found;
  }
  absl::StatusOr<std::vector<WriteConflict>> Write(
      const std::vector<TableWrite>& writes) {
    TestNode::Answer<std::vector<WriteConflict>> answer;
    tables().Write(writes, TestNode::kTimeout, answer.Callback());
    return node_.Take(answer);
  }
  TableWrite Put(const std::string& key, const std::string& item,
                 std::optional<ItemVersion> version = std::nullopt) {
    return {table_, key, version, WriteAction::kPut, item};
  }
  std::string List(const ItemRange& range) {
    const FoundItems found = tables().List(range);
    std::string keys;
    for (const FoundItem& item : found.items) keys += item.key;
    return keys + (found.has_more ? "..." : "");
  }

  TestNode node_;
  TableNumber table_ = 0;
};

TEST_F(TableOperationsTest, TablesAreFoundByNameAndChangedByVersion) {
  const auto found = tables().Find("leases");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->number, table_);
  EXPECT_EQ(found->head.created_ms, absl::ToUnixMillis(node_.clock.WallNow()));
  EXPECT_FALSE(tables().Find("other").has_value());
  Create("first");
  EXPECT_THAT(tables().Names(), ElementsAre("first", "leases"));

  const auto update = [this](ItemVersion version) {
    TestNode::Answer<bool> answer;
    tables().Update(table_, version, "new", TestNode::kTimeout,
                    answer.Callback());
    return *node_.Take(answer);
  };
  EXPECT_TRUE(update(found->head.version));
  EXPECT_FALSE(update(found->head.version));
  TestNode::Answer<bool> deleted;
  tables().Delete(table_, tables().Find("leases")->head.version,
                  TestNode::kTimeout, deleted.Callback());
  EXPECT_TRUE(*node_.Take(deleted));
  EXPECT_EQ(ReasonOf(Write({Put("k", "v")}).status()),
            ErrorReason::kResourceNotFound);
}

TEST_F(TableOperationsTest, WritesHappenTogetherAndTellOfConflicts) {
  EXPECT_THAT(*Write({Put("a", "1", 0), Put("b", "1", 0)}), IsEmpty());
  const ItemVersion version = tables().Get(table_, "a")->version;
  const auto conflicts = Write({Put("c", "1", 0),
                                Put("a", "2", version + 1),
                                {table_, "b", 0, WriteAction::kCheck, ""}});
  ASSERT_OK(conflicts);
  ASSERT_EQ(conflicts->size(), 2u);
  EXPECT_EQ((*conflicts)[0].write, 1u);
  EXPECT_EQ((*conflicts)[0].version, version);
  EXPECT_EQ((*conflicts)[0].item, "1");
  EXPECT_FALSE(tables().Get(table_, "c").has_value());
  EXPECT_THAT(*Write({{table_, "a", version, WriteAction::kRemove, ""}}),
              IsEmpty());
  EXPECT_FALSE(tables().Get(table_, "a").has_value());
}

TEST_F(TableOperationsTest, AListingIsARangeInEitherOrderWithinBounds) {
  for (const char* key : {"e", "b", "d", "a", "c"}) {
    ASSERT_OK(Write({Put(key, std::string(100, 'x'))}));
  }
  ItemRange range;
  range.table = table_;
  EXPECT_EQ(List(range), "abcde");
  range.from = "b";
  range.to = "e";
  EXPECT_EQ(List(range), "bcd");
  range.backwards = true;
  EXPECT_EQ(List(range), "dcb");
  range.items_max = 2;
  EXPECT_EQ(List(range), "dc...");
  range.backwards = false;
  EXPECT_EQ(List(range), "bc...");
  range.bytes_max = 1;
  EXPECT_EQ(List(range), "b...");
  range.to = "a";
  EXPECT_EQ(List(range), "");
  range.table = 999;
  EXPECT_EQ(List(range), "");
}

TEST_F(TableOperationsTest, AllItemsTogetherAreBounded) {
  const std::string item(1 << 20, 'x');
  uint64_t written = 0;
  while (true) {
    const auto conflicts = Write({Put("k" + std::to_string(written), item)});
    if (!conflicts.ok()) {
      EXPECT_EQ(ReasonOf(conflicts.status()), ErrorReason::kLimitExceeded);
      break;
    }
    ASSERT_LE(++written, 64u);
  }
  EXPECT_EQ(written, kTableItemsBytesMax / (item.size() + 102));
  EXPECT_OK(Write({Put("k0", "less")}));
  EXPECT_OK(Write({Put("other", "fits now")}));
}

TEST_F(TableOperationsTest, NobodyIsToldThatWhatIsUnknownIsDone) {
  node_.replicas.refuse_with.push_back(
      MakeError(ErrorReason::kOutcomeUnknown, "who knows"));
  EXPECT_EQ(ReasonOf(Write({Put("k", "v")}).status()),
            ErrorReason::kOutcomeUnknown);
}

}  // namespace
}  // namespace trireme
