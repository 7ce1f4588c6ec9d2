#include "replication/inbox.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr uint64_t kRoom = 100;

// Of so many bytes for each of these shards.
std::shared_ptr<const ProposalBody> Puts(
    const std::vector<std::pair<uint32_t, size_t>>& shards) {
  auto body = std::make_shared<ProposalBody>();
  for (const auto& [shard, bytes] : shards) {
    body->puts.push_back(
        {{StreamId(1), ShardIndex(shard)}, 1, std::string(bytes, 'd')});
  }
  return body;
}

TEST(InboxTest, RoomForProposalsIsBoundedAndComesBackWithThePlaces) {
  Inbox inbox(kRoom);
  std::vector<WaitingPlace> places;
  for (uint32_t shard = 0; shard < 10; ++shard) {
    auto place = inbox.Admit(Puts({{shard, 10}}));
    ASSERT_TRUE(place.ok()) << shard;
    places.push_back(*std::move(place));
  }
  const absl::Status refused = inbox.Admit(Puts({{10, 1}})).status();
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kOverloaded) << refused;
  places.pop_back();
  EXPECT_TRUE(inbox.Admit(Puts({{10, 10}})).ok());
}

TEST(InboxTest, AShardLeavesRoomForTheNext) {
  Inbox inbox(kRoom);
  const auto first = inbox.Admit(Puts({{1, 50}}));
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(inbox.Admit(Puts({{1, 1}})).ok());
  const auto other = inbox.Admit(Puts({{2, 30}}));
  ASSERT_TRUE(other.ok());
  // Of one that has its part nothing is taken, for none of the shards.
  EXPECT_FALSE(inbox.Admit(Puts({{3, 10}, {1, 10}})).ok());
  EXPECT_TRUE(inbox.Admit(Puts({{3, 20}})).ok());
}

TEST(InboxTest, OneProposalLargerThanAllTheRoomPassesAlone) {
  Inbox inbox(kRoom);
  auto large = inbox.Admit(Puts({{1, kRoom + 1}}));
  ASSERT_TRUE(large.ok());
  EXPECT_FALSE(inbox.Admit(Puts({{2, 1}})).ok());
  *large = WaitingPlace();
  const auto small = inbox.Admit(Puts({{2, 1}}));
  ASSERT_TRUE(small.ok());
  EXPECT_FALSE(inbox.Admit(Puts({{1, kRoom + 1}})).ok());
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
