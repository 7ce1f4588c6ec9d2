// What the tests of this folder share: a cluster that is up, a stream with one
// shard in each data group, and the check of everything at the end.
#ifndef TRIREME_TESTS_CLUSTER_CLUSTER_TEST_H_
#define TRIREME_TESTS_CLUSTER_CLUSTER_TEST_H_

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "tests/cluster/cluster_process.h"
#include "tests/cluster/history.h"
#include "tests/cluster/load.h"
#include "tests/cluster/zone_networks.h"

namespace trireme {

#define ASSERT_OK(expression)                                  \
  do {                                                         \
    const absl::Status status_of_it = (expression);            \
    ASSERT_TRUE(status_of_it.ok()) << status_of_it.ToString(); \
  } while (false)

class ClusterTest : public ::testing::Test {
 protected:
  // On each shard; enough to be in the middle of everything.
  static constexpr size_t kSomeRecords = 100;
  static constexpr absl::Duration kLiveness = absl::Seconds(15);

  explicit ClusterTest(const ZoneNetworks* networks = nullptr)
      : cluster_(networks) {}

  void SetUp() override {
    cluster_.StartAll();
    ASSERT_OK(cluster_.WaitReady());
    ASSERT_OK(MakeStream(cluster_, options_));
  }
  void TearDown() override {
    if (HasFailure()) cluster_.KeepForInspection();
  }

  // The load goes on: each shard gets that many records more.
  void ExpectProgress(const char* after, size_t records = kSomeRecords) {
    ASSERT_TRUE(history_.AwaitAcked(
        records, static_cast<size_t>(options_.shards), kLiveness))
        << "writes stopped after " << after << "; " << history_.acked_count()
        << " acked";
  }

  template <typename Condition>
  static bool Await(Condition condition,
                    absl::Duration timeout = absl::Seconds(40)) {
    const absl::Time deadline = absl::Now() + timeout;
    while (!condition()) {
      if (absl::Now() >= deadline) return false;
      absl::SleepFor(absl::Milliseconds(50));
    }
    return true;
  }
  bool AwaitLogged(int node, const char* what) {
    return Await([&] {
      return absl::StrContains(ReadFileText(cluster_.log_path(node)), what);
    });
  }

  // What the nodes hold is what the writers were told.
  void ExpectEverythingIsRead() {
    ASSERT_OK(cluster_.WaitReady());
    absl::StatusOr<StreamRecords> stored =
        CheckThroughEachNode(cluster_, options_.stream, history_);
    ASSERT_TRUE(stored.ok()) << stored.status().ToString();
    stored_ = *std::move(stored);
  }
  void CheckAll(Load* load) {
    load->Stop();
    ExpectEverythingIsRead();
    std::printf("  %zu acked, %zu unknown, %zu refused, %zu stored\n",
                history_.acked_count(), history_.unknown_count(),
                history_.refused_count(), CountOf(stored_));
  }

  ClusterProcess cluster_;
  LoadOptions options_;
  History history_;
  StreamRecords stored_;  // After ExpectEverythingIsRead.
};

}  // namespace trireme

#endif  // TRIREME_TESTS_CLUSTER_CLUSTER_TEST_H_
