// Configurations that triremed must refuse, saying which key is wrong; and a
// node's first moments.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "client/error.h"
#include "tests/cluster/cluster_process.h"

namespace trireme {
namespace {

class StartupTest : public ::testing::Test {
 protected:
  // Starts node 0 with a changed configuration: it must end with 1 and name
  // `key`, and leave no data behind.
  void ExpectRefused(const std::string& config, const std::string& key) {
    const std::string path = cluster_.folder() + "/wrong.yaml";
    const std::string output = cluster_.folder() + "/wrong.log";
    WriteFileText(path, config);
    WriteFileText(output, "");
    const absl::StatusOr<pid_t> pid =
        Spawn({TRIREMED_PATH, "--config", path}, output);
    ASSERT_TRUE(pid.ok());
    const absl::StatusOr<int> code = WaitForExit(*pid, absl::Seconds(10));
    if (!code.ok()) kill(*pid, SIGKILL);
    const std::string told = ReadFileText(output);
    ASSERT_TRUE(code.ok()) << "it runs; told: " << told;
    EXPECT_EQ(*code, 1) << told;
    EXPECT_TRUE(absl::StrContains(told, key)) << told;
    EXPECT_TRUE(absl::StrContains(told, "wrong.yaml")) << told;
    EXPECT_FALSE(std::filesystem::exists(cluster_.data_dir(0)));
  }
  std::string Good() const { return ReadFileText(cluster_.config_path(0)); }

  ClusterProcess cluster_;  // Only its files are used.
};

TEST_F(StartupTest, RefusesAnUnknownKey) {
  ExpectRefused(Good() + "listne: 127.0.0.1:1\n", "listne");
}

TEST_F(StartupTest, RefusesAValueOfTheWrongType) {
  ExpectRefused(absl::StrReplaceAll(Good(), {{"node: 1\n", "node: first\n"}}),
                "node");
}

TEST_F(StartupTest, RefusesAnOpenAddressWithoutTls) {
  ExpectRefused(absl::StrReplaceAll(
                    Good(), {{"\nlisten: 127.0.0.1", "\nlisten: 0.0.0.0"}}),
                "listen");
}

TEST_F(StartupTest, RefusesTwoNodes) {
  const std::string good = Good();
  ExpectRefused(good.substr(0, good.find("  - {id: 3")), "peers");
}

TEST_F(StartupTest, RefusesAFileThatIsNotThere) {
  const std::string output = cluster_.folder() + "/none.log";
  const absl::StatusOr<pid_t> pid = Spawn(
      {TRIREMED_PATH, "--config", cluster_.folder() + "/none.yaml"}, output);
  ASSERT_TRUE(pid.ok());
  const absl::StatusOr<int> code = WaitForExit(*pid, absl::Seconds(10));
  ASSERT_TRUE(code.ok());
  EXPECT_NE(*code, 0);
  EXPECT_TRUE(absl::StrContains(ReadFileText(output), "none.yaml"));
}

TEST_F(StartupTest, ANodeThatWaitsForItsPeersSaysSo) {
  cluster_.Start(0);
  const auto client = cluster_.ClientOf(0, absl::Seconds(1));
  absl::Status status;
  for (int i = 0; i < 20 && client::Reason(status) != "NodeStarting"; ++i) {
    status = client->GetClusterStatus().status();
  }
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(client::Reason(status), "NodeStarting") << status;
  EXPECT_TRUE(client::RetryDelay(status).has_value()) << status;
  cluster_.Start(1);
  cluster_.Start(2);
  EXPECT_TRUE(cluster_.WaitReady().ok());
}

}  // namespace
}  // namespace trireme
