// What CatchUp does with sources that the cluster's simulation rarely meets.
#include "replication/catch_up.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "spdlog/spdlog.h"
#include "storage/entry_payload.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_state.h"

namespace trireme::sim {
namespace {

constexpr GroupId kGroup{0};

// A peer's state, or what is wrong with it.
struct Peer {
  ReplicatedState* state = nullptr;  // Null: it cannot be reached.
  int chunks_max = 1000;             // Its connection breaks after these.
  bool waits = false;                // It says nothing more then.
};

class PeerSource : public StateSource {
 public:
  PeerSource(std::unique_ptr<StateSource> source, const Peer& peer,
             absl::Notification* stopped)
      : source_(std::move(source)), peer_(peer), stopped_(stopped) {}
  AppliedPosition position() const override { return source_->position(); }
  absl::StatusOr<std::string> Next() override {
    if (peer_.chunks_max-- > 0) return source_->Next();
    if (peer_.waits) stopped_->WaitForNotification();
    return absl::UnavailableError("the connection broke");
  }

 private:
  const std::unique_ptr<StateSource> source_;
  Peer peer_;
  absl::Notification* const stopped_;
};

class PeerTransport : public Transport {
 public:
  bool Send(NodeId, Envelope) override { return false; }
  absl::StatusOr<std::unique_ptr<StateSource>> PullState(
      NodeId from, GroupId group, absl::string_view held) override {
    asked.push_back(from.value());
    const Peer& peer = peers[from.value()];
    if (peer.state == nullptr) return absl::UnavailableError("unreachable");
    auto source = peer.state->OpenSource(group, held);
    if (!source.ok()) return source.status();
    return std::make_unique<PeerSource>(*std::move(source), peer, &stopped_);
  }
  void StopPulls() override { stopped_.Notify(); }

  std::map<uint32_t, Peer> peers;
  std::vector<uint32_t> asked;

 private:
  absl::Notification stopped_;
};

// Ours, on a disk that fails on demand.
class FailingState : public SimState {
 public:
  using SimState::SimState;
  absl::Status InstallChunk(GroupId group, absl::string_view chunk) override {
    if (installs_left-- > 0) return SimState::InstallChunk(group, chunk);
    return failure;
  }

  int installs_left = 1000;
  absl::Status failure;
};

class CatchUpTest : public ::testing::Test {
 protected:
  CatchUpTest()
      : trace_(&events_, false),
        history_(1, &trace_),
        clock_(&events_, absl::ZeroDuration()),
        ours_(NodeId(1), 1, &history_),
        theirs_(NodeId(2), 1, &history_),
        others_(NodeId(3), 1, &history_),
        catch_up_(&ours_, &transport_, &clock_, 0, [this](absl::Status status) {
          EXPECT_TRUE(fatal_.ok());
          fatal_ = std::move(status);
        }) {
    spdlog::set_level(spdlog::level::off);
    transport_.peers[2].state = &theirs_;
    transport_.peers[3].state = &others_;
    catch_up_.OnPulled([this](GroupId, absl::StatusOr<AppliedPosition> result) {
      result_ = std::move(result);
    });
  }
  ~CatchUpTest() override {
    for (const std::string& failure : history_.failures()) {
      ADD_FAILURE() << failure;
    }
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
  // Nothing when there was no answer.
  std::optional<absl::StatusOr<AppliedPosition>> Pull() {
    result_.reset();
    catch_up_.Start(kGroup, {NodeId(2), NodeId(3)});
    EXPECT_TRUE(catch_up_.RunOnce());
    return result_;
  }
  void ExpectPulledTo(LogIndex index) {
    const auto result = Pull();
    ASSERT_TRUE(result.has_value());
    ASSERT_TRUE(result->ok()) << result->status();
    EXPECT_EQ((*result)->index, index);
    EXPECT_EQ(ours_.Applied(kGroup).index, index);
  }

  Events events_;
  Trace trace_;
  History history_;
  SimClock clock_;
  FailingState ours_;
  SimState theirs_;
  SimState others_;
  PeerTransport transport_;
  absl::Status fatal_;
  CatchUp catch_up_;
  std::vector<Payload> commands_;
  std::optional<absl::StatusOr<AppliedPosition>> result_;
};

TEST_F(CatchUpTest, OnlyWhatIsMissingIsPulled) {
  Apply(&theirs_, 50);
  Apply(&ours_, 20);
  ExpectPulledTo(50);
  EXPECT_EQ(transport_.asked, std::vector<uint32_t>{2});
}

TEST_F(CatchUpTest, AStateOlderThanOursIsRefused) {
  // The peers have lost their disks since they led the group.
  Apply(&ours_, 30);
  Apply(&theirs_, 10);
  const auto result = Pull();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(absl::IsUnavailable(result->status())) << result->status();
  EXPECT_EQ(ours_.Applied(kGroup).index, 30u);
}

TEST_F(CatchUpTest, APeerThatIsGoneIsFollowedByTheNext) {
  Apply(&others_, 50);
  transport_.peers[2].state = nullptr;
  ExpectPulledTo(50);
  EXPECT_EQ(transport_.asked, (std::vector<uint32_t>{2, 3}));
}

TEST_F(CatchUpTest, APeerThatIsBehindIsFollowedByTheNext) {
  Apply(&ours_, 30);
  Apply(&theirs_, 10);
  Apply(&others_, 50);
  ExpectPulledTo(50);
}

TEST_F(CatchUpTest, APeerThatBreaksOffIsFollowedByTheNext) {
  Apply(&theirs_, 50);
  Apply(&others_, 50);
  transport_.peers[2].chunks_max = 3;
  ExpectPulledTo(50);
}

TEST_F(CatchUpTest, APeerThatSendsNonsenseIsFollowedByTheNext) {
  Apply(&theirs_, 50);
  Apply(&others_, 50);
  ours_.installs_left = 2;
  ours_.failure = absl::InvalidArgumentError("checksum differs");
  const auto result = Pull();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(absl::IsInvalidArgument(result->status())) << result->status();
  EXPECT_EQ(transport_.asked, (std::vector<uint32_t>{2, 3}));
  EXPECT_TRUE(fatal_.ok()) << fatal_;
}

TEST_F(CatchUpTest, AFailureOfOurOwnDiskIsFinal) {
  Apply(&theirs_, 50);
  Apply(&others_, 50);
  ours_.installs_left = 2;
  ours_.failure = absl::InternalError("the disk failed");
  EXPECT_FALSE(Pull().has_value());
  EXPECT_EQ(fatal_, ours_.failure);
  EXPECT_EQ(transport_.asked, std::vector<uint32_t>{2});
  // And nothing is tried on that disk again.
  EXPECT_FALSE(Pull().has_value());
  EXPECT_EQ(transport_.asked, std::vector<uint32_t>{2});
}

TEST_F(CatchUpTest, AFullDiskOfOursIsReportedAndTakesTheRestLater) {
  Apply(&theirs_, 50);
  ours_.installs_left = 2;
  ours_.failure = absl::ResourceExhaustedError("no space");
  const auto result = Pull();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(absl::IsResourceExhausted(result->status())) << result->status();
  EXPECT_TRUE(fatal_.ok()) << fatal_;
  // Another peer would not help.
  EXPECT_EQ(transport_.asked, std::vector<uint32_t>{2});
  ours_.installs_left = 1000;
  ExpectPulledTo(50);
}

TEST_F(CatchUpTest, AStopDoesNotWaitForASilentPeer) {
  Apply(&theirs_, 50);
  transport_.peers[2].chunks_max = 1;
  transport_.peers[2].waits = true;
  std::thread puller([this] { Pull(); });
  catch_up_.Stop();
  puller.join();
  ASSERT_TRUE(result_.has_value());
  EXPECT_FALSE(result_->ok());
  EXPECT_LE(transport_.asked.size(), 1u) << "another peer was asked";
}

}  // namespace
}  // namespace trireme::sim
