// Runs every file of tests/sim/scenarios/raft.
#include "tests/sim/raft_scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace trireme::sim {
namespace {

std::vector<std::string> ScenarioFiles() {
  std::vector<std::string> files;
  for (const auto& file :
       std::filesystem::directory_iterator(TRIREME_RAFT_SCENARIOS)) {
    if (file.path().extension() == ".txt") files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string TestName(const testing::TestParamInfo<std::string>& file) {
  std::string name = std::filesystem::path(file.param).stem();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class RaftScenarioTest : public testing::TestWithParam<std::string> {};

TEST_P(RaftScenarioTest, Holds) {
  std::ifstream file(GetParam());
  std::stringstream text;
  text << file.rdbuf();
  ASSERT_TRUE(text.str().starts_with("# ")) << "say first what must hold";
  EXPECT_EQ(RaftScenario().Run(text.str()), "");
}

INSTANTIATE_TEST_SUITE_P(Raft, RaftScenarioTest,
                         testing::ValuesIn(ScenarioFiles()), TestName);

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
