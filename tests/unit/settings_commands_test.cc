#include "storage/settings_commands.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "storage/tag_rows.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

constexpr int64_t kStart = 1'700'000'000'000;

class SettingsCommandsTest : public ::testing::Test {
 protected:
  SettingsCommandsTest() {
    v1::Command create = CreateStream("s", 1);
    v1::TagRow& tag = *create.mutable_create_stream()->add_tags();
    tag.set_key("a");
    tag.set_value("1");
    replica_.Command(0, create, kStart);
  }

  void Activate() {
    v1::Command activate;
    activate.mutable_activate_stream()->set_stream_id(1);
    replica_.Command(0, activate, kStart);
  }
  absl::Status Tag(const Tags& add, const std::vector<std::string>& remove,
                   uint32_t tags_max = 50) {
    v1::Command command;
    v1::TagStreamCommand& tag = *command.mutable_tag_stream();
    tag.set_stream_id(1);
    tag.set_tags_max(tags_max);
    for (const std::string& key : remove) tag.add_remove_keys(key);
    AppendTags(add, tag.mutable_add());
    return replica_.Command(0, command, kStart).status;
  }
  std::shared_ptr<const Stream> stream() {
    return replica_.state().catalog().Find("s");
  }

  Replica replica_;
};

TEST_F(SettingsCommandsTest, SettingsAndTagsOutliveACrash) {
  Activate();
  ASSERT_OK(Tag({{"b", "2"}, {"c", ""}}, {"a"}));
  v1::Command update;
  update.mutable_update_stream_settings()->set_stream_id(1);
  update.mutable_update_stream_settings()->set_record_bytes_max(2u << 20);
  ASSERT_OK(replica_.Command(0, update, kStart).status);
  replica_.state().Flush().IgnoreError();
  replica_.Crash();
  EXPECT_EQ(stream()->tags, (Tags{{"b", "2"}, {"c", ""}}));
  EXPECT_EQ(stream()->record_bytes_max, 2u << 20);
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
}

// Two that came at once each saw room for theirs.
TEST_F(SettingsCommandsTest, TheLimitHoldsWhereTagsAreApplied) {
  Activate();
  ASSERT_OK(Tag({{"b", "2"}}, {}, 2));
  EXPECT_EQ(ReasonOf(Tag({{"c", "3"}}, {}, 2)), ErrorReason::kInvalidArgument);
  EXPECT_EQ(stream()->tags, (Tags{{"a", "1"}, {"b", "2"}}));
  EXPECT_OK(Tag({{"c", "3"}}, {"a"}, 2));
}

TEST_F(SettingsCommandsTest, AStreamThatIsNotActiveKeepsItsTags) {
  EXPECT_EQ(ReasonOf(Tag({}, {"a"})), ErrorReason::kResourceInUse);
  EXPECT_EQ(stream()->tags, (Tags{{"a", "1"}}));
}

}  // namespace
}  // namespace trireme
