#include "replication/read_barriers.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr absl::Duration kAskAgain = absl::Seconds(1);

class ReadBarriersTest : public ::testing::Test {
 protected:
  void Add(absl::Duration deadline = absl::Seconds(10)) {
    barriers_.Add({GroupId(3), deadline, [this](absl::Status status) {
                     answers_.push_back(std::move(status));
                   }});
  }

  std::optional<uint64_t> Ask(absl::Duration now = absl::ZeroDuration()) {
    return barriers_.TakeQuestion(now, next_question_++);
  }

  // How many barriers the applied index releases.
  size_t Release(LogIndex handed) {
    const size_t before = answers_.size();
    for (PendingBarrier& released : barriers_.TakeReleased(handed)) {
      released.done(absl::OkStatus());
    }
    return answers_.size() - before;
  }

  ReadBarriers barriers_{GroupId(3), kAskAgain};
  uint64_t next_question_ = 1;
  std::vector<absl::Status> answers_;
};

TEST_F(ReadBarriersTest, NobodyIsAskedWhenNobodyWaits) {
  EXPECT_EQ(Ask(), std::nullopt);
}

TEST_F(ReadBarriersTest, AllThatWaitShareOneQuestion) {
  Add();
  Add();
  EXPECT_EQ(Ask(), 1u);
  EXPECT_EQ(Ask(), std::nullopt);
  barriers_.OnIndex(1, 20);
  EXPECT_EQ(Release(19), 0u);
  EXPECT_EQ(Release(20), 2u);
}

// Its answer may be from before the newcomer's acknowledged writes.
TEST_F(ReadBarriersTest, OneThatComesWhileAQuestionIsOutWaitsForTheNext) {
  Add();
  ASSERT_EQ(Ask(), 1u);
  Add();
  barriers_.OnIndex(1, 20);
  EXPECT_EQ(Release(100), 1u);
  EXPECT_EQ(Ask(), 2u);
  barriers_.OnIndex(2, 21);
  EXPECT_EQ(Release(100), 1u);
}

TEST_F(ReadBarriersTest, AQuestionWithoutAnAnswerIsAskedAgain) {
  Add();
  ASSERT_EQ(Ask(), 1u);
  EXPECT_EQ(Ask(kAskAgain - absl::Milliseconds(1)), std::nullopt);
  EXPECT_EQ(Ask(kAskAgain), 3u);
  // The first one's answer came too late to be told from an old one.
  barriers_.OnIndex(1, 20);
  EXPECT_EQ(Release(100), 0u);
  barriers_.OnIndex(3, 20);
  EXPECT_EQ(Release(100), 1u);
}

TEST_F(ReadBarriersTest, AFailedQuestionIsFollowedByTheNextAtOnce) {
  Add();
  ASSERT_EQ(Ask(), 1u);
  barriers_.OnFailed(7);
  EXPECT_EQ(Ask(), std::nullopt);
  barriers_.OnFailed(1);
  EXPECT_EQ(Ask(), 3u);
  EXPECT_TRUE(answers_.empty());
}

TEST_F(ReadBarriersTest, WhoseTimeIsUpIsToldWhereverItWaits) {
  Add(absl::Seconds(1));  // For the index to be applied.
  ASSERT_TRUE(Ask().has_value());
  barriers_.OnIndex(1, 20);
  Add(absl::Seconds(2));  // For the answer.
  ASSERT_TRUE(Ask().has_value());
  Add(absl::Seconds(3));  // For the next question.
  for (size_t expired = 0; expired < 3; ++expired) {
    const absl::Duration deadline =
        absl::Seconds(static_cast<int64_t>(expired + 1));
    barriers_.Expire(deadline - absl::Milliseconds(1));
    EXPECT_EQ(answers_.size(), expired);
    barriers_.Expire(deadline);
    ASSERT_EQ(answers_.size(), expired + 1);
    EXPECT_EQ(ReasonOf(answers_.back()), ErrorReason::kNoLeader);
  }
  barriers_.OnIndex(2, 20);
  EXPECT_EQ(Release(100), 0u);
}

}  // namespace
}  // namespace trireme
