#include "replication/formation.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace trireme {
namespace {

// Three nodes that ask each other; a node that is down does not answer.
class FormationTest : public ::testing::Test {
 protected:
  FormationTest() {
    for (uint32_t i = 1; i <= 3; ++i) Restart(i, /*incarnation=*/i * 100);
  }

  // A node with a new disk.
  void Restart(uint32_t node, uint64_t incarnation) {
    Identity identity;
    identity.cluster = "test";
    identity.node = NodeId(node);
    identity.group_count = 9;
    identity.incarnation = incarnation;
    At(node) = std::make_unique<Formation>(
        identity, std::vector<NodeId>{NodeId(1), NodeId(2), NodeId(3)});
  }

  std::unique_ptr<Formation>& At(uint32_t node) { return nodes_[node - 1]; }

  bool Round(uint32_t node) {
    const absl::StatusOr<bool> formed =
        At(node)->Round([this](NodeId peer) -> absl::StatusOr<Identity> {
          if (down_ == peer) return absl::UnavailableError("down");
          return At(peer.value())->Describe();
        });
    EXPECT_TRUE(formed.ok()) << formed.status();
    return formed.ok() && *formed;
  }

  std::unique_ptr<Formation> nodes_[3];
  NodeId down_;
};

TEST_F(FormationTest, TwoRoundsWithTheSameDisksFoundTheCluster) {
  EXPECT_FALSE(Round(1));
  EXPECT_TRUE(Round(1));
  EXPECT_FALSE(At(1)->Describe().rejoined);
  // The others learn of it from the first.
  EXPECT_TRUE(Round(2));
  EXPECT_FALSE(At(2)->Describe().rejoined);
  EXPECT_EQ(At(2)->Describe().founders, At(1)->Describe().founders);
}

TEST_F(FormationTest, NobodyFoundsWhileANodeIsDown) {
  down_ = NodeId(3);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Round(1));
}

TEST_F(FormationTest, ADiskThatChangesBetweenRoundsStartsThemAnew) {
  EXPECT_FALSE(Round(1));
  Restart(3, 301);
  EXPECT_FALSE(Round(1));
  EXPECT_TRUE(Round(1));
  EXPECT_EQ(At(1)->Describe().founders.at(NodeId(3)), 301u);
}

TEST_F(FormationTest, ANewDiskOfAFormedClusterRejoins) {
  Round(1);
  Round(1);
  Round(2);
  Restart(2, 250);
  EXPECT_TRUE(Round(2));
  EXPECT_TRUE(At(2)->Describe().rejoined);
  // Also when only an unformed and a formed node are there to be asked.
  Restart(3, 350);
  EXPECT_TRUE(Round(3));
  EXPECT_TRUE(At(3)->Describe().rejoined);
}

TEST_F(FormationTest, ANodeOfAnotherClusterIsRefused) {
  const absl::StatusOr<bool> formed =
      At(1)->Round([](NodeId peer) -> absl::StatusOr<Identity> {
        Identity identity;
        identity.cluster = "another";
        identity.node = peer;
        identity.group_count = 9;
        return identity;
      });
  EXPECT_TRUE(absl::IsFailedPrecondition(formed.status())) << formed.status();
}

}  // namespace
}  // namespace trireme
