#include "replication/proposal_queue.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr GroupId kGroup{1};
constexpr uint64_t kEntryBytes = 256u << 10;
constexpr uint64_t kKib = 1024;

// Of one record; its name is what its bytes begin with.
PendingProposal Put(uint32_t stream, const std::string& name,
                    uint64_t bytes = 100,
                    absl::Duration deadline = absl::Seconds(10)) {
  auto body = std::make_shared<ProposalBody>();
  std::string data = name;
  data.resize(bytes, ' ');
  body->puts.push_back({{StreamId(stream), ShardIndex(0)}, 1, data});
  return {kGroup, std::move(body), deadline, [](ProposalOutcome) {}};
}
PendingProposal Command(const std::string& name) {
  auto body = std::make_shared<ProposalBody>();
  body->command = name;
  return {kGroup, std::move(body), absl::Seconds(10), [](ProposalOutcome) {}};
}

std::vector<std::string> NamesOf(
    const std::vector<PendingProposal>& proposals) {
  std::vector<std::string> names;
  for (const PendingProposal& proposal : proposals) {
    const ProposalBody& body = *proposal.body;
    const std::string& text =
        body.puts.empty() ? body.command : body.puts[0].batch;
    names.push_back(text.substr(0, text.find(' ')));
  }
  return names;
}

class ProposalQueueTest : public ::testing::Test {
 protected:
  std::vector<std::string> TakeEntry(uint64_t bytes_max = kEntryBytes) {
    return NamesOf(queue_.TakeEntry(bytes_max));
  }

  ProposalQueue queue_;
};

TEST_F(ProposalQueueTest, OneStreamsProposalsKeepTheirOrderAndFillEntries) {
  for (const char* name : {"a", "b", "c", "d"}) {
    queue_.Add(Put(1, name, 100 * kKib));
  }
  EXPECT_EQ(queue_.bytes(), 400 * kKib);
  EXPECT_THAT(TakeEntry(), ElementsAre("a", "b"));
  EXPECT_THAT(TakeEntry(), ElementsAre("c", "d"));
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.bytes(), 0u);
  EXPECT_THAT(TakeEntry(), IsEmpty());
}

TEST_F(ProposalQueueTest, ALargeProposalGoesAlone) {
  queue_.Add(Put(1, "large", 10 * kEntryBytes));
  queue_.Add(Put(1, "small"));
  EXPECT_THAT(TakeEntry(), ElementsAre("large"));
  EXPECT_THAT(TakeEntry(), ElementsAre("small"));
}

TEST_F(ProposalQueueTest, AModestStreamGoesAheadOfWhatAFloodHasWaiting) {
  for (int i = 0; i < 1000; ++i) queue_.Add(Put(1, "flood", 50 * kKib));
  for (int i = 0; i < 20; ++i) queue_.Add(Put(2, "modest", kKib));
  const std::vector<std::string> entry = TakeEntry();
  EXPECT_EQ(std::count(entry.begin(), entry.end(), "modest"), 20);
  EXPECT_GT(std::count(entry.begin(), entry.end(), "flood"), 2);
}

TEST_F(ProposalQueueTest, TwoFloodsShareByBytesNotByProposals) {
  for (int i = 0; i < 1000; ++i) {
    queue_.Add(Put(1, "large", 200 * kKib));
    for (int j = 0; j < 10; ++j) queue_.Add(Put(2, "small", 10 * kKib));
  }
  uint64_t large = 0;
  uint64_t small = 0;
  for (int i = 0; i < 100; ++i) {
    for (const std::string& name : TakeEntry()) {
      (name == "large" ? large : small) += name == "large" ? 200 : 10;
    }
  }
  EXPECT_NEAR(static_cast<double>(large) / static_cast<double>(small), 1, 0.1);
}

TEST_F(ProposalQueueTest, ACommandIsAnEntryOfItsOwn) {
  queue_.Add(Put(1, "before"));
  queue_.Add(Command("command"));
  queue_.Add(Put(1, "after"));
  EXPECT_THAT(TakeEntry(), ElementsAre("before", "after"));
  queue_.Add(Put(1, "later"));
  EXPECT_THAT(TakeEntry(), ElementsAre("command"));
  EXPECT_THAT(TakeEntry(), ElementsAre("later"));
}

TEST_F(ProposalQueueTest, WhatIsPutBackComesFirstAgainInItsOrder) {
  for (const char* name : {"a", "b", "c"}) queue_.Add(Put(1, name));
  queue_.Add(Put(2, "x"));
  const uint64_t bytes = queue_.bytes();
  queue_.PutBack(queue_.TakeEntry(250));
  EXPECT_EQ(queue_.bytes(), bytes);
  EXPECT_THAT(TakeEntry(250), ElementsAre("a", "b"));
  queue_.PutBack(queue_.TakeEntry(kEntryBytes));
  EXPECT_THAT(NamesOf(queue_.TakeAll()),
              ::testing::UnorderedElementsAre("c", "x"));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(ProposalQueueTest, ThoseWhoseTimeIsUpAreTakenOut) {
  queue_.Add(Put(1, "early", 100, absl::Seconds(1)));
  queue_.Add(Put(1, "late", 100, absl::Seconds(2)));
  queue_.Add(Put(2, "other", 100, absl::Seconds(1)));
  EXPECT_THAT(queue_.TakeExpired(absl::Milliseconds(999)), IsEmpty());
  EXPECT_THAT(NamesOf(queue_.TakeExpired(absl::Seconds(1))),
              ElementsAre("early", "other"));
  EXPECT_EQ(queue_.bytes(), 100u);
  EXPECT_THAT(TakeEntry(), ElementsAre("late"));
  EXPECT_TRUE(queue_.empty());
}

}  // namespace
}  // namespace trireme
