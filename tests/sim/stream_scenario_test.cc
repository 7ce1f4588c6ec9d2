// Runs every file of tests/sim/scenarios/stream, each with some seeds.
#include "tests/sim/stream_scenario.h"

#include <gtest/gtest.h>

#include "spdlog/spdlog.h"
#include "tests/sim/scenario_files.h"

namespace trireme::sim {
namespace {

constexpr uint64_t kSeeds = 5;

class StreamScenarioTest : public testing::TestWithParam<std::string> {};

TEST_P(StreamScenarioTest, Holds) {
  spdlog::set_level(spdlog::level::off);
  const std::string text = ReadScenario(GetParam());
  for (uint64_t seed = 1; seed <= kSeeds; ++seed)
    EXPECT_EQ(StreamScenario().Run(text, seed), "") << "seed " << seed;
}

INSTANTIATE_TEST_SUITE_P(
    Stream, StreamScenarioTest,
    testing::ValuesIn(ScenarioFiles(TRIREME_STREAM_SCENARIOS)),
    ScenarioTestName);

TEST(StreamScenarioInterpreterTest, NamesTheLineThatDoesNotHold) {
  const std::string wrong = StreamScenario().Run(
      "# nobody asked for three\n"
      "create 2\n"
      "expect open 3\n",
      1);
  EXPECT_TRUE(wrong.starts_with("line 3: expect open 3\n  it has 2")) << wrong;
}

}  // namespace
}  // namespace trireme::sim
