#include "server/put_operations.h"

#include "gmock/gmock.h"
#include "server/auto_placement.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kTrimHorizon = ShardIteratorType::kTrimHorizon;

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
  EXPECT_THAT(
      text("", "d"),
      HasSubstr("Value null at 'partitionKey' failed to satisfy constraint: "
                "Member must not be null"));
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

// Of an AUTO stream of four shards.
void MakeAuto(TestNode& node) {
  absl::Status status = absl::InternalError("not answered");
  CreateStreamRequest request;
  request.stream_name = "auto";
  request.mode = StreamMode::kOnDemand;
  request.distribution = RecordDistribution::kAuto;
  node.broker.CreateStream(request, TestNode::kTimeout,
                           [&](absl::Status got) { status = got; });
  node.Settle();
  ASSERT_OK(status);
}

TEST(PutTest, AnAutoStreamTakesNoNumberedRecords) {
  TestNode node;
  MakeAuto(node);
  TestNode::Answer<PutResult> answer;
  PutRecordRequest request;
  request.stream.name = "auto";
  request.record = {"data", "key", "", 1};
  request.producer = PutProducer{"p", 1, 1};
  node.broker.PutRecord(request, TestNode::kTimeout, answer.Callback());
  const auto put = node.Take(answer);
  EXPECT_EQ(ReasonOf(put.status()), ErrorReason::kInvalidArgument);
  EXPECT_THAT(std::string(put.status().message()),
              HasSubstr("exactly once to stream auto"));
}

TEST(PutTest, AnAutoStreamTakesRecordsWithoutKeysAndKeepsThoseGiven) {
  TestNode node;
  MakeAuto(node);
  // A hash key is of no account, even one that no shard has.
  const std::string beyond = "340282366920938463463374607431768211456";
  const auto put = node.PutAll("auto", {{"a", "", ""}, {"b", "key", beyond}});
  ASSERT_OK(put);
  ASSERT_OK(put->records[0].status);
  // A small put goes to one shard.
  const ShardIndex shard = put->records[0].sequence_number.shard;
  EXPECT_EQ(put->records[1].sequence_number.shard, shard);
  const auto read = node.Get(
      *node.Iterator("auto", std::to_string(shard.value()), kTrimHorizon));
  ASSERT_OK(read);
  v1::GetRecordsResponse message;
  ASSERT_TRUE(message.ParseFromString(BytesOf(read->records)));
  ASSERT_EQ(message.records_size(), 2);
  EXPECT_EQ(message.records(0).partition_key(), "");
  EXPECT_EQ(message.records(0).data(), "a");
  EXPECT_EQ(message.records(1).partition_key(), "key");
}

TEST(PutTest, PutsToAnAutoStreamTakeTurnsAndLargeOnesAreSpread) {
  TestNode node;
  MakeAuto(node);
  std::map<ShardIndex, int> puts;
  for (int i = 0; i < 8; ++i) {
    const auto put = node.Put("auto", "", "d");
    ASSERT_OK(put);
    ++puts[put->sequence_number.shard];
  }
  EXPECT_EQ(puts.size(), 4u);
  for (const auto& [shard, count] : puts) EXPECT_EQ(count, 2);

  const std::string data(AutoPlacement::kRunBytesMax / 4, 'x');
  const auto put =
      node.PutAll("auto", std::vector<PutEntry>(12, {data, "", ""}));
  ASSERT_OK(put);
  puts.clear();
  for (const PutResult& result : put->records) {
    ASSERT_OK(result.status);
    ++puts[result.sequence_number.shard];
  }
  EXPECT_EQ(puts.size(), 4u);  // Three of these and a header make a run.
  for (const auto& [shard, count] : puts) EXPECT_EQ(count, 3);
}

TEST(PutTest, OnlyAnAutoStreamTakesRecordsWithoutKeys) {
  TestNode node;
  node.CreateActive("s", 1);
  const auto put = node.PutAll("s", {{"a", "k", ""}, {"b", "", ""}});
  EXPECT_EQ(ReasonOf(put.status()), ErrorReason::kValidation);
  EXPECT_THAT(std::string(put.status().message()),
              HasSubstr("'records.2.member.partitionKey' failed to satisfy "
                        "constraint: Member must not be null"));
  MakeAuto(node);
  // Which shard a record goes to is not the producer's to know.
  EXPECT_EQ(ReasonOf(node.Put("auto", "k", "d", "0").status()),
            ErrorReason::kInvalidArgument);
}

TEST(PutTest, ADryRunWritesNothingAndTellsTheError) {
  TestNode node;
  node.CreateActive("s", 1);
  const size_t before = node.replicas.proposals.size();
  const auto dry_run = [&](const std::string& stream, const PutEntry& record,
                           const std::string& ordering = "") {
    TestNode::Answer<PutResult> answer;
    PutRecordRequest request;
    request.stream.name = stream;
    request.record = record;
    request.sequence_number_for_ordering = ordering;
    request.dry_run = true;
    node.broker.PutRecord(request, TestNode::kTimeout, answer.Callback());
    return ReasonOf(node.Take(answer).status());
  };
  EXPECT_EQ(dry_run("s", {"d", "k", ""}), ErrorReason::kDryRunOperation);
  EXPECT_EQ(dry_run("none", {"d", "k", ""}), ErrorReason::kResourceNotFound);
  EXPECT_EQ(dry_run("s", {"d", "", ""}), ErrorReason::kValidation);
  EXPECT_EQ(dry_run("s", {"d", "k", "340282366920938463463374607431768211456"}),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(dry_run("s", {"d", "k", ""}, std::string(56, '9')),
            ErrorReason::kInvalidArgument);

  TestNode::Answer<PutRecordsResponse> answer;
  PutRecordsRequest request;
  request.stream.name = "s";
  request.records = {{"d", "k", ""}, {"e", "k", ""}};
  request.dry_run = true;
  node.broker.PutRecords(request, TestNode::kTimeout, answer.Callback());
  EXPECT_EQ(ReasonOf(node.Take(answer).status()),
            ErrorReason::kDryRunOperation);
  EXPECT_EQ(node.replicas.proposals.size(), before);
}

TEST(PutTest, APutMayNameItsStreamById) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 1);
  const auto put = [&](const StreamAddress& address) {
    TestNode::Answer<PutResult> answer;
    PutRecordRequest request;
    request.stream = address;
    request.record = {"d", "k", ""};
    node.broker.PutRecord(request, TestNode::kTimeout, answer.Callback());
    return node.Take(answer).status();
  };
  const std::string id = StreamIdToString(stream->id);
  EXPECT_OK(put({"", "", false, id}));
  EXPECT_OK(put({"s", "", false, id}));
  EXPECT_EQ(ReasonOf(put({"t", "", false, id})), ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(put({"", "", false, StreamIdToString(StreamId(99))})),
            ErrorReason::kResourceNotFound);
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

// The stream is deleted and made again elsewhere; the node hears of it at its
// next barrier, once. `old` must live until then.
void MakeAgainElsewhere(TestNode& node, const Stream& old) {
  node.clock.Advance(absl::Seconds(1));
  auto drop = std::make_shared<ProposalBody>();
  drop->command = DropShards(old.id.value(), {0}).SerializeAsString();
  node.replicas.Propose(
      {old.shards[0].group, drop, absl::Seconds(1), [](ProposalOutcome) {}});
  node.replicas.at_barrier = [&node, &old](GroupId group) {
    if (group != kMetaGroup) return;
    if (node.replica.state().catalog().Find(old.id) == nullptr) return;
    node.broker.DeleteStream({{old.name}}, TestNode::kTimeout,
                             [](absl::Status) {});
    node.Settle();
    node.CreateActive(old.name, 1);
  };
}

TEST(PutTest, ADroppedShardsStreamIsLookedUpAgain) {
  TestNode node;
  const StreamPtr old = node.CreateActive("s", 1);
  MakeAgainElsewhere(node, *old);
  const auto put = node.Put("s", "k", "d");
  ASSERT_OK(put);
  const StreamPtr now = node.replica.state().catalog().Find("s");
  EXPECT_NE(now->id, old->id);
  const auto read = node.Get(*node.Iterator("s", "0", kTrimHorizon));
  EXPECT_THAT(DataOf(read->records), ElementsAre("d"));
}

TEST(PutTest, APutByIdNeverGoesToAnotherStreamOfTheName) {
  TestNode node;
  const StreamPtr old = node.CreateActive("s", 1);
  MakeAgainElsewhere(node, *old);
  const std::string id = StreamIdToString(old->id);
  TestNode::Answer<PutResult> answer;
  PutRecordRequest request;
  request.stream = {"s", "", false, id};
  request.record = {"d", "k", ""};
  node.broker.PutRecord(request, TestNode::kTimeout, answer.Callback());
  EXPECT_EQ(ReasonOf(node.Take(answer).status()),
            ErrorReason::kResourceNotFound);
  const auto read = node.Get(*node.Iterator("s", "0", kTrimHorizon));
  EXPECT_THAT(DataOf(read->records), ElementsAre());
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
  // Of another shard or stream, and of long ago: they order nothing.
  SequenceNumber sibling = first->sequence_number;
  sibling.shard = ShardIndex(1);
  sibling.counter += 1000;
  SequenceNumber stranger = first->sequence_number;
  stranger.shard_created_s -= 86'400;
  for (const std::string& other : {sibling.ToString(), stranger.ToString(),
                                   std::string("0"), std::string("1")}) {
    EXPECT_OK(node.Put("s", "a", "3", other));
  }
  // But not of times to come.
  sibling.record_s += 3600;
  EXPECT_EQ(ReasonOf(node.Put("s", "a", "3", sibling.ToString()).status()),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(node.Put("s", "a", "3", "x").status()),
            ErrorReason::kValidation);
}

}  // namespace
}  // namespace trireme
