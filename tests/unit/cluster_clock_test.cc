#include "replication/cluster_clock.h"

#include "gtest/gtest.h"

namespace trireme {
namespace {

constexpr NodeId kPeer(2);
constexpr NodeId kOtherPeer(3);

class ManualClock : public Clock {
 public:
  absl::Time WallNow() const override { return wall_; }
  absl::Duration MonotonicNow() const override { return monotonic_; }

  void Advance(absl::Duration by) {
    wall_ += by;
    monotonic_ += by;
  }
  void Jump(absl::Duration by) { wall_ += by; }

 private:
  absl::Time wall_ = absl::FromUnixSeconds(1'750'000'000);
  absl::Duration monotonic_ = absl::Hours(7);
};

class ClusterClockTest : public ::testing::Test {
 protected:
  // All three clocks showing the same.
  void HearBoth() {
    clock_.OnPeerTime(kPeer, own_.WallNow());
    clock_.OnPeerTime(kOtherPeer, own_.WallNow());
  }

  ManualClock own_;
  const absl::Time start_ = own_.WallNow();
  ClusterClock clock_{&own_};
};

TEST_F(ClusterClockTest, IsTheOwnClockUntilAPeerHasSpoken) {
  own_.Advance(absl::Seconds(1));
  EXPECT_EQ(clock_.WallNow(), start_ + absl::Seconds(1));
  EXPECT_EQ(clock_.MonotonicNow(), own_.MonotonicNow());
}

TEST_F(ClusterClockTest, OurOwnJumpMovesNothing) {
  HearBoth();
  for (const absl::Duration jump :
       {absl::Hours(1), absl::Hours(24), absl::Hours(-24), absl::Hours(-2)}) {
    own_.Jump(jump);
    EXPECT_EQ(clock_.WallNow(), start_);
  }
}

TEST_F(ClusterClockTest, APeersJumpMovesNothing) {
  HearBoth();
  clock_.OnPeerTime(kPeer, start_ + absl::Hours(24));
  EXPECT_EQ(clock_.WallNow(), start_);
  clock_.OnPeerTime(kPeer, start_ - absl::Hours(24));
  EXPECT_EQ(clock_.WallNow(), start_);
}

TEST_F(ClusterClockTest, AWrongClockMovesItNoFurtherThanTheOthersStand) {
  clock_.OnPeerTime(kPeer, start_ + absl::Milliseconds(300));
  clock_.OnPeerTime(kOtherPeer, start_ - absl::Milliseconds(300));
  own_.Jump(absl::Hours(1));
  EXPECT_EQ(clock_.WallNow(), start_ + absl::Milliseconds(300));
  own_.Jump(absl::Hours(-2));
  EXPECT_EQ(clock_.WallNow(), start_ - absl::Milliseconds(300));
}

TEST_F(ClusterClockTest, OfTwoClocksTheEarlierCounts) {
  clock_.OnPeerTime(kPeer, start_ + absl::Hours(24));
  EXPECT_EQ(clock_.WallNow(), start_);
  own_.Jump(absl::Hours(48));
  EXPECT_EQ(clock_.WallNow(), start_ + absl::Hours(24));
}

TEST_F(ClusterClockTest, PeersThatFellSilentGoOnCounting) {
  HearBoth();
  own_.Advance(absl::Hours(5));
  own_.Jump(absl::Hours(24));
  EXPECT_EQ(clock_.WallNow(), start_ + absl::Hours(5));
}

}  // namespace
}  // namespace trireme
