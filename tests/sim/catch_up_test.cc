// What CatchUp does with sources that the cluster's simulation rarely meets.
#include "replication/catch_up.h"

#include <gtest/gtest.h>

#include <optional>

#include "storage/entry_payload.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_state.h"

namespace trireme::sim {
namespace {

constexpr GroupId kGroup{0};

// Serves the state of one peer.
class OnePeer : public Transport {
 public:
  explicit OnePeer(ReplicatedState* state) : state_(state) {}
  bool Send(NodeId, Envelope) override { return false; }
  absl::StatusOr<std::unique_ptr<StateSource>> PullState(
      NodeId, GroupId group, absl::string_view held) override {
    return state_->OpenSource(group, held);
  }

 private:
  ReplicatedState* const state_;
};

class CatchUpTest : public ::testing::Test {
 protected:
  CatchUpTest()
      : trace_(&events_, false),
        history_(1, &trace_),
        clock_(&events_, absl::ZeroDuration()),
        ours_(NodeId(1), 1, &history_),
        theirs_(NodeId(2), 1, &history_),
        transport_(&theirs_),
        catch_up_(&ours_, &transport_, &clock_, 0) {
    catch_up_.OnPulled([this](GroupId, absl::StatusOr<AppliedPosition> result) {
      result_ = std::move(result);
    });
  }

  void Apply(SimState* state, LogIndex up_to) {
    for (LogIndex i = state->Applied(kGroup).index + 1; i <= up_to; ++i) {
      while (commands_.size() < i) {
        commands_.push_back(MakePayload(EncodeCommandPayload(
            0, SimCommand(history_.NewRecord(), "note", ShardIndex(1)))));
      }
      ASSERT_TRUE(state->Apply({kGroup, i, 1, true, commands_[i - 1]}).ok());
    }
  }
  absl::StatusOr<AppliedPosition> Pull() {
    catch_up_.Start(kGroup, NodeId(2));
    EXPECT_TRUE(catch_up_.RunOnce());
    return *result_;
  }

  Events events_;
  Trace trace_;
  History history_;
  SimClock clock_;
  SimState ours_;
  SimState theirs_;
  OnePeer transport_;
  CatchUp catch_up_;
  std::vector<Payload> commands_;
  std::optional<absl::StatusOr<AppliedPosition>> result_;
};

TEST_F(CatchUpTest, OnlyWhatIsMissingIsPulled) {
  Apply(&theirs_, 50);
  Apply(&ours_, 20);
  const auto position = Pull();
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->index, 50u);
  EXPECT_EQ(ours_.Applied(kGroup).index, 50u);
  EXPECT_TRUE(history_.failures().empty()) << history_.failures().front();
}

TEST_F(CatchUpTest, AStateOlderThanOursIsRefused) {
  // The peer has lost its disk since it led the group.
  Apply(&ours_, 30);
  Apply(&theirs_, 10);
  const auto position = Pull();
  EXPECT_TRUE(absl::IsUnavailable(position.status())) << position.status();
  EXPECT_EQ(ours_.Applied(kGroup).index, 30u);
  EXPECT_TRUE(history_.failures().empty()) << history_.failures().front();
}

}  // namespace
}  // namespace trireme::sim
