#include "server/put_sequence.h"

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Routing kOld{StreamId(1), ShardIndex(0)};
constexpr Routing kNew{StreamId(1), ShardIndex(2)};

class PutSequenceTest : public ::testing::Test {
 protected:
  bool Propose(uint64_t put, Routing routing) {
    return sequence_->Propose(put, routing,
                              [this, put] { proposed_.push_back(put); });
  }
  uint64_t Enter() { return sequence_->Enter(); }

  std::shared_ptr<PutSequence> sequence_ = std::make_shared<PutSequence>();
  std::vector<uint64_t> proposed_;
};

TEST_F(PutSequenceTest, PutsOfOneRoutingAreProposedAtOnce) {
  for (uint64_t put = 0; put < 3; ++put) {
    ASSERT_EQ(Enter(), put);
    EXPECT_TRUE(Propose(put, kOld));
  }
  sequence_->Leave(1);  // In any order.
  ASSERT_EQ(Enter(), 3u);
  EXPECT_TRUE(Propose(3, kOld));
  EXPECT_THAT(proposed_, ElementsAre(0, 1, 2, 3));
}

TEST_F(PutSequenceTest, ANewRoutingWaitsForThePutsOfTheOld) {
  Enter();
  Enter();
  Propose(0, kOld);
  Propose(1, kOld);
  Enter();
  EXPECT_FALSE(Propose(2, kNew));
  sequence_->Leave(0);
  EXPECT_THAT(proposed_, ElementsAre(0, 1));
  sequence_->Leave(1);
  EXPECT_THAT(proposed_, ElementsAre(0, 1, 2));
  Enter();
  EXPECT_TRUE(Propose(3, kNew));
}

TEST_F(PutSequenceTest, RefusedPutsAreProposedAgainInTheirOrder) {
  for (uint64_t put = 0; put < 4; ++put) {
    Enter();
    Propose(put, kOld);
  }
  proposed_.clear();
  // A seal refused 1, 2 and 3; the catalogue is heard of in another order.
  for (const uint64_t put : {3u, 1u, 2u}) sequence_->Recall(put);
  EXPECT_FALSE(Propose(3, kNew));
  EXPECT_FALSE(Propose(2, kNew));
  EXPECT_FALSE(Propose(1, kNew));  // 0 is still under way by the old one.
  EXPECT_EQ(Enter(), 4u);
  EXPECT_FALSE(Propose(4, kNew));
  EXPECT_THAT(proposed_, IsEmpty());
  sequence_->Leave(0);
  EXPECT_THAT(proposed_, ElementsAre(1, 2, 3, 4));
  Enter();
  EXPECT_TRUE(Propose(5, kNew));
}

TEST_F(PutSequenceTest, APutOfTheOldRoutingWaitsForTheRecalled) {
  Enter();
  Propose(0, kOld);
  sequence_->Recall(0);
  Enter();
  EXPECT_FALSE(Propose(1, kOld));  // Here the children are not known yet.
  EXPECT_TRUE(Propose(0, kNew));
  EXPECT_THAT(proposed_, ElementsAre(0, 0));
  sequence_->Leave(0);
  EXPECT_THAT(proposed_, ElementsAre(0, 0, 1));
}

TEST_F(PutSequenceTest, APutThatNeverIsProposedHoldsNobodyUpOnceItLeft) {
  Enter();
  Enter();
  EXPECT_FALSE(Propose(1, kOld));
  sequence_->Leave(0);
  EXPECT_THAT(proposed_, ElementsAre(1));
}

TEST_F(PutSequenceTest, APutMayBeAnsweredWhileItIsProposed) {
  Enter();
  Enter();
  Enter();
  sequence_->Propose(2, kOld, [this] {
    proposed_.push_back(2);
    sequence_->Leave(2);
    sequence_.reset();  // The caller is gone.
  });
  sequence_->Propose(1, kOld, [this] {
    proposed_.push_back(1);
    sequence_->Leave(1);
  });
  sequence_->Propose(0, kOld, [this] {
    proposed_.push_back(0);
    sequence_->Leave(0);
  });
  EXPECT_THAT(proposed_, ElementsAre(0, 1, 2));
  EXPECT_EQ(sequence_, nullptr);
}

TEST_F(PutSequenceTest, PutsToAnotherStreamDoNotWait) {
  const Routing other{StreamId(2), ShardIndex(5)};
  for (uint64_t put = 0; put < 4; ++put) {
    Enter();
    EXPECT_TRUE(Propose(put, put % 2 == 0 ? kOld : other));
  }
  sequence_->Recall(0);
  Enter();
  EXPECT_TRUE(Propose(4, other));
  Enter();
  EXPECT_FALSE(Propose(5, kNew));
  EXPECT_TRUE(Propose(0, kNew));
  sequence_->Leave(2);  // The last by the old one.
  EXPECT_THAT(proposed_, ElementsAre(0, 1, 2, 3, 4, 0, 5));
}

// Completions on other threads recall puts and propose them again, while the
// caller goes on with new ones.
TEST(PutSequenceThreadsTest, WhatIsProposedByOneRoutingIsInOrder) {
  auto sequence = std::make_shared<PutSequence>();
  constexpr uint64_t kPuts = 20'000;
  absl::Mutex mu;
  std::vector<std::pair<Routing, uint64_t>> proposed;
  std::deque<uint64_t> answers;  // Proposed, to be answered.
  std::atomic<uint32_t> newest = 0;
  uint64_t left = 0;
  const auto propose = [&](uint64_t put) {
    const Routing routing{StreamId(1), ShardIndex(newest.load())};
    sequence->Propose(put, routing, [&, put, routing] {
      absl::MutexLock lock(&mu);
      proposed.emplace_back(routing, put);
      answers.push_back(put);
    });
  };
  const auto answer = [&] {
    for (;;) {
      uint64_t put = 0;
      bool refused = false;
      {
        absl::MutexLock lock(&mu);
        const auto some = [&] { return !answers.empty() || left == kPuts; };
        mu.Await(absl::Condition(&some));
        if (answers.empty()) return;
        put = answers.front();
        answers.pop_front();
        refused = put % 97 == 0 && put / 97 >= newest.load();
        if (refused) newest.fetch_add(1);
        if (!refused) ++left;
      }
      if (refused) {
        sequence->Recall(put);
        propose(put);
      } else {
        sequence->Leave(put);
      }
    }
  };
  std::thread one(answer);
  std::thread two(answer);
  for (uint64_t put = 0; put < kPuts; ++put) {
    sequence->Enter();
    propose(put);
  }
  one.join();
  two.join();
  std::map<uint32_t, uint64_t> last;
  for (const auto& [routing, put] : proposed) {
    const auto before = last.find(routing.newest.value());
    if (before != last.end()) {
      EXPECT_LT(before->second, put);
    }
    last[routing.newest.value()] = put;
  }
  EXPECT_GT(last.size(), 100u);
}

}  // namespace
}  // namespace trireme
