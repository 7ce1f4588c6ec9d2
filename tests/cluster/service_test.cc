// What three real processes promise when nothing breaks, and when they are
// stopped as planned.
#include <signal.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/cluster/cluster_test.h"
#include "tests/free_ports.h"

namespace trireme {
namespace {

using ServiceTest = ClusterTest;

TEST_F(ServiceTest, AnyNodeTakesAnyRequest) {
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    const std::unique_ptr<client::Client> writer = cluster_.ClientOf(node);
    for (int i = 0; i < 40; ++i) {
      const uint64_t id = history_.Invoke(node, absl::StrCat("key-", i), 100);
      v1::PutRecordRequest request;
      request.set_stream_name(options_.stream);
      request.set_partition_key(history_.key(id));
      request.set_data(history_.data(id));
      history_.Sent(id);
      const auto response = writer->PutRecord(request);
      ASSERT_TRUE(response.ok()) << response.status().ToString();
      history_.Acked(id, {response->shard_id(), response->sequence_number()});
    }
    // Acked through one node means readable through all.
    const absl::StatusOr<StreamRecords> stored =
        CheckThroughEachNode(cluster_, options_.stream, history_);
    ASSERT_TRUE(stored.ok()) << stored.status().ToString();
    ASSERT_EQ(CountOf(*stored), history_.acked_count());
  }
}

TEST_F(ServiceTest, TerminationDrainsAndEndsWithZero) {
  Load load(cluster_, options_, &history_);
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    ExpectProgress("all nodes were up");
    const absl::Time asked = absl::Now();
    const absl::StatusOr<int> code = cluster_.Terminate(node);
    ASSERT_TRUE(code.ok()) << code.status().ToString();
    EXPECT_EQ(*code, 0) << ReadFileText(cluster_.log_path(node));
    std::printf("  node %d ended after %.1f s, %zu outcomes unknown so far\n",
                node, absl::ToDoubleSeconds(absl::Now() - asked),
                history_.unknown_count());
    ExpectProgress("a planned stop");
    cluster_.Start(node);
    ASSERT_OK(cluster_.WaitReady());
  }
  CheckAll(&load);
}

// Nobody is left to take over: waiting for that would only cost time.
TEST_F(ServiceTest, AllStopAtOnceWithoutWaitingForAnother) {
  EXPECT_TRUE(AwaitLogged(0, "] [info] group 0: node "));
  const absl::Time asked = absl::Now();
  ASSERT_OK(cluster_.TerminateAll());
  const absl::Duration taken = absl::Now() - asked;
  std::printf("  all ended after %.1f s\n", absl::ToDoubleSeconds(taken));
  EXPECT_LT(taken, absl::Seconds(4));
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    const std::string log = ReadFileText(cluster_.log_path(node));
    EXPECT_FALSE(absl::StrContains(log, "was refused")) << log;
  }
  cluster_.StartAll();
  ASSERT_OK(cluster_.WaitReady());
}

TEST_F(ServiceTest, SecondProcessOnTheSameDataIsRefused) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  const std::string output = cluster_.folder() + "/second.log";
  // With its ports, and with others: the data alone must stop it.
  const std::vector<int> ports = FreePorts(2);
  std::string config = ReadFileText(cluster_.config_path(0));
  const std::string elsewhere = cluster_.folder() + "/elsewhere.yaml";
  std::string text;
  for (const absl::string_view line : absl::StrSplit(config, '\n')) {
    if (absl::StartsWith(line, "listen:")) {
      absl::StrAppend(&text, "listen: 127.0.0.1:", ports[0], "\n");
    } else if (absl::StartsWith(line, "peer_listen:")) {
      absl::StrAppend(&text, "peer_listen: 127.0.0.1:", ports[1], "\n");
    } else {
      absl::StrAppend(&text, line, "\n");
    }
  }
  WriteFileText(elsewhere, text);
  for (const std::string& path : {cluster_.config_path(0), elsewhere}) {
    std::filesystem::remove(output);
    absl::StatusOr<pid_t> second =
        Spawn({TRIREMED_PATH, "--config", path}, output);
    ASSERT_TRUE(second.ok());
    const absl::StatusOr<int> code = WaitForExit(*second, absl::Seconds(10));
    if (!code.ok()) kill(*second, SIGKILL);
    ASSERT_TRUE(code.ok()) << ReadFileText(output);
    EXPECT_EQ(*code, 1) << ReadFileText(output);
    std::printf("  it says: %s\n", ReadFileText(output).c_str());
    ExpectProgress("a second process");
  }
  // The disk is as good as before.
  cluster_.Kill(0);
  cluster_.Start(0);
  CheckAll(&load);
}

}  // namespace
}  // namespace trireme
