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
  absl::Status SetPolicy(const std::string& policy) {
    v1::Command command;
    command.mutable_set_policy()->set_stream_id(1);
    command.mutable_set_policy()->set_policy(policy);
    return replica_.Command(0, command, kStart).status;
  }
  // The bits before and after.
  std::pair<uint32_t, uint32_t> Monitor(uint32_t enable, uint32_t disable) {
    v1::Command command;
    v1::ChangeMonitoringCommand& change = *command.mutable_change_monitoring();
    change.set_stream_id(1);
    change.set_enable(enable);
    change.set_disable(disable);
    v1::ChangeMonitoringReply reply;
    EXPECT_TRUE(
        reply.ParseFromString(replica_.Command(0, command, kStart).reply));
    return {reply.before(), reply.after()};
  }
  absl::Status Encrypt(const std::string& key_id) {
    v1::Command command;
    command.mutable_change_encryption()->set_stream_id(1);
    command.mutable_change_encryption()->set_key_id(key_id);
    return replica_.Command(0, command, kStart).status;
  }
  absl::Status Change(std::optional<StreamMode> mode,
                      std::optional<uint32_t> warm, uint32_t streams_max = 0) {
    v1::Command command;
    v1::ChangeCapacityCommand& change = *command.mutable_change_capacity();
    change.set_stream_id(1);
    if (mode) change.set_mode(static_cast<uint32_t>(*mode));
    if (warm) change.set_warm_mibps(*warm);
    change.set_on_demand_streams_max(streams_max);
    return replica_.Command(0, command, kStart).status;
  }
  absl::Status Distribute(RecordDistribution distribution) {
    v1::Command command;
    command.mutable_update_stream_settings()->set_stream_id(1);
    command.mutable_update_stream_settings()->set_distribution(
        static_cast<uint32_t>(distribution));
    return replica_.Command(0, command, kStart).status;
  }
  void Complete() {
    v1::Command complete;
    complete.mutable_complete_reshards()->set_stream_id(1);
    ASSERT_OK(replica_.Command(0, complete, kStart).status);
  }
  BillingCommitment Commit(bool enable, absl::Time now) {
    v1::Command command;
    command.mutable_update_account_settings()->set_commitment(enable);
    const auto account = DecodeAccount(
        replica_.Command(0, command, absl::ToUnixMillis(now)).reply);
    EXPECT_OK(account);
    return account.value_or(AccountSettings()).commitment;
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

TEST_F(SettingsCommandsTest, APolicyIsKeptAsItIsAndDeleted) {
  Activate();
  const std::string policy = "{ \"a\":\n1 }";
  ASSERT_OK(SetPolicy(policy));
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_EQ(stream()->policy, policy);
  ASSERT_OK(SetPolicy(""));
  EXPECT_EQ(stream()->policy, "");
}

TEST_F(SettingsCommandsTest, MetricsAreAddedAndTakenAway) {
  Activate();
  EXPECT_EQ(Monitor(0b0101, 0), std::make_pair(0u, 0b0101u));
  EXPECT_EQ(Monitor(0b0011, 0), std::make_pair(0b0101u, 0b0111u));
  EXPECT_EQ(Monitor(0, 0b1001), std::make_pair(0b0111u, 0b0110u));
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_EQ(stream()->shard_metrics.bits(), 0b0110u);
  // Bits that mean nothing (yet) are not kept.
  EXPECT_EQ(Monitor(0xffffffff, 0), std::make_pair(0b0110u, 0x7fu));
}

TEST_F(SettingsCommandsTest, AnEncryptionMakesTheStreamUpdatingUntilItIsDone) {
  Activate();
  ASSERT_OK(Encrypt("alias/k"));
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_EQ(stream()->kms_key_id, "alias/k");
  EXPECT_EQ(stream()->status, StreamStatus::kUpdating);
  EXPECT_EQ(ReasonOf(Encrypt("")), ErrorReason::kResourceInUse);
  v1::Command complete;
  complete.mutable_complete_reshards()->set_stream_id(1);
  ASSERT_OK(replica_.Command(0, complete, kStart).status);
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
  EXPECT_EQ(stream()->kms_key_id, "alias/k");
  ASSERT_OK(Encrypt(""));
  EXPECT_EQ(stream()->kms_key_id, "");
}

TEST_F(SettingsCommandsTest, AModeMakesTheStreamUpdatingUntilItIsDone) {
  Activate();
  ASSERT_OK(Change(StreamMode::kOnDemand, 7));
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_EQ(stream()->status, StreamStatus::kUpdating);
  EXPECT_EQ(stream()->mode, StreamMode::kOnDemand);
  EXPECT_EQ(stream()->warm, (WarmThroughput{7, 0}));
  Complete();
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
  EXPECT_EQ(stream()->warm, (WarmThroughput{7, 1}));
  EXPECT_EQ(replica_.state().catalog().on_demand_stream_count(), 1u);

  ASSERT_OK(Change(std::nullopt, 9));
  EXPECT_EQ(stream()->warm, (WarmThroughput{9, 1}));
  Complete();
  // Warm throughput is on-demand streams' alone.
  ASSERT_OK(Change(StreamMode::kProvisioned, std::nullopt));
  Complete();
  EXPECT_EQ(stream()->warm, std::nullopt);
  EXPECT_EQ(ReasonOf(Change(std::nullopt, 1)), ErrorReason::kInvalidArgument);
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
}

TEST_F(SettingsCommandsTest, OnlyOnDemandStreamsAreAuto) {
  Activate();
  EXPECT_EQ(ReasonOf(Distribute(RecordDistribution::kAuto)),
            ErrorReason::kInvalidArgument);
  ASSERT_OK(Change(StreamMode::kOnDemand, std::nullopt));
  Complete();
  ASSERT_OK(Distribute(RecordDistribution::kAuto));
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_EQ(stream()->distribution, RecordDistribution::kAuto);
  EXPECT_EQ(ReasonOf(Change(StreamMode::kProvisioned, std::nullopt)),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(stream()->mode, StreamMode::kOnDemand);
}

TEST_F(SettingsCommandsTest, OnDemandStreamsHaveALimit) {
  Activate();
  v1::Command create = CreateStream("on-demand", 4);
  create.mutable_create_stream()->set_mode(
      static_cast<uint32_t>(StreamMode::kOnDemand));
  create.mutable_create_stream()->set_on_demand_streams_max(1);
  ASSERT_OK(replica_.Command(0, create, kStart).status);
  create.mutable_create_stream()->set_name("one-more");
  EXPECT_EQ(ReasonOf(replica_.Command(0, create, kStart).status),
            ErrorReason::kLimitExceeded);
  EXPECT_EQ(ReasonOf(Change(StreamMode::kOnDemand, std::nullopt, 1)),
            ErrorReason::kLimitExceeded);
  // A provisioned one is none of them.
  EXPECT_OK(replica_.Command(0, CreateStream("t", 1), kStart).status);
}

TEST_F(SettingsCommandsTest, ADeletionMaySayWhichStreamItMeans) {
  Activate();
  v1::Command remove;
  remove.mutable_delete_stream()->set_name("s");
  remove.mutable_delete_stream()->set_stream_id(2);
  EXPECT_EQ(ReasonOf(replica_.Command(0, remove, kStart).status),
            ErrorReason::kResourceNotFound);
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
  remove.mutable_delete_stream()->set_stream_id(1);
  EXPECT_OK(replica_.Command(0, remove, kStart).status);
}

TEST_F(SettingsCommandsTest, ACommitmentLastsADayAtLeast) {
  const absl::Time start = absl::FromUnixMillis(kStart);
  BillingCommitment commitment = Commit(true, start);
  EXPECT_EQ(commitment.status, CommitmentStatus::kEnabled);
  EXPECT_EQ(commitment.started, start);
  EXPECT_EQ(commitment.earliest_end, start + absl::Hours(24));
  EXPECT_EQ(commitment.ended, std::nullopt);

  commitment = Commit(false, start + absl::Hours(1));
  EXPECT_EQ(commitment.status, CommitmentStatus::kEnding);
  // Enabling takes that back, and does not begin a new day.
  commitment = Commit(true, start + absl::Hours(2));
  EXPECT_EQ(commitment.status, CommitmentStatus::kEnabled);
  EXPECT_EQ(commitment.earliest_end, start + absl::Hours(24));

  commitment = Commit(false, start + absl::Hours(3));
  EXPECT_EQ(AsOf(commitment, start + absl::Hours(24) - absl::Milliseconds(1)),
            commitment);
  const BillingCommitment due = AsOf(commitment, start + absl::Hours(24));
  EXPECT_EQ(due.status, CommitmentStatus::kDisabled);
  EXPECT_EQ(due.ended, start + absl::Hours(24));
  EXPECT_EQ(due.earliest_end, std::nullopt);

  // It has ended meanwhile: this is a new one.
  commitment = Commit(true, start + absl::Hours(50));
  EXPECT_EQ(commitment.started, start + absl::Hours(50));
  EXPECT_EQ(commitment.earliest_end, start + absl::Hours(74));
  commitment = Commit(false, start + absl::Hours(74));
  EXPECT_EQ(commitment.status, CommitmentStatus::kDisabled);
  EXPECT_EQ(commitment.ended, start + absl::Hours(74));
}

TEST_F(SettingsCommandsTest, TheAccountOutlivesACrash) {
  const BillingCommitment commitment =
      Commit(true, absl::FromUnixMillis(kStart));
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_EQ(replica_.state().catalog().account().commitment, commitment);
}

TEST_F(SettingsCommandsTest, DamagedRowsOfTheAccountAreDataLoss) {
  v1::AccountRow row;
  row.set_commitment_status(3);
  EXPECT_EQ(DecodeAccount(row.SerializeAsString()).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeAccount("\xff").status().code(), absl::StatusCode::kDataLoss);
}

TEST(ShardMetricsTest, NamesAreTheContracts) {
  const ShardMetrics all = *ShardMetrics::Parse("ALL");
  ASSERT_EQ(all.Names().size(), 7u);
  ShardMetrics each;
  for (const absl::string_view name : all.Names()) {
    const auto metric = ShardMetrics::Parse(name);
    ASSERT_TRUE(metric.has_value()) << name;
    EXPECT_THAT(metric->Names(), ::testing::ElementsAre(name));
    each = each.With(*metric);
  }
  EXPECT_EQ(each, all);
  EXPECT_EQ(all.Without(all), ShardMetrics());
  EXPECT_EQ(ShardMetrics::Parse("incomingBytes"), std::nullopt);
  EXPECT_EQ(ShardMetrics::AllNames().size(), 8u);
}

TEST_F(SettingsCommandsTest, AStreamThatIsNotActiveKeepsItsTags) {
  EXPECT_EQ(ReasonOf(Tag({}, {"a"})), ErrorReason::kResourceInUse);
  EXPECT_EQ(stream()->tags, (Tags{{"a", "1"}}));
}

TEST_F(SettingsCommandsTest, AConsumersPolicyIsSetWhileItsStreamIsUpdating) {
  Activate();
  v1::Command registered;
  registered.mutable_register_consumer()->set_stream_id(1);
  registered.mutable_register_consumer()->set_name("c");
  ASSERT_OK(replica_.Command(0, registered, kStart).status);
  ASSERT_OK(Encrypt("key"));
  v1::Command command;
  command.mutable_set_policy()->set_stream_id(1);
  command.mutable_set_policy()->set_policy("{}");
  EXPECT_EQ(ReasonOf(replica_.Command(0, command, kStart).status),
            ErrorReason::kResourceInUse);
  command.mutable_set_policy()->set_consumer(
      replica_.state().catalog().Find("s")->consumers.by_name.at("c").number);
  EXPECT_OK(replica_.Command(0, command, kStart).status);
}

TEST_F(SettingsCommandsTest, TheModeAStreamHasIsNoChange) {
  Activate();
  v1::Command command;
  v1::ChangeCapacityCommand& change = *command.mutable_change_capacity();
  change.set_stream_id(1);
  change.set_times_a_day_max(1);
  change.set_mode(static_cast<uint32_t>(StreamMode::kProvisioned));
  for (int i = 0; i < 3; ++i)
    EXPECT_OK(replica_.Command(0, command, kStart).status);
  EXPECT_EQ(replica_.state().catalog().Find("s")->status,
            StreamStatus::kActive);
}

}  // namespace
}  // namespace trireme
