#include "storage/producers.h"

#include <map>
#include <numeric>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kHourMs = 3'600'000;
const ShardKey kShard = ShardOf(7, 0);

ProducerStamp Stamp(std::vector<uint64_t> numbers, uint64_t oldest = 1,
                    uint64_t epoch = 1, std::string producer = "p") {
  return {std::move(producer), epoch, oldest, std::move(numbers)};
}

// Records of one shard whose data are their numbers; without a stamp "plain".
struct Piece {
  std::optional<ProducerStamp> stamp;
  ShardKey shard = kShard;
};
Payload Records(int64_t stamp_ms, const std::vector<Piece>& pieces) {
  std::vector<std::string> batches;
  batches.reserve(pieces.size());
  std::vector<ShardBatch> encoded;
  for (const Piece& piece : pieces) {
    std::string& batch = batches.emplace_back();
    ShardBatch& one = encoded.emplace_back(ShardBatch{piece.shard, 1, {}});
    if (piece.stamp.has_value()) {
      for (const uint64_t number : piece.stamp->numbers)
        AppendRecord({"key", std::to_string(number)}, &batch);
      one.record_count = static_cast<uint32_t>(piece.stamp->numbers.size());
      one.stamped.push_back(
          {0, std::make_shared<const ProducerStamp>(*piece.stamp)});
    } else {
      AppendRecord({"key", "plain"}, &batch);
    }
    one.batch = batch;
  }
  return MakePayload(EncodeRecordsPayload(stamp_ms, encoded));
}

// A replica with one open shard: what it has of it, and how it answers.
class ProducersTest : public ::testing::Test {
 protected:
  ProducersTest() { replica_.Command(1, OpenShards(7, {0, 1, 2}), kStart); }

  AppliedBatch Put(const ProducerStamp& stamp, int64_t stamp_ms = kStart) {
    return replica_.Apply(1, Records(stamp_ms, {{stamp}})).batches.at(0);
  }
  // Where each record stands: its counter, negative for a duplicate; 0: it was
  // refused.
  std::vector<int64_t> Places(const AppliedBatch& batch) {
    std::vector<int64_t> places;
    for (const RecordFate& fate : batch.fates) {
      const auto counter = static_cast<int64_t>(fate.number.counter);
      places.push_back(!fate.status.ok() ? 0
                       : fate.duplicate  ? -counter
                                         : counter);
    }
    return places;
  }
  static int64_t At(LogIndex index, uint32_t position) {
    return static_cast<int64_t>(MakeCounter(index, position));
  }
  std::vector<std::string> Data(ShardKey shard = kShard) {
    std::vector<std::string> data;
    for (const std::string& record : replica_.ReadAll(1, shard))
      data.push_back(record.substr(record.find(':') + 1));
    return data;
  }
  size_t StoredRows(ShardKey shard = kShard) {
    const auto rows = replica_.state().ProducersOf(GroupId(1), shard);
    EXPECT_OK(rows);
    return rows.ok() ? rows->size() : 0;
  }

  Replica replica_;
};

TEST_F(ProducersTest, ARecordThatIsSentAgainIsWrittenOnce) {
  EXPECT_THAT(Put(Stamp({1, 2})).fates, IsEmpty());
  EXPECT_THAT(Places(Put(Stamp({1, 2}))), ElementsAre(-At(2, 0), -At(2, 1)));
  // Some of it new: what is written stands one behind the other.
  EXPECT_THAT(Places(Put(Stamp({2, 3, 1, 4}))),
              ElementsAre(-At(2, 1), At(4, 0), -At(2, 0), At(4, 1)));
  EXPECT_THAT(Data(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(ProducersTest, NumbersMayComeInAnyOrder) {
  Put(Stamp({5}));
  Put(Stamp({3}));
  EXPECT_THAT(Places(Put(Stamp({4, 5, 3}))),
              ElementsAre(At(4, 0), -At(2, 0), -At(3, 0)));
  EXPECT_THAT(Data(), ElementsAre("5", "3", "4"));
}

TEST_F(ProducersTest, CopiesInOneEntryAreSeen) {
  const ApplyResult result =
      replica_.Apply(1, Records(kStart, {{Stamp({1, 2})},
                                         {},
                                         {Stamp({2, 3})},
                                         {Stamp({1, 2}, 1, 1, "other")}}));
  const AppliedBatch& batch = result.batches.at(0);
  EXPECT_THAT(Places(batch),
              ElementsAre(At(2, 0), At(2, 1), At(2, 2), -At(2, 1), At(2, 3),
                          At(2, 4), At(2, 5)));
  EXPECT_EQ(batch.written.record_count, 6u);
  EXPECT_THAT(Data(), ElementsAre("1", "2", "plain", "3", "1", "2"));
}

TEST_F(ProducersTest, NothingIsWrittenWhenAllIsKnown) {
  Put(Stamp({1}));
  const AppliedBatch again = Put(Stamp({1}));
  EXPECT_EQ(again.written.record_count, 0u);
  EXPECT_EQ(replica_.state().GetShardState(GroupId(1), kShard).next,
            MakeCounter(2, 1));
}

TEST_F(ProducersTest, ADuplicateIsToldUnderItsFirstNumber) {
  Put(Stamp({1}), kStart + 5'000);
  const AppliedBatch again = Put(Stamp({1}), kStart + 60'000);
  const SequenceNumber& number = again.fates.at(0).number;
  EXPECT_EQ(number.shard_created_s, 1'700'000'000u);
  EXPECT_EQ(number.record_s, 1'700'000'005u);
  EXPECT_EQ(number.counter, MakeCounter(2, 0));
}

TEST_F(ProducersTest, ANewEpochFencesOlderOnes) {
  Put(Stamp({1}, 1, 1));
  EXPECT_THAT(Put(Stamp({2}, 1, 3)).fates, IsEmpty());
  const AppliedBatch fenced = Put(Stamp({1, 9}, 1, 2));
  for (const RecordFate& fate : fenced.fates) {
    EXPECT_EQ(ReasonOf(fate.status), ErrorReason::kProducerFenced);
    EXPECT_THAT(std::string(fate.status.message()),
                HasSubstr("producer p has begun epoch 3; epoch 2"));
  }
  // Numbers go on over epochs.
  EXPECT_THAT(Places(Put(Stamp({1, 2}, 1, 3))),
              ElementsAre(-At(2, 0), -At(3, 0)));
  EXPECT_THAT(Data(), ElementsAre("1", "2"));
  // A put that brings nothing but an epoch fences too.
  Put(Stamp({1}, 1, 4));
  EXPECT_EQ(ReasonOf(Put(Stamp({7}, 1, 3)).fates.at(0).status),
            ErrorReason::kProducerFenced);
}

TEST_F(ProducersTest, WhatWasSettledIsRefused) {
  Put(Stamp({1, 2, 3}));
  Put(Stamp({6}, 4));
  const AppliedBatch late = Put(Stamp({3, 4, 5}, 1));
  EXPECT_EQ(ReasonOf(late.fates.at(0).status),
            ErrorReason::kStaleProducerNumber);
  EXPECT_THAT(std::string(late.fates.at(0).status.message()),
              HasSubstr("number 3 of producer p is below 4"));
  EXPECT_OK(late.fates.at(1).status);
  EXPECT_THAT(Data(), ElementsAre("1", "2", "3", "6", "4", "5"));
}

TEST_F(ProducersTest, RowsGoWithTheirNumbers) {
  for (uint64_t number = 1; number <= 100; ++number)
    Put(Stamp({number}, number < 4 ? 1 : number - 3));
  // The window's, and the last one to die.
  EXPECT_LE(StoredRows(), 5u);
  EXPECT_GE(StoredRows(), 4u);
}

TEST_F(ProducersTest, AllIsKnownAgainAfterAStart) {
  for (uint64_t number = 1; number <= 20; ++number)
    Put(Stamp({number}, number < 4 ? 1 : number - 3, number));
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_THAT(Places(Put(Stamp({17, 20, 21}, 17, 20))),
              ElementsAre(-At(18, 0), -At(21, 0), At(22, 0)));
  EXPECT_EQ(ReasonOf(Put(Stamp({30}, 17, 19)).fates.at(0).status),
            ErrorReason::kProducerFenced);
  EXPECT_EQ(ReasonOf(Put(Stamp({16}, 1, 20)).fates.at(0).status),
            ErrorReason::kStaleProducerNumber);
}

TEST_F(ProducersTest, WhatIsAppliedAgainAfterACrashIsDecidedAsBefore) {
  ASSERT_OK(replica_.state().Flush());
  const std::vector<Payload> entries = {Records(kStart, {{Stamp({1, 2})}}),
                                        Records(kStart, {{Stamp({2, 3})}}),
                                        Records(kStart, {{Stamp({3, 4}, 3)}})};
  std::vector<std::vector<int64_t>> before;
  std::vector<std::vector<int64_t>> after;
  for (const Payload& entry : entries)
    before.push_back(Places(replica_.Apply(1, entry).batches.at(0)));
  replica_.Crash();
  EXPECT_THAT(Data(), IsEmpty());
  for (const Payload& entry : entries)
    after.push_back(Places(replica_.Apply(1, entry).batches.at(0)));
  EXPECT_EQ(before, after);
  EXPECT_THAT(Data(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(ProducersTest, AnIdleProducerIsForgottenAfterADay) {
  Put(Stamp({1}, 1, 5, "idle"));
  Put(Stamp({1}), kStart + 24 * kHourMs);
  EXPECT_EQ(ReasonOf(Put(Stamp({1}, 1, 4, "idle"), kStart + 24 * kHourMs)
                         .fates.at(0)
                         .status),
            ErrorReason::kProducerFenced);
  Put(Stamp({2}), kStart + 24 * kHourMs + 1);
  EXPECT_THAT(Put(Stamp({1}, 1, 4, "idle"), kStart + 24 * kHourMs + 2).fates,
              IsEmpty());
  EXPECT_EQ(StoredRows(), 3u);
}

// What a start finds is what was known, whatever came before and is gone.
TEST_F(ProducersTest, RowsThatAreLeftMakeTheSameAgain) {
  std::mt19937_64 random(11);
  Producers producers;
  std::map<ProducerRowId, ProducerRow> rows;
  std::map<std::string, uint64_t> oldest;
  int64_t now_ms = kStart;
  for (LogIndex index = 1; index <= 3000; ++index) {
    // Hours at times, so that producers become idle at every age.
    now_ms += static_cast<int64_t>(random() % 10 == 0 ? random() % (9 * kHourMs)
                                                      : random() % 1000);
    const std::string name = "p" + std::to_string(random() % 12);
    oldest[name] += random() % 3;
    std::vector<uint64_t> numbers;
    for (uint64_t i = random() % 4; i <= 4; ++i)
      numbers.push_back(oldest[name] + random() % 20);
    std::string batch;
    for (size_t i = 0; i < numbers.size(); ++i) AppendRecord({"k", ""}, &batch);
    const auto count = static_cast<uint32_t>(numbers.size());
    const auto stamp = std::make_shared<const ProducerStamp>(
        Stamp(numbers, oldest[name], random() % 2, name));
    const ShardBatch put = {kShard, count, batch, {{0, stamp}}};
    for (PlacedProducerRow& row :
         producers.Decide(put, {index, now_ms, 1}).rows) {
      rows[row.id] = row.row;
      producers.Add(std::move(row));
    }
    for (const auto& [shard, id] : producers.TakeDead()) rows.erase(id);
    Producers restored;
    for (const auto& [id, row] : rows) restored.Restore({kShard, id, row});
    ASSERT_TRUE(restored == producers) << "after entry " << index;
  }
  EXPECT_LT(rows.size(), 400u);
}

TEST_F(ProducersTest, AFullShardTakesAProducerForAnIdleOneOnly) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < kShardProducersMax; ++i)
    pieces.push_back({Stamp({1}, 1, 1, "p" + std::to_string(i))});
  replica_.Apply(1, Records(kStart, pieces));
  const AppliedBatch full =
      Put(Stamp({1}, 1, 1, "new"), kStart + kProducerIdleMinMs);
  EXPECT_EQ(StoredRows(), kShardProducersMax);
  EXPECT_EQ(ReasonOf(Put(Stamp({1}, 1, 1, "new"), kStart + kProducerIdleMinMs)
                         .fates.at(0)
                         .status),
            ErrorReason::kLimitExceeded);
  EXPECT_EQ(ReasonOf(full.fates.at(0).status), ErrorReason::kLimitExceeded);
  EXPECT_THAT(std::string(full.fates.at(0).status.message()),
              HasSubstr("knows 10000 active producers"));
  // What is known is answered, and those that are known go on.
  EXPECT_THAT(
      Places(Put(Stamp({1, 2}, 1, 1, "p0"), kStart + kProducerIdleMinMs)),
      ElementsAre(-At(2, 0), At(5, 0)));
  EXPECT_THAT(
      Put(Stamp({1}, 1, 1, "new"), kStart + kProducerIdleMinMs + 1).fates,
      IsEmpty());
  // p1 had been idle longest.
  EXPECT_THAT(
      Put(Stamp({1}, 1, 1, "p1"), kStart + 2 * kProducerIdleMinMs).fates,
      IsEmpty());
  EXPECT_THAT(
      Places(Put(Stamp({1}, 1, 1, "p0"), kStart + 2 * kProducerIdleMinMs)),
      ElementsAre(-At(2, 0)));
}

TEST_F(ProducersTest, NumbersOfAShardAreBounded) {
  for (uint64_t i = 0; i < kShardNumbersMax / 10'000 + 1; ++i) {
    std::vector<uint64_t> numbers(10'000);
    std::iota(numbers.begin(), numbers.end(), 1);
    const auto batch = Put(Stamp(numbers, 1, 1, "p" + std::to_string(i)));
    EXPECT_THAT(batch.fates, IsEmpty());
  }
  const AppliedBatch full = Put(Stamp({10'000, 10'001}, 1, 1, "p0"));
  EXPECT_TRUE(full.fates.at(0).duplicate);
  EXPECT_EQ(ReasonOf(full.fates.at(1).status), ErrorReason::kLimitExceeded);
  // Settled numbers make room, for all.
  Put(Stamp({10'001}, 10'001, 1, "p0"));
  EXPECT_THAT(Put(Stamp({10'001}, 1, 1, "p1")).fates, IsEmpty());
}

// --- reshards and catch-up ---

v1::Command Import(StateMachine& state, std::vector<ShardKey> parents,
                   ShardKey child) {
  v1::Command command;
  v1::ImportProducersCommand& import = *command.mutable_import_producers();
  import.set_stream_id(child.stream.value());
  import.set_shard(child.shard.value());
  std::vector<ProducerRow> all;
  for (const ShardKey& parent : parents) {
    const auto rows = state.ProducersOf(GroupId(1), parent);
    EXPECT_OK(rows);
    all.insert(all.end(), rows->begin(), rows->end());
  }
  EncodeImport(std::move(all), &import);
  return command;
}

TEST_F(ProducersTest, AChildKnowsWhatItsParentsKnew) {
  const ShardKey other = ShardOf(7, 1);
  const ShardKey child = ShardOf(7, 2);
  replica_.Apply(1, Records(kStart, {{Stamp({1, 2}, 1, 4)}}));
  replica_.Apply(1, Records(kStart + 9'000, {{Stamp({3, 9}, 2, 2), other},
                                             {Stamp({1}, 1, 1, "q"), other}}));
  const ApplyResult sealed = replica_.Command(1, SealShard(7, 0), kStart);
  v1::SealShardsReply reply;
  ASSERT_TRUE(reply.ParseFromString(sealed.reply));
  EXPECT_THAT(reply.with_producers(), ElementsAre(0u));
  replica_.Command(1, SealShard(7, 1), kStart);
  const v1::Command import = Import(replica_.state(), {kShard, other}, child);
  EXPECT_OK(replica_.Command(1, import, kStart).status);

  const auto put = [&](const ProducerStamp& stamp) {
    return replica_.Apply(1, Records(kStart + 20'000, {{stamp, child}}))
        .batches.at(0);
  };
  const AppliedBatch merged = put(Stamp({2, 3, 4, 9}, 2, 4));
  EXPECT_THAT(Places(merged),
              ElementsAre(-At(2, 1), -At(3, 0), At(7, 0), -At(3, 1)));
  EXPECT_EQ(merged.fates.at(0).number.shard, ShardIndex(0));
  EXPECT_EQ(merged.fates.at(1).number.shard, ShardIndex(1));
  EXPECT_EQ(merged.fates.at(1).number.record_s, 1'700'000'009u);
  // The newest epoch and the highest oldest number of both count.
  EXPECT_EQ(ReasonOf(put(Stamp({8}, 2, 3)).fates.at(0).status),
            ErrorReason::kProducerFenced);
  EXPECT_EQ(ReasonOf(put(Stamp({1}, 1, 4)).fates.at(0).status),
            ErrorReason::kStaleProducerNumber);
  EXPECT_THAT(Places(put(Stamp({1}, 1, 1, "q"))), ElementsAre(-At(3, 2)));

  // Told again, it stays as it is; so after a start.
  EXPECT_OK(replica_.Command(1, import, kStart).status);
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_THAT(Places(put(Stamp({2, 3, 4, 9}, 2, 4))),
              ElementsAre(-At(2, 1), -At(3, 0), -At(7, 0), -At(3, 1)));
  EXPECT_EQ(ReasonOf(put(Stamp({8}, 2, 3)).fates.at(0).status),
            ErrorReason::kProducerFenced);
  EXPECT_THAT(Data(child), ElementsAre("4"));
}

TEST_F(ProducersTest, AnImportIsForOpenShardsOnly) {
  Put(Stamp({1}));
  const auto unknown =
      replica_.Command(1, Import(replica_.state(), {kShard}, ShardOf(7, 5)));
  EXPECT_EQ(ReasonOf(unknown.status), ErrorReason::kResourceNotFound);
  replica_.Command(1, DropShards(7, {2}));
  EXPECT_OK(
      replica_.Command(1, Import(replica_.state(), {kShard}, ShardOf(7, 2)))
          .status);
  EXPECT_EQ(StoredRows(ShardOf(7, 2)), 0u);
}

TEST_F(ProducersTest, ADroppedShardForgetsItsProducers) {
  Put(Stamp({1}));
  replica_.Command(1, DropShards(7, {0}));
  replica_.Apply(1, Records(kStart, {{std::nullopt, ShardOf(7, 1)}}));
  EXPECT_EQ(StoredRows(), 0u);
}

TEST_F(ProducersTest, AReplicaThatCatchesUpLearnsThem) {
  Replica behind;
  behind.Command(1, OpenShards(7, {0, 1, 2}), kStart);
  // Something of its own that the source has settled since.
  const Payload first = Records(kStart, {{Stamp({1})}});
  behind.Apply(1, first);
  replica_.Apply(1, first);
  for (uint64_t number = 2; number <= 9; ++number)
    Put(Stamp({number}, number < 4 ? 1 : number - 3, 2));

  const auto held = behind.state().DescribeHeld(GroupId(1));
  ASSERT_OK(held);
  auto source = replica_.state().OpenSource(GroupId(1), *held);
  ASSERT_OK(source);
  while (true) {
    const auto chunk = (*source)->Next();
    ASSERT_OK(chunk);
    if (chunk->empty()) break;
    ASSERT_OK(behind.state().InstallChunk(GroupId(1), *chunk));
  }
  ASSERT_OK(behind.state().FinishInstall(GroupId(1), (*source)->position()));
  const Payload next = Records(kStart, {{Stamp({6, 9, 10}, 6, 2)}});
  const auto expected = Places(replica_.Apply(1, next).batches.at(0));
  EXPECT_THAT(expected, ElementsAre(-At(7, 0), -At(10, 0), At(11, 0)));
  EXPECT_EQ(Places(behind.Apply(1, next).batches.at(0)), expected);
  EXPECT_EQ(ReasonOf(behind.Apply(1, Records(kStart, {{Stamp({20}, 6, 1)}}))
                         .batches.at(0)
                         .fates.at(0)
                         .status),
            ErrorReason::kProducerFenced);
  EXPECT_EQ(behind.ReadAll(1, kShard).size(), 10u);
}

}  // namespace
}  // namespace trireme
