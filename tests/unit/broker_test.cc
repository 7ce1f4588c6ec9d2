#include "server/broker.h"

#include "gmock/gmock.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"
#include "trireme/v1/records.pb.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> DataOf(const RecordRun& run) {
  v1::GetRecordsResponse message;
  EXPECT_TRUE(message.ParseFromString(BytesOf(run)));
  std::vector<std::string> data;
  for (const v1::Record& record : message.records()) {
    data.push_back(record.data());
  }
  return data;
}

constexpr auto kTrimHorizon = ShardIteratorType::kTrimHorizon;
constexpr auto kLatest = ShardIteratorType::kLatest;
constexpr auto kAt = ShardIteratorType::kAtSequenceNumber;
constexpr auto kAfter = ShardIteratorType::kAfterSequenceNumber;
constexpr auto kAtTimestamp = ShardIteratorType::kAtTimestamp;

// --- Writing ---

TEST(PutTest, ARecordPutIsReadBackUnderItsNumber) {
  TestNode node;
  node.CreateActive("s", 1);
  const auto put = node.Put("s", "key", "data");
  ASSERT_OK(put);
  const auto iterator = node.Iterator("s", "0", kTrimHorizon);
  ASSERT_OK(iterator);
  const auto read = node.Get(*iterator);
  ASSERT_OK(read);
  v1::GetRecordsResponse message;
  ASSERT_TRUE(message.ParseFromString(BytesOf(read->records)));
  ASSERT_EQ(message.records_size(), 1);
  EXPECT_EQ(message.records(0).sequence_number(),
            put->sequence_number.ToString());
  EXPECT_EQ(message.records(0).partition_key(), "key");
  EXPECT_EQ(message.records(0).data(), "data");
}

TEST(PutTest, ManyRecordsAreOneProposalAGroupAndKeepTheirOrder) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 8);  // On two groups.
  const size_t before = node.replicas.proposals.size();
  std::vector<std::string> keys;
  std::vector<PutEntry> records;
  for (int i = 0; i < 100; ++i) keys.push_back("key" + std::to_string(i % 30));
  for (int i = 0; i < 100; ++i) records.push_back({keys[i], keys[i], ""});
  const auto put = node.PutAll("s", records);
  ASSERT_OK(put);
  EXPECT_EQ(node.replicas.proposals.size(), before + 2);
  ASSERT_EQ(put->records.size(), 100u);
  std::map<ShardIndex, Counter> last;
  for (size_t i = 0; i < 100; ++i) {
    const PutResult& result = put->records[i];
    ASSERT_OK(result.status);
    const ShardIndex shard = result.sequence_number.shard;
    EXPECT_EQ(shard, (*ShardOf(*stream, keys[i], ""))->index);
    EXPECT_GT(result.sequence_number.counter, last[shard]);
    last[shard] = result.sequence_number.counter;
  }
}

TEST(PutTest, TheShapeOfARecordIsChecked) {
  TestNode node;
  node.CreateActive("s", 1);
  const auto text = [&](const std::string& key, const std::string& data) {
    return std::string(node.Put("s", key, data).status().message());
  };
  EXPECT_THAT(text("", "d"), HasSubstr("at 'partitionKey' failed to satisfy "
                                       "constraint: Member must have length "
                                       "greater than or equal to 1"));
  // 256 characters of two bytes each are fine.
  std::string key;
  for (int i = 0; i < 256; ++i) key += "é";
  EXPECT_EQ(text(key, "d"), "");
  EXPECT_THAT(text(key + "x", "d"), HasSubstr("less than or equal to 256"));
  EXPECT_EQ(text("k", std::string((1 << 20) - 1, 'x')), "");
  EXPECT_EQ(text("k", std::string(1 << 20, 'x')),
            "record is 1048577 bytes, its partition key included; the limit "
            "of stream s is 1048576");
  EXPECT_THAT(text("k", std::string((10 << 20) + 1, 'x')),
              HasSubstr("at 'data' failed to satisfy constraint: Member must "
                        "have length less than or equal to 10485760"));
  EXPECT_EQ(text("k", ""), "");  // Empty data is legal.
}

TEST(PutTest, OneMalformedRecordFailsTheWholeCallAndWritesNothing) {
  TestNode node;
  node.CreateActive("s", 1);
  const size_t before = node.replicas.proposals.size();
  const auto put = node.PutAll("s", {{"a", "k", ""}, {"b", "", ""}});
  EXPECT_EQ(ReasonOf(put.status()), ErrorReason::kValidation);
  EXPECT_THAT(std::string(put.status().message()),
              HasSubstr("'records.2.member.partitionKey'"));
  EXPECT_EQ(ReasonOf(node.PutAll("s", {}).status()), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.PutAll("s", std::vector<PutEntry>(
                                          501, PutEntry{"d", "k", ""}))
                         .status()),
            ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.PutAll("s", {{"d", "k", "not a number"}}).status()),
            ErrorReason::kValidation);
  EXPECT_EQ(node.replicas.proposals.size(), before);
}

TEST(PutTest, ACallOfMoreThan10MiBIsRefused) {
  TestNode node;
  node.CreateActive("s", 1);
  const std::string data((1 << 20) - 1, 'x');
  std::vector<PutEntry> records(10, PutEntry{data, "k", ""});
  ASSERT_OK(node.PutAll("s", records));
  records.push_back({"", "k", ""});
  const auto put = node.PutAll("s", records);
  EXPECT_EQ(ReasonOf(put.status()), ErrorReason::kInvalidArgument);
  EXPECT_THAT(
      std::string(put.status().message()),
      HasSubstr("10485761 bytes, keys included; the limit is 10485760"));
}

TEST(PutTest, AnUnknownOrUnfinishedStreamIsNotFound) {
  TestNode node;
  EXPECT_EQ(ReasonOf(node.Put("none", "k", "d").status()),
            ErrorReason::kResourceNotFound);
  node.replicas.leader = NodeId(2);  // Nobody drives it: it stays CREATING.
  ASSERT_OK(node.Create("young", 1));
  const auto put = node.Put("young", "k", "d");
  EXPECT_EQ(put.status().message(),
            "Stream young under account 000000000000 not found.");
}

TEST(PutTest, ADroppedShardsStreamIsLookedUpAgain) {
  TestNode node;
  const StreamPtr old = node.CreateActive("s", 1);
  node.clock.Advance(absl::Seconds(1));
  // Deleted and made again elsewhere; this node hears of it at the barrier.
  auto drop = std::make_shared<ProposalBody>();
  drop->command = DropShards(old->id.value(), {0}).SerializeAsString();
  node.replicas.Propose(
      {old->shards[0].group, drop, absl::Seconds(1), [](ProposalOutcome) {}});
  node.replicas.at_barrier = [&](GroupId group) {
    if (group != kMetaGroup) return;
    node.replicas.at_barrier = nullptr;
    node.broker.DeleteStream({"s", ""}, TestNode::kTimeout,
                             [](absl::Status) {});
    node.Settle();
    node.CreateActive("s", 1);
  };
  const auto put = node.Put("s", "k", "d");
  ASSERT_OK(put);
  const StreamPtr now = node.replica.state().catalog().Find("s");
  EXPECT_NE(now->id, old->id);
  const auto read = node.Get(*node.Iterator("s", "0", kTrimHorizon));
  EXPECT_THAT(DataOf(read->records), ElementsAre("d"));
}

TEST(PutTest, APutToAShardThatStaysSealedIsRefusedInTheEnd) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 1);
  auto seal = std::make_shared<ProposalBody>();
  seal->command = SealShard(stream->id.value(), 0).SerializeAsString();
  node.replicas.Propose({stream->shards[0].group, seal, absl::Seconds(1),
                         [](ProposalOutcome) {}});
  TestNode::Answer<PutResult> answer;
  PutRecordRequest request;
  request.stream.name = "s";
  request.record = {"d", "k", ""};
  node.broker.PutRecord(request, TestNode::kTimeout, answer.Callback());
  node.Settle();
  EXPECT_FALSE(answer.answered());  // Its children may be on their way.
  for (int i = 0; i < 20; ++i) node.Advance(absl::Seconds(1));
  EXPECT_EQ(ReasonOf(node.Take(answer).status()), ErrorReason::kNoLeader);
}

TEST(PutTest, ErrorsOfTheGroupAreTypedAndPerRecordInPutRecords) {
  TestNode node;
  node.CreateActive("s", 1);
  const auto refuse = [&](ErrorReason reason) {
    node.replicas.refuse_with = {MakeError(reason, "why")};
  };
  refuse(ErrorReason::kDiskFull);
  EXPECT_EQ(ReasonOf(node.Put("s", "k", "d").status()), ErrorReason::kDiskFull);
  refuse(ErrorReason::kOutcomeUnknown);
  EXPECT_EQ(ReasonOf(node.Put("s", "k", "d").status()),
            ErrorReason::kOutcomeUnknown);
  refuse(ErrorReason::kNoLeader);
  const auto put = node.PutAll("s", {{"a", "k", ""}, {"b", "k", ""}});
  ASSERT_OK(put);
  for (const PutResult& result : put->records) {
    EXPECT_EQ(ReasonOf(result.status), ErrorReason::kNoLeader);
  }
}

TEST(PutTest, BeyondItsBytesANodeRefusesPutsUntilOthersAreDone) {
  BrokerOptions options = TestNode::Options();
  options.put_bytes_max = 1000;
  TestNode node(0, 1 << 20, options);
  node.CreateActive("s", 1);
  node.replicas.holding = true;
  TestNode::Answer<PutResult> first;
  const std::string data(900, 'x');
  PutRecordRequest request;
  request.stream.name = "s";
  request.record = {data, "k", ""};
  node.broker.PutRecord(request, TestNode::kTimeout, first.Callback());
  EXPECT_EQ(ReasonOf(node.Put("s", "k", data).status()),
            ErrorReason::kOverloaded);
  node.replicas.holding = false;
  node.replicas.CommitHeld();
  ASSERT_OK(node.Take(first));
  EXPECT_OK(node.Put("s", "k", data));
}

TEST(PutTest, ANumberForOrderingMustBeOneThatWasGiven) {
  TestNode node;
  node.CreateActive("s", 2);
  const auto first = node.Put("s", "a", "1");
  ASSERT_OK(first);
  const std::string number = first->sequence_number.ToString();
  const auto second = node.Put("s", "a", "2", number);
  ASSERT_OK(second);
  EXPECT_GT(second->sequence_number.counter, first->sequence_number.counter);

  SequenceNumber future = second->sequence_number;
  future.counter += 1;
  EXPECT_EQ(node.Put("s", "a", "3", future.ToString()).status().message(),
            "ExclusiveMinimumSequenceNumber " + future.ToString() +
                " used in PutRecord on stream s under account 000000000000 is "
                "invalid.");
  // Of the other shard, and of no shard.
  EXPECT_EQ(ReasonOf(node.Put("s", "partitionKey-2", "3", "1").status()),
            ErrorReason::kInvalidArgument);
  SequenceNumber sibling = first->sequence_number;
  sibling.shard = ShardIndex(1);
  EXPECT_EQ(ReasonOf(node.Put("s", "a", "3", sibling.ToString()).status()),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(node.Put("s", "a", "3", "x").status()),
            ErrorReason::kValidation);
}

// --- Reading ---

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
  node.broker.DeleteStream({"s", ""}, TestNode::kTimeout, [](absl::Status) {});
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

// --- Streams ---

TEST(StreamsTest, CreatingChecksNamesCountsAndLimits) {
  TestNode node;
  EXPECT_EQ(ReasonOf(node.Create("a b", 1)), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Create("", 1)), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Create("s", 0)), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Create("s", 10'001)), ErrorReason::kLimitExceeded);
  ASSERT_OK(node.Create("s", 1));
  const absl::Status again = node.Create("s", 1);
  EXPECT_EQ(ReasonOf(again), ErrorReason::kResourceInUse);
  EXPECT_EQ(again.message(),
            "Stream s under account 000000000000 already exists.");
  node.replicas.leader = NodeId(2);  // From here on they stay CREATING.
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(node.Create("c" + std::to_string(i), 1));
  }
  EXPECT_EQ(ReasonOf(node.Create("c5", 1)), ErrorReason::kLimitExceeded);
}

TEST(StreamsTest, AStreamMayAllowLargerRecords) {
  TestNode node;
  EXPECT_EQ(ReasonOf(node.Create("s", 1, 1023)), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Create("s", 1, 10'241)), ErrorReason::kValidation);
  ASSERT_OK(node.Create("s", 1, 2048));
  EXPECT_OK(node.Put("s", "k", std::string((2 << 20) - 1, 'x')));
  const auto larger = node.Put("s", "k", std::string(2 << 20, 'x'));
  EXPECT_THAT(std::string(larger.status().message()),
              HasSubstr("the limit of stream s is 2097152"));
}

TEST(StreamsTest, DeletingTwiceSaysInWhatStateItIs) {
  TestNode node;
  node.CreateActive("s", 1);
  node.replicas.leader = NodeId(2);  // It stays DELETING.
  absl::Status status;
  for (int i = 0; i < 2; ++i) {
    node.broker.DeleteStream({"s", ""}, TestNode::kTimeout,
                             [&](absl::Status got) { status = got; });
    node.Settle();
  }
  EXPECT_EQ(ReasonOf(status), ErrorReason::kResourceInUse);
  EXPECT_EQ(status.message(),
            "Stream s under account 000000000000 not ACTIVE, instead in state "
            "DELETING");
}

TEST(StreamsTest, ADescriptionPagesThroughTheShards) {
  TestNode node;
  node.CreateActive("s", 150);
  const auto describe = [&](int limit, const std::string& after) {
    TestNode::Answer<DescribeStreamResponse> answer;
    node.broker.DescribeStream({{"s", ""}, limit, after}, TestNode::kTimeout,
                               answer.Callback());
    return node.Take(answer);
  };
  const auto first = describe(0, "");
  ASSERT_OK(first);
  EXPECT_EQ(first->shards.size(), 100u);
  EXPECT_TRUE(first->has_more_shards);
  const auto second =
      describe(10'000, ShardIdToString(first->shards.back()->index));
  EXPECT_EQ(second->shards.size(), 50u);
  EXPECT_FALSE(second->has_more_shards);
  EXPECT_EQ(describe(7, "")->shards.size(), 7u);
  EXPECT_EQ(ReasonOf(describe(10'001, "").status()), ErrorReason::kValidation);
}

TEST(StreamsTest, ADescriptionIsFresh) {
  TestNode node;
  node.CreateActive("s", 1);
  const int before = node.replicas.barriers;
  TestNode::Answer<StreamPtr> answer;
  node.broker.DescribeStreamSummary({"s", ""}, TestNode::kTimeout,
                                    answer.Callback());
  EXPECT_EQ(node.replicas.barriers, before + 1);
  EXPECT_OK(node.Take(answer));
}

TEST(StreamsTest, ListsGoOnWhereTheirTokenSays) {
  TestNode node;
  for (const char* name : {"c", "a", "b"}) node.CreateActive(name, 1);
  const auto list = [&](int limit, const std::string& after,
                        const std::string& token) {
    TestNode::Answer<ListStreamsResponse> answer;
    node.broker.ListStreams({limit, after, token}, TestNode::kTimeout,
                            answer.Callback());
    return node.Take(answer);
  };
  const auto first = list(2, "", "");
  ASSERT_OK(first);
  ASSERT_EQ(first->streams.size(), 2u);
  EXPECT_EQ(first->streams[1]->name, "b");
  EXPECT_TRUE(first->has_more_streams);
  const auto second = list(2, "", first->next_token);
  ASSERT_EQ(second->streams.size(), 1u);
  EXPECT_EQ(second->streams[0]->name, "c");
  EXPECT_FALSE(second->has_more_streams);
  EXPECT_EQ(second->next_token, "");
  EXPECT_EQ(list(0, "a", "")->streams.size(), 2u);
  node.clock.Advance(absl::Seconds(301));
  EXPECT_EQ(ReasonOf(list(2, "", first->next_token).status()),
            ErrorReason::kExpiredNextToken);
}

TEST(StreamsTest, ShardsAreListedByNameOrTokenButNotBoth) {
  TestNode node;
  node.CreateActive("s", 5);
  const auto list = [&](const std::string& name, const std::string& token,
                        int max) {
    TestNode::Answer<ListShardsResponse> answer;
    node.broker.ListShards({{name, ""}, token, max, ""}, TestNode::kTimeout,
                           answer.Callback());
    return node.Take(answer);
  };
  const auto first = list("s", "", 3);
  ASSERT_OK(first);
  EXPECT_EQ(first->shards.size(), 3u);
  const auto second = list("", first->next_token, 3);
  ASSERT_OK(second);
  ASSERT_EQ(second->shards.size(), 2u);
  EXPECT_EQ(second->shards[0]->index, ShardIndex(3));
  EXPECT_EQ(second->next_token, "");
  EXPECT_EQ(list("", "", 3).status().message(),
            "Either NextToken or StreamName should be provided.");
  EXPECT_EQ(list("s", first->next_token, 3).status().message(),
            "NextToken and StreamName cannot be provided together.");
}

// --- The cluster ---

TEST(ClusterStatusTest, ReportsArePutTogetherAndTheLeadersWordIsTaken) {
  TestNode node;
  KnownNode one;
  one.report.node = NodeId(1);
  one.report.groups.resize(1);
  one.report.groups[0] = {GroupId(1), NodeId(2), 3, 10, 10, false, false, {}};
  KnownNode two;
  two.report.node = NodeId(2);
  two.age = absl::Seconds(1);
  two.report.groups.resize(1);
  two.report.groups[0] = {
      GroupId(1),
      NodeId(2),
      3,
      12,
      12,
      true,
      false,
      {{NodeId(1), 11, false}, {NodeId(2), 12, false}, {NodeId(3), 5, true}}};
  node.replicas.known = {one, two};
  node.CreateActive("s", 2);
  const ClusterStatus status = node.broker.DescribeCluster();
  ASSERT_EQ(status.nodes.size(), 3u);
  EXPECT_EQ(status.nodes[0].health, NodeHealth::kHealthy);
  EXPECT_EQ(status.nodes[1].groups_led, 1);
  EXPECT_EQ(status.nodes[2].health, NodeHealth::kUnreachable);
  EXPECT_EQ(status.nodes[2].report.zone, "c");
  ASSERT_EQ(status.groups.size(), 1u);
  EXPECT_EQ(status.groups[0].leader, NodeId(2));
  EXPECT_EQ(status.groups[0].commit_index, 12u);
  ASSERT_EQ(status.groups[0].replicas.size(), 3u);
  EXPECT_EQ(status.groups[0].replicas[0].match, 11u);
  EXPECT_TRUE(status.groups[0].replicas[2].recovering);
  EXPECT_EQ(status.stream_count, 1u);
  EXPECT_EQ(status.open_shard_count, 2u);

  node.replicas.known[1].age = absl::Seconds(4);
  EXPECT_EQ(node.broker.DescribeCluster().nodes[1].health,
            NodeHealth::kUnreachable);
}

}  // namespace
}  // namespace trireme
