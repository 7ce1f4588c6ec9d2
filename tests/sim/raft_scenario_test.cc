// Runs every file of tests/sim/scenarios/raft.
#include "tests/sim/raft_scenario.h"

#include <gtest/gtest.h>

#include "tests/sim/scenario_files.h"

namespace trireme::sim {
namespace {

class RaftScenarioTest : public testing::TestWithParam<std::string> {};

TEST_P(RaftScenarioTest, Holds) {
  EXPECT_EQ(RaftScenario().Run(ReadScenario(GetParam())), "");
}

INSTANTIATE_TEST_SUITE_P(
    Raft, RaftScenarioTest,
    testing::ValuesIn(ScenarioFiles(TRIREME_RAFT_SCENARIOS)), ScenarioTestName);

// The interpreter itself must notice what is wrong.
TEST(RaftScenarioInterpreterTest, NamesTheLineThatDoesNotHold) {
  const std::string wrong = RaftScenario().Run(
      "# nobody leads a group that nobody asked to\n"
      "nodes 3\n"
      "expect leader 1\n");
  EXPECT_TRUE(wrong.starts_with("line 3: expect leader 1")) << wrong;
}

}  // namespace
}  // namespace trireme::sim
