#include "storage/sequence_number.h"

#include <random>

#include "gtest/gtest.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr uint64_t kCreated = 1'700'000'000;

TEST(SequenceNumberTest, PrintsTheContractsVectors) {
  struct Vector {
    SequenceNumber number;
    const char* text;
  };
  const Vector vectors[] = {
      {{kCreated, ShardIndex(0), 0, kCreated},
       "49646437577108476416916876405825929425585429676275269634"},
      {{kCreated, ShardIndex(0), 1, kCreated + 5},
       "49646437577108476416916876405827138351405044649047359490"},
      {{kCreated, ShardIndex(1), 0, kCreated},
       "49646437577130777162115407028967465143858078037781250066"},
      {{kCreated, ShardIndex(0), kCounterMax, kCreated + 600},
       "49646437577119626789516141717395488358902180459539595266"},
  };
  for (const Vector& vector : vectors) {
    EXPECT_EQ(vector.number.ToString(), vector.text);
    const auto parsed = SequenceNumber::Parse(vector.text);
    ASSERT_TRUE(parsed.ok()) << vector.text;
    EXPECT_EQ(*parsed, vector.number);
  }
}

TEST(SequenceNumberTest, ReadsTheSampleOfTheLambdaDocs) {
  const auto parsed = SequenceNumber::Parse(
      "49590338271490256608559692538361571095921575989136588898");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->shard, ShardIndex(6));
  EXPECT_EQ(parsed->shard_created_s, 1542776258u);  // 2018-11-21T04:57:38Z
  EXPECT_EQ(parsed->record_s, 1545084650u);         // 2018-12-17T22:10:50Z
}

TEST(SequenceNumberTest, RoundTripsAndOrdersByCounter) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20'000; ++i) {
    SequenceNumber number;
    number.shard_created_s = random() % 16'025'175'000;
    number.shard =
        ShardIndex(static_cast<uint32_t>(random()) >> 1 >> random() % 31);
    number.counter = random() >> 1 >> random() % 63;
    number.record_s = random() & 0xfffffffff;
    const std::string text = number.ToString();
    ASSERT_EQ(text.size(), 56u);
    const auto parsed = SequenceNumber::Parse(text);
    ASSERT_TRUE(parsed.ok()) << text;
    ASSERT_EQ(*parsed, number);
    if (number.counter == kCounterMax) continue;
    SequenceNumber later = number;
    later.counter += 1;
    later.record_s = random() & 0xfffffffff;
    ASSERT_LT(text, later.ToString());
  }
}

TEST(SequenceNumberTest, AppendsBehindWhatIsThere) {
  std::string out = "x";
  SequenceNumber{kCreated, ShardIndex(0), 0, kCreated}.AppendTo(&out);
  EXPECT_EQ(out, "x49646437577108476416916876405825929425585429676275269634");
}

TEST(SequenceNumberTest, RefusesOtherLayouts) {
  const std::string good =
      SequenceNumber{kCreated, ShardIndex(3), 99, kCreated}.ToString();
  std::vector<std::string> bad = {
      "",
      "0",
      "1",
      "TRIM_HORIZON",
      good + "0",
      good.substr(1),
      "-" + good,
      std::string(56, '9'),  // The constant is not 2.
      std::string(56, '0'),
      good.substr(0, 55) + "x",
      std::string(5000, '1')};
  // The last digit carries the version; one more changes it.
  std::string version = good;
  version.back() = version.back() == '9' ? '8' : version.back() + 1;
  bad.push_back(version);
  // A shard made in the far future.
  bad.push_back(SequenceNumber{16'025'175'000, ShardIndex(3), 0, 0}.ToString());
  bad.push_back(
      SequenceNumber{kCreated, ShardIndex(0x80000000u), 0, 0}.ToString());
  bad.push_back(
      SequenceNumber{kCreated, ShardIndex(0), kCounterMax + 1, 0}.ToString());
  for (const std::string& text : bad) {
    const auto parsed = SequenceNumber::Parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(ReasonOf(parsed.status()), ErrorReason::kInvalidArgument);
  }
}

}  // namespace
}  // namespace trireme
