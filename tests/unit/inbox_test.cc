#include "replication/inbox.h"

#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"

namespace trireme {
namespace {

constexpr uint64_t kRoom = 100;

TEST(InboxTest, RoomForProposalsIsBounded) {
  Inbox inbox(kRoom);
  EXPECT_TRUE(inbox.Admit(60));
  EXPECT_TRUE(inbox.Admit(40));
  EXPECT_FALSE(inbox.Admit(1));
  inbox.Release(40);
  EXPECT_TRUE(inbox.Admit(40));
}

TEST(InboxTest, OneProposalLargerThanAllTheRoomPassesAlone) {
  Inbox inbox(kRoom);
  EXPECT_TRUE(inbox.Admit(kRoom + 1));
  EXPECT_FALSE(inbox.Admit(1));
  inbox.Release(kRoom + 1);
  EXPECT_TRUE(inbox.Admit(1));
  EXPECT_FALSE(inbox.Admit(kRoom + 1));
}

TEST(InboxTest, TheReaderTakesAllThatArrivedInItsOrder) {
  Inbox inbox(kRoom);
  for (uint32_t peer = 1; peer <= 3; ++peer) {
    inbox.Push(ConnectionLostTo{NodeId(peer)});
  }
  EXPECT_TRUE(inbox.Wait(absl::InfiniteDuration()));
  const std::vector<InboxEvent> events = inbox.TakeAll();
  ASSERT_EQ(events.size(), 3u);
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::get<ConnectionLostTo>(events[i]).peer, NodeId(i + 1));
  }
  EXPECT_TRUE(inbox.TakeAll().empty());
}

TEST(InboxTest, TheReaderWakesWithoutAnEventWhenItsTimeIsUp) {
  Inbox inbox(kRoom);
  EXPECT_TRUE(inbox.Wait(absl::ZeroDuration()));
  EXPECT_TRUE(inbox.TakeAll().empty());
}

TEST(InboxTest, WritersWakeTheReader) {
  Inbox inbox(kRoom);
  std::thread writer([&inbox] { inbox.Push(DrainRequested{}); });
  EXPECT_TRUE(inbox.Wait(absl::InfiniteDuration()));
  EXPECT_EQ(inbox.TakeAll().size(), 1u);
  writer.join();
}

TEST(InboxTest, AfterStopNothingArrivesAndNobodyWaits) {
  Inbox inbox(kRoom);
  std::thread stopper([&inbox] { inbox.Stop(); });
  EXPECT_FALSE(inbox.Wait(absl::InfiniteDuration()));
  stopper.join();
  inbox.Push(DrainRequested{});
  EXPECT_TRUE(inbox.TakeAll().empty());
}

}  // namespace
}  // namespace trireme
