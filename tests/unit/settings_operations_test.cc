#include "server/settings_operations.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kArn[] = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

class SettingsOperationsTest : public ::testing::Test {
 protected:
  SettingsOperationsTest() { node_.CreateActive("s", 1); }

  absl::Status Add(const Tags& tags, const StreamAddress& stream = {"s"}) {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.AddTags({stream, tags}, TestNode::kTimeout,
                         [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }
  absl::Status Remove(const std::vector<std::string>& keys) {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.RemoveTags({{"s"}, keys}, TestNode::kTimeout,
                            [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }
  absl::StatusOr<ListTagsResponse> List(const std::string& after = "",
                                        int limit = 0) {
    TestNode::Answer<ListTagsResponse> answer;
    node_.broker.ListTags({{"s"}, after, limit}, TestNode::kTimeout,
                          answer.Callback());
    return node_.Take(answer);
  }
  absl::Status SetMaxRecordSize(int kib) {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.UpdateMaxRecordSize({{"s"}, kib}, TestNode::kTimeout,
                                     [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }

  absl::StatusOr<MonitoringResponse> Monitor(
      const std::vector<absl::string_view>& metrics, bool enable) {
    TestNode::Answer<MonitoringResponse> answer;
    node_.broker.ChangeEnhancedMonitoring(
        {{"s"}, metrics, enable}, TestNode::kTimeout, answer.Callback());
    return node_.Take(answer);
  }
  absl::Status Encrypt(const std::string& key_id, bool is_kms = true) {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.StartStreamEncryption({{"s"}, is_kms, key_id},
                                       TestNode::kTimeout,
                                       [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }
  absl::Status Decrypt() {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.StopStreamEncryption({{"s"}, true, "k"}, TestNode::kTimeout,
                                      [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }

  TestNode node_;
};

Tags ManyTags(int count) {
  Tags tags;
  for (int i = 0; i < count; ++i) tags[absl::StrCat("key", 100 + i)] = "v";
  return tags;
}

TEST_F(SettingsOperationsTest, TagsAreAddedChangedRemovedAndPaged) {
  ASSERT_OK(Add({{"team", "a"}, {"cost", ""}}));
  ASSERT_OK(Add({{"team", "b"}, {"\u00fcmlaut", "x y"}}));
  auto tags = List();
  ASSERT_OK(tags);
  EXPECT_EQ(tags->tags,
            (Tags{{"cost", ""}, {"team", "b"}, {"\u00fcmlaut", "x y"}}));
  EXPECT_FALSE(tags->has_more_tags);
  tags = List("", 2);
  EXPECT_EQ(tags->tags.size(), 2u);
  EXPECT_TRUE(tags->has_more_tags);
  tags = List("team", 2);
  EXPECT_EQ(tags->tags, (Tags{{"\u00fcmlaut", "x y"}}));
  EXPECT_FALSE(tags->has_more_tags);
  ASSERT_OK(Remove({"team", "nobody has it"}));
  EXPECT_EQ(List()->tags.size(), 2u);
}

TEST_F(SettingsOperationsTest, AStreamHasFiftyTagsAtMost) {
  ASSERT_OK(Add(ManyTags(50)));
  const absl::Status status = Add({{"one more", ""}});
  EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidArgument);
  EXPECT_THAT(status.message(),
              HasSubstr("cannot have more than 50 tags associated with it; it "
                        "would have 51"));
  // A new value is no new tag.
  EXPECT_OK(Add({{"key100", "w"}}));
  EXPECT_EQ(List()->tags.size(), 50u);
}

TEST_F(SettingsOperationsTest, MalformedTagsAreRefusedByName) {
  absl::Status status = Add({{"a?", "b"}});
  EXPECT_EQ(ReasonOf(status), ErrorReason::kValidation);
  EXPECT_THAT(status.message(), HasSubstr("Value 'a?' at 'tags.key'"));
  status = Add({{"k", std::string(257, 'v')}});
  EXPECT_THAT(status.message(),
              HasSubstr("Member must have length less than or equal to 256"));
  EXPECT_EQ(ReasonOf(Add({})), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(Remove({})), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(Remove({""})), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(Add({{"aws:mine", ""}})), ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(List("", 51).status()), ErrorReason::kValidation);
}

TEST_F(SettingsOperationsTest, AResourceIsNamedByItsArn) {
  EXPECT_OK(Add({{"k", "v"}}, {"", kArn, /*is_resource=*/true}));
  EXPECT_EQ(List()->tags, (Tags{{"k", "v"}}));
  for (const absl::string_view arn : {"", "s", "arn:aws:s3:::bucket"}) {
    const absl::Status status = Add({{"k", "v"}}, {"", arn, true});
    EXPECT_EQ(ReasonOf(status), ErrorReason::kValidation) << arn;
    EXPECT_THAT(status.message(), HasSubstr("at 'resourceARN'"));
  }
}

TEST_F(SettingsOperationsTest, TagsComeWithAStreamAndNeedItActive) {
  absl::Status status = absl::InternalError("not answered");
  node_.replicas.leader = NodeId(2);  // Nothing activates it here.
  node_.broker.CreateStream({"new", 1, 0, {{"k", "v"}}}, TestNode::kTimeout,
                            [&](absl::Status got) { status = got; });
  node_.Settle();
  ASSERT_OK(status);
  EXPECT_EQ(node_.replica.state().catalog().Find("new")->tags,
            (Tags{{"k", "v"}}));
  status = Add({{"l", "w"}}, {"new"});
  EXPECT_EQ(ReasonOf(status), ErrorReason::kResourceInUse);
  EXPECT_EQ(status.message(),
            "Stream new under account 000000000000 not ACTIVE, instead in "
            "state CREATING");
  EXPECT_EQ(ReasonOf(Add({{"l", "w"}}, {"none"})),
            ErrorReason::kResourceNotFound);
}

TEST_F(SettingsOperationsTest, LargerRecordsAreTakenOnceTheyAreAllowed) {
  const std::string data(2u << 20, 'x');
  EXPECT_FALSE(node_.Put("s", "k", data).ok());
  ASSERT_OK(SetMaxRecordSize(10'240));
  EXPECT_OK(node_.Put("s", "k", data));
  ASSERT_OK(SetMaxRecordSize(1'024));
  EXPECT_FALSE(node_.Put("s", "k", data).ok());
  for (const int kib : {0, 1'023, 10'241}) {
    EXPECT_EQ(ReasonOf(SetMaxRecordSize(kib)), ErrorReason::kValidation);
  }
}

TEST_F(SettingsOperationsTest, MonitoringTellsTheMetricsBeforeAndAfter) {
  const auto enabled = Monitor({"IncomingBytes", "OutgoingRecords"}, true);
  ASSERT_OK(enabled);
  EXPECT_EQ(enabled->stream->name, "s");
  EXPECT_THAT(enabled->before.Names(), ElementsAre());
  EXPECT_THAT(enabled->after.Names(),
              ElementsAre("IncomingBytes", "OutgoingRecords"));
  const auto all = Monitor({"ALL"}, true);
  ASSERT_OK(all);
  EXPECT_EQ(all->before, enabled->after);
  EXPECT_EQ(all->after.Names().size(), 7u);
  const auto fewer = Monitor({"IncomingBytes"}, false);
  ASSERT_OK(fewer);
  EXPECT_EQ(fewer->after.Names().size(), 6u);
  EXPECT_EQ(node_.replica.state().catalog().Find("s")->shard_metrics,
            fewer->after);
}

TEST_F(SettingsOperationsTest, UnknownMetricsAreRefusedByTheirPlace) {
  const absl::Status status = Monitor({"ALL", "Speed"}, true).status();
  EXPECT_EQ(ReasonOf(status), ErrorReason::kValidation);
  EXPECT_THAT(status.message(),
              HasSubstr("Value 'Speed' at 'shardLevelMetrics.2.member' failed "
                        "to satisfy constraint: Member must satisfy enum value "
                        "set: [IncomingBytes, "));
  EXPECT_EQ(ReasonOf(Monitor({}, true).status()), ErrorReason::kValidation);
  EXPECT_EQ(
      ReasonOf(
          Monitor(std::vector<absl::string_view>(8, "ALL"), false).status()),
      ErrorReason::kValidation);
}

TEST_F(SettingsOperationsTest, EncryptionIsUpdatingThenActive) {
  node_.replicas.leader = NodeId(2);  // Nothing drives the stream here.
  ASSERT_OK(Encrypt("alias/k"));
  auto stream = node_.replica.state().catalog().Find("s");
  EXPECT_EQ(stream->status, StreamStatus::kUpdating);
  EXPECT_EQ(ReasonOf(Encrypt("alias/l")), ErrorReason::kResourceInUse);
  // Its leader is gone: the next one finds what is left to do.
  node_.replicas.leader = NodeId(1);
  node_.lifecycle.RunOnce();
  node_.Settle();
  stream = node_.replica.state().catalog().Find("s");
  EXPECT_EQ(stream->status, StreamStatus::kActive);
  EXPECT_EQ(stream->kms_key_id, "alias/k");

  ASSERT_OK(Decrypt());
  stream = node_.replica.state().catalog().Find("s");
  EXPECT_EQ(stream->status, StreamStatus::kActive);
  EXPECT_EQ(stream->kms_key_id, "");
}

TEST_F(SettingsOperationsTest, EncryptionNeedsAKey) {
  EXPECT_EQ(ReasonOf(Encrypt("")), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(Encrypt(std::string(2049, 'k'))),
            ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(Encrypt("k", /*is_kms=*/false)),
            ErrorReason::kInvalidArgument);
}

TEST_F(SettingsOperationsTest, LimitsCountTheOpenShards) {
  node_.CreateActive("t", 3);
  TestNode::Answer<DescribeLimitsResponse> answer;
  node_.broker.DescribeLimits(TestNode::kTimeout, answer.Callback());
  const auto limits = node_.Take(answer);
  ASSERT_OK(limits);
  EXPECT_EQ(limits->shard_limit, 10'000u);
  EXPECT_EQ(limits->open_shard_count, 4u);
  EXPECT_EQ(limits->on_demand_stream_count, 0u);
  EXPECT_EQ(limits->on_demand_stream_count_limit, 50u);
}

}  // namespace
}  // namespace trireme
