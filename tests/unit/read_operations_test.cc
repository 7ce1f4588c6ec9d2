#include "server/read_operations.h"

#include "gmock/gmock.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kTrimHorizon = ShardIteratorType::kTrimHorizon;
constexpr auto kLatest = ShardIteratorType::kLatest;
constexpr auto kAt = ShardIteratorType::kAtSequenceNumber;
constexpr auto kAfter = ShardIteratorType::kAfterSequenceNumber;
constexpr auto kAtTimestamp = ShardIteratorType::kAtTimestamp;

TEST(GetRecordsTest, LatestIsThePlaceWhereItWasIssued) {
  TestNode node;
  node.CreateActive("s", 1);
  ASSERT_OK(node.Put("s", "k", "before"));
  const auto iterator = node.Iterator("s", "0", kLatest);
  ASSERT_OK(node.Put("s", "k", "after"));
  const auto read = node.Get(*iterator);
  ASSERT_OK(read);
  EXPECT_THAT(DataOf(read->records), ElementsAre("after"));
}

TEST(GetRecordsTest, TheSameIteratorGivesTheSameAndTheNextGoesOn) {
  TestNode node;
  node.CreateActive("s", 1);
  for (const char* data : {"1", "2", "3"}) ASSERT_OK(node.Put("s", "k", data));
  const auto iterator = node.Iterator("s", "0", kTrimHorizon);
  const auto first = node.Get(*iterator, 2);
  ASSERT_OK(first);
  EXPECT_THAT(DataOf(first->records), ElementsAre("1", "2"));
  EXPECT_GT(first->millis_behind_latest, 0);
  EXPECT_THAT(DataOf(node.Get(*iterator, 2)->records), ElementsAre("1", "2"));
  const auto second = node.Get(first->next_shard_iterator, 2);
  EXPECT_THAT(DataOf(second->records), ElementsAre("3"));
  EXPECT_EQ(second->millis_behind_latest, 0);
  // An idle reader's iterator is a new one every time, within a millisecond
  // too.
  const auto idle = node.Get(second->next_shard_iterator);
  EXPECT_NE(idle->next_shard_iterator, second->next_shard_iterator);
  node.clock.Advance(absl::Seconds(200));
  const auto third = node.Get(second->next_shard_iterator);
  EXPECT_THAT(DataOf(third->records), ElementsAre());
  EXPECT_NE(third->next_shard_iterator, second->next_shard_iterator);
  node.clock.Advance(absl::Seconds(200));
  EXPECT_OK(node.Get(third->next_shard_iterator));
  EXPECT_EQ(ReasonOf(node.Get(second->next_shard_iterator).status()),
            ErrorReason::kExpiredIterator);
}

TEST(GetRecordsTest, RecordsComeFromTheLogWhenTheTailHasLetThemGo) {
  TestNode node(0, /*tail_bytes=*/1);
  node.CreateActive("s", 1);
  std::vector<std::string> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::to_string(i));
    ASSERT_OK(node.Put("s", "k", all.back()));
  }
  const auto read = node.Get(*node.Iterator("s", "0", kTrimHorizon));
  ASSERT_OK(read);
  EXPECT_EQ(DataOf(read->records), all);
  EXPECT_EQ(read->millis_behind_latest, 0);
}

TEST(GetRecordsTest, ExpiredRecordsAreNotReadFromMemoryEither) {
  TestNode node;
  node.CreateActive("s", 1);
  ASSERT_OK(node.Put("s", "k", "old"));
  node.Advance(absl::Hours(20));
  ASSERT_OK(node.Put("s", "k", "new"));
  node.Advance(absl::Hours(5));
  const auto read = node.Get(*node.Iterator("s", "0", kTrimHorizon));
  ASSERT_OK(read);
  EXPECT_THAT(DataOf(read->records), ElementsAre("new"));
}

TEST(GetRecordsTest, ARequestTakesUpTo10000RecordsAnd10MiB) {
  TestNode node;
  node.CreateActive("s", 1);
  const auto iterator = node.Iterator("s", "0", kTrimHorizon);
  EXPECT_EQ(ReasonOf(node.Get(*iterator, 10'001).status()),
            ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Get(*iterator, -1).status()),
            ErrorReason::kValidation);
  const std::string data(1'000'000, 'x');
  for (int i = 0; i < 12; ++i) ASSERT_OK(node.Put("s", "k", data));
  const auto read = node.Get(*iterator);
  ASSERT_OK(read);
  EXPECT_EQ(read->records.record_count, 10u);
  EXPECT_LE(read->records.bytes, kGetRecordsBytesMax);
}

TEST(GetRecordsTest, ADryRunReadsNothingAndTellsTheError) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 1);
  node.CreateActive("t", 1);
  const auto get = [&](const GetRecordsRequest& request) {
    TestNode::Answer<GetRecordsResponse> answer;
    node.broker.GetRecords(request, TestNode::kTimeout, answer.Callback());
    return ReasonOf(node.Take(answer).status());
  };
  const std::string iterator = *node.Iterator("s", "0", kTrimHorizon);
  const std::string id = StreamIdToString(stream->id);
  const std::string other = StreamIdToString(StreamId(stream->id.value() + 1));
  EXPECT_EQ(get({iterator, 0, "", id, true}), ErrorReason::kDryRunOperation);
  EXPECT_EQ(get({iterator, 0, "", id, false}), ErrorReason::kNone);
  EXPECT_EQ(get({iterator, 0, "", other, true}), ErrorReason::kInvalidArgument);
  EXPECT_EQ(get({"no token", 0, "", "", true}), ErrorReason::kInvalidArgument);
}

TEST(GetShardIteratorTest, ADryRunGivesNoneAndTellsTheError) {
  TestNode node;
  node.CreateActive("s", 1);
  const auto get = [&](const std::string& shard) {
    TestNode::Answer<GetShardIteratorResponse> answer;
    GetShardIteratorRequest request{{"s"}, shard, {kTrimHorizon, "", {}}, true};
    node.broker.GetShardIterator(request, TestNode::kTimeout,
                                 answer.Callback());
    return ReasonOf(node.Take(answer).status());
  };
  EXPECT_EQ(get("0"), ErrorReason::kDryRunOperation);
  EXPECT_EQ(get("1"), ErrorReason::kResourceNotFound);
}

TEST(GetRecordsTest, TokensThatAreNotOursAreRefused) {
  TestNode node;
  node.CreateActive("s", 1);
  for (const char* token :
       {"garbage", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    const auto read = node.Get(token);
    EXPECT_EQ(ReasonOf(read.status()), ErrorReason::kInvalidArgument);
    EXPECT_EQ(read.status().message(), "Invalid ShardIterator.");
  }
  EXPECT_EQ(ReasonOf(node.Get("").status()), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Get(std::string(513, 'A')).status()),
            ErrorReason::kValidation);
}

TEST(GetRecordsTest, AnIteratorOfADeletedStreamIsNotFound) {
  TestNode node;
  node.CreateActive("s", 1);
  const auto iterator = node.Iterator("s", "0", kTrimHorizon);
  node.clock.Advance(absl::Seconds(1));
  node.broker.DeleteStream({{"s"}}, TestNode::kTimeout, [](absl::Status) {});
  node.Settle();
  node.CreateActive("s", 1);  // Another stream of the same name.
  EXPECT_EQ(ReasonOf(node.Get(*iterator).status()),
            ErrorReason::kResourceNotFound);
}

TEST(GetRecordsTest, WithoutALeaderOnlyReadNearestServes) {
  for (const bool nearest : {false, true}) {
    BrokerOptions options = TestNode::Options();
    if (nearest) options.read_from = ReadFrom::kNearest;
    TestNode node(0, 1 << 20, options);
    node.CreateActive("s", 1);
    ASSERT_OK(node.Put("s", "k", "d"));
    const auto iterator = node.Iterator("s", "0", kTrimHorizon);
    ASSERT_OK(iterator);
    node.replicas.barrier_status = MakeError(ErrorReason::kNoLeader, "none");
    const auto read = node.Get(*iterator);
    EXPECT_EQ(read.ok(), nearest);
    if (!nearest) {
      EXPECT_EQ(ReasonOf(read.status()), ErrorReason::kNoLeader);
    }
  }
}

TEST(GetShardIteratorTest, NumbersArePositionsOfTheirOwnShard) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 2);
  const auto first = node.Put("s", "a", "1");
  ASSERT_OK(node.Put("s", "a", "2"));
  const std::string number = first->sequence_number.ToString();
  const auto data = [&](ShardIteratorType type, const std::string& at) {
    const auto iterator = node.Iterator("s", "0", type, at);
    EXPECT_OK(iterator);
    return DataOf(node.Get(*iterator)->records);
  };
  EXPECT_THAT(data(kAt, number), ElementsAre("1", "2"));
  EXPECT_THAT(data(kAfter, number), ElementsAre("2"));
  // The shard's own start is valid though no record has it.
  const std::string start = StartingSequenceNumber(stream->shards[0]);
  EXPECT_THAT(data(kAt, start), ElementsAre("1", "2"));
  EXPECT_THAT(data(kAfter, start), ElementsAre("1", "2"));

  const auto text = [&](const std::string& shard, const std::string& at) {
    return std::string(node.Iterator("s", shard, kAt, at).status().message());
  };
  EXPECT_EQ(text("1", number),
            "Invalid StartingSequenceNumber. It encodes shardId-000000000000, "
            "while it was used in a call to a shard with shardId-000000000001");
  SequenceNumber foreign = first->sequence_number;
  foreign.shard_created_s -= 1;
  EXPECT_THAT(text("0", foreign.ToString()),
              HasSubstr(" is invalid because it did not come from this "
                        "stream."));
  EXPECT_THAT(text("0", "12345"),
              HasSubstr("StartingSequenceNumber 12345 used in "
                        "GetShardIterator on shard shardId-000000000000 in "
                        "stream s under account 000000000000 is invalid."));
}

TEST(GetShardIteratorTest, WrongCombinationsAreToldInTheServicesWords) {
  TestNode node;
  node.CreateActive("s", 1);
  const auto text = [&](ShardIteratorType type, const std::string& number,
                        std::optional<absl::Time> time = std::nullopt) {
    return std::string(
        node.Iterator("s", "0", type, number, time).status().message());
  };
  EXPECT_THAT(text(kLatest, "1"),
              HasSubstr("Request specified LATEST and also a "
                        "StartingSequenceNumber."));
  EXPECT_THAT(text(kAt, ""), HasSubstr("Request specified AT_SEQUENCE_NUMBER "
                                       "and no StartingSequenceNumber."));
  EXPECT_THAT(text(kAtTimestamp, ""),
              HasSubstr("Must specify timestampInMillis parameter"));
  EXPECT_THAT(
      text(kAtTimestamp, "", node.clock.WallNow() + absl::Milliseconds(1)),
      HasSubstr("cannot be greater than the currentTimestampInMillis. "
                "timestampInMillis: 1700000000001, currentTimestampInMillis: "
                "1700000000000"));
  EXPECT_THAT(text(ShardIteratorType::kUnspecified, ""),
              HasSubstr("Member must satisfy enum value set"));
  EXPECT_EQ(ReasonOf(node.Iterator("s", "7", kLatest).status()),
            ErrorReason::kResourceNotFound);
}

TEST(GetShardIteratorTest, ATimeFindsTheFirstRecordNotBeforeIt) {
  TestNode node;
  node.CreateActive("s", 1);
  const absl::Time start = node.clock.WallNow();
  for (const char* data : {"0", "1", "2"}) {
    ASSERT_OK(node.Put("s", "k", data));
    node.clock.Advance(absl::Seconds(10));
  }
  const auto data = [&](absl::Time time) {
    const auto iterator = node.Iterator("s", "0", kAtTimestamp, "", time);
    EXPECT_OK(iterator);
    return DataOf(node.Get(*iterator)->records);
  };
  EXPECT_THAT(data(start - absl::Hours(1)), ElementsAre("0", "1", "2"));
  EXPECT_THAT(data(start + absl::Seconds(10)), ElementsAre("1", "2"));
  EXPECT_THAT(data(start + absl::Milliseconds(10'001)), ElementsAre("2"));
  EXPECT_THAT(data(start + absl::Seconds(30)), ElementsAre());
}

}  // namespace
}  // namespace trireme
