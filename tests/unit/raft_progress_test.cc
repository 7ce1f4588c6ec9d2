#include <gtest/gtest.h>

#include "replication/raft/progress.h"

namespace trireme::raft {
namespace {

TEST(InflightTest, IsFullByMessagesOrBytes) {
  Inflight inflight;
  EXPECT_FALSE(inflight.Full(2, 100));
  inflight.Add(5, 60);
  EXPECT_FALSE(inflight.Full(2, 100));
  inflight.Add(9, 60);
  EXPECT_TRUE(inflight.Full(2, 1000));
  EXPECT_TRUE(inflight.Full(9, 100));
  inflight.FreeUpTo(8);
  EXPECT_FALSE(inflight.Full(2, 100));
  inflight.FreeUpTo(9);
  EXPECT_TRUE(inflight.empty());
}

TEST(ProgressTest, ProbesOneAppendAtATime) {
  Progress progress(NodeId(2), 11);
  EXPECT_FALSE(progress.Paused(8, 1000));
  progress.probe_sent = true;
  EXPECT_TRUE(progress.Paused(8, 1000));
  EXPECT_TRUE(progress.OnRejected(10, 6));
  EXPECT_EQ(progress.next, 7u);
  EXPECT_FALSE(progress.Paused(8, 1000));
}

TEST(ProgressTest, IgnoresARejectionOfAnEarlierProbe) {
  Progress progress(NodeId(2), 11);
  EXPECT_TRUE(progress.OnRejected(10, 6));
  EXPECT_FALSE(progress.OnRejected(10, 3));
  EXPECT_EQ(progress.next, 7u);
}

TEST(ProgressTest, NeverFallsToItsMatch) {
  Progress progress(NodeId(2), 11);
  EXPECT_TRUE(progress.OnAccepted(8));
  progress.BecomeReplicate();
  progress.next = 20;
  EXPECT_FALSE(progress.OnRejected(8, 2));
  EXPECT_TRUE(progress.OnRejected(15, 2));
  EXPECT_EQ(progress.state, Progress::State::kProbe);
  EXPECT_EQ(progress.next, 9u);
  progress.CheckInvariants(20);
}

TEST(ProgressTest, RetriesBehindWhatTheFollowerHolds) {
  Progress progress(NodeId(2), 11);
  progress.OnAccepted(10);
  progress.BecomeReplicate();
  progress.next = 40;
  EXPECT_TRUE(progress.OnRejected(39, 25));
  EXPECT_EQ(progress.next, 26u);
}

TEST(ProgressTest, CountsForNothingWhileItsReplicaRecovers) {
  Progress progress(NodeId(2), 11);
  progress.OnAccepted(10);
  progress.acked_round = 4;
  EXPECT_EQ(progress.CountedMatch(), 10u);
  EXPECT_EQ(progress.CountedRound(), 4u);
  progress.Restart(/*new_incarnation=*/2, /*is_recovering=*/true, 11);
  EXPECT_EQ(progress.match, 0u);
  progress.OnAccepted(7);
  progress.acked_round = 5;
  EXPECT_EQ(progress.CountedMatch(), 0u);
  EXPECT_EQ(progress.CountedRound(), 0u);
}

}  // namespace
}  // namespace trireme::raft
