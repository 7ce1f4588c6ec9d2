// The worked examples (client/examples) against three real processes: they end
// by themselves, with the right answer, also when a node dies meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/shard_reader.h"
#include "tests/cluster/cluster_test.h"

namespace trireme {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

constexpr absl::Duration kPatience = absl::Seconds(100);
constexpr int kKilled = 1;

class ExamplesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    cluster_.StartAll();
    ASSERT_OK(cluster_.WaitReady());
  }
  void TearDown() override {
    if (HasFailure()) cluster_.KeepForInspection();
  }

  void Start(const char* program, std::vector<std::string> arguments) {
    std::vector<std::string> command = {
        program, "--endpoint", absl::StrJoin(cluster_.addresses(), ",")};
    for (std::string& argument : arguments) {
      command.push_back(std::move(argument));
    }
    const auto pid = Spawn(command, output_path());
    ASSERT_OK(pid.status());
    pid_ = *pid;
  }
  void ExpectRight() {
    const auto code = WaitForExit(pid_, kPatience);
    ASSERT_OK(code.status());
    EXPECT_EQ(*code, 0) << ReadFileText(output_path());
    EXPECT_THAT(ReadFileText(output_path()), HasSubstr("\nright: "));
  }
  void Run(const char* program, std::vector<std::string> arguments) {
    ASSERT_NO_FATAL_FAILURE(Start(program, std::move(arguments)));
    ExpectRight();
  }

  // Everything in a stream, as JSON.
  std::vector<Json> ReadStream(const std::string& stream) {
    std::vector<Json> all;
    const auto client = cluster_.ClientOfAll();
    const auto shards = client->ListShards(stream);
    EXPECT_TRUE(shards.ok());
    if (!shards.ok()) return all;
    for (const v1::Shard& shard : *shards) {
      client::ShardReader reader(*client, stream, shard.shard_id(),
                                 client::FromTrimHorizon());
      while (!reader.caught_up()) {
        const auto page = reader.Next();
        EXPECT_TRUE(page.ok()) << page.status().ToString();
        if (!page.ok()) break;
        for (const v1::Record& record : page->records()) {
          all.push_back(Json::parse(record.data()));
        }
      }
    }
    return all;
  }

  // One number from the items' file; -1 while it is not there.
  int64_t Query(const std::string& sql) {
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    int64_t number = -1;
    if (sqlite3_open_v2(database_path().c_str(), &db, SQLITE_OPEN_READONLY,
                        nullptr) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) ==
            SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
  }
  void ExpectItems(int items) {
    EXPECT_EQ(Query("SELECT COUNT(*) FROM order_items"), items);
    EXPECT_EQ(Query("SELECT COUNT(DISTINCT item) FROM order_items"), items);
    EXPECT_EQ(Query("SELECT MAX(item) FROM order_items"), items - 1);
    // Each has what it was to be enriched with.
    EXPECT_EQ(Query("SELECT COUNT(*) FROM order_items WHERE customer LIKE "
                    "'customer-%' AND product LIKE 'Product %' AND "
                    "amount_cents > 0"),
              items);
  }

  std::string output_path() const { return cluster_.folder() + "/output"; }
  std::string database_path() const { return cluster_.folder() + "/items.db"; }

  ClusterProcess cluster_;
  pid_t pid_ = 0;
};

TEST_F(ExamplesTest, AdConversionPutsTheRatioOfEachMinuteAndAd) {
  // Several windows have a part of each minute's clicks.
  Run(AD_CONVERSION_PATH, {"--window", "1", "--minutes", "6", "--ads", "4",
                           "--clicks", "200", "--minute-takes", "0.5"});
  std::set<std::pair<int64_t, std::string>> found;
  for (const Json& one : ReadStream("conversions")) {
    const int64_t minute = one["minute"];
    const std::string ad = one["ad"];
    // The shop's customers order so often on 20 clicks (ad_traffic.cc).
    const int64_t rate = 1 + (ad.back() - '0') + minute % 4;
    EXPECT_EQ(one["clicks"].get<int64_t>(), 200 * (1 + minute % 3)) << one;
    EXPECT_EQ(one["orders"].get<int64_t>() * 20,
              one["clicks"].get<int64_t>() * rate)
        << one;
    EXPECT_DOUBLE_EQ(one["ratio"].get<double>(),
                     static_cast<double>(rate) / 20);
    found.emplace(minute, ad);
  }
  EXPECT_EQ(found.size(), 6u * 4u);
}

TEST_F(ExamplesTest, OrderEnrichmentWritesEachItemOnce) {
  Run(ORDER_ENRICHMENT_PATH,
      {"--items", "10000", "--rate", "0", "--database", database_path()});
  ExpectItems(10'000);
}

TEST_F(ExamplesTest, OrderEnrichmentWritesEachItemOnceWhileANodeDies) {
  ASSERT_NO_FATAL_FAILURE(Start(
      ORDER_ENRICHMENT_PATH,
      {"--items", "10000", "--rate", "2000", "--database", database_path()}));
  const absl::Time deadline = absl::Now() + kPatience;
  while (Query("SELECT COUNT(*) FROM order_items") < 1000) {
    ASSERT_LT(absl::Now(), deadline) << ReadFileText(output_path());
    absl::SleepFor(absl::Milliseconds(20));
  }
  cluster_.Kill(kKilled);
  ExpectRight();
  ExpectItems(10'000);
}

}  // namespace
}  // namespace trireme
