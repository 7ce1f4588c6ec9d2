#include <gtest/gtest.h>

#include "replication/raft/membership.h"

namespace trireme::raft {
namespace {

Membership Three() { return {{NodeId(1), NodeId(2), NodeId(3)}, {}, {}}; }
Membership Joint() {
  return {{NodeId(1), NodeId(2)},
          {NodeId(1), NodeId(2), NodeId(3)},
          {NodeId(70000)}};
}

Entry ConfigEntry(LogIndex index, const Membership& membership) {
  Entry entry;
  entry.index = index;
  entry.term = 1;
  entry.type = EntryType::kConfig;
  entry.payload = MakePayload(EncodeMembership(membership));
  return entry;
}

TEST(MembershipTest, IsReadBackAsItWasWritten) {
  for (const Membership& membership : {Three(), Joint()}) {
    const auto decoded = DecodeMembership(EncodeMembership(membership));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, membership);
  }
}

TEST(MembershipTest, RefusesBytesThatAreNotOne) {
  const std::string good = EncodeMembership(Joint());
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(DecodeMembership(good.substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(DecodeMembership(good + "x").ok());
  EXPECT_FALSE(DecodeMembership("\x02" + good.substr(1)).ok());
  EXPECT_FALSE(DecodeMembership(EncodeMembership(Membership())).ok());
}

TEST(MembershipTest, NamesEachMemberOnce) {
  EXPECT_EQ(Joint().Members(), (std::vector<NodeId>{NodeId(1), NodeId(2),
                                                    NodeId(3), NodeId(70000)}));
  EXPECT_TRUE(Joint().IsVoter(NodeId(3)));
  EXPECT_FALSE(Joint().IsVoter(NodeId(70000)));
}

TEST(MembershipHistoryTest, IsAFunctionOfTheLog) {
  MembershipHistory history(Three());
  EXPECT_TRUE(history.OnAppend(ConfigEntry(5, Joint())));
  EXPECT_EQ(history.current(), Joint());
  EXPECT_EQ(history.At(4), Three());
  EXPECT_FALSE(history.OnTruncate(6));
  EXPECT_EQ(history.current(), Joint());
  EXPECT_TRUE(history.OnTruncate(5));
  EXPECT_EQ(history.current(), Three());
}

TEST(MembershipHistoryTest, KeepsWhatTrimmedEntriesSaid) {
  MembershipHistory history(Three());
  history.OnAppend(ConfigEntry(5, Joint()));
  history.OnAppend(ConfigEntry(9, Three()));
  history.OnTrim(7);
  EXPECT_EQ(history.At(7), Joint());
  history.OnTruncate(8);
  EXPECT_EQ(history.current(), Joint());
}

}  // namespace
}  // namespace trireme::raft
