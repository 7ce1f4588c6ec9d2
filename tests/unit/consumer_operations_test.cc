#include "server/consumer_operations.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kStreamArn[] = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
constexpr char kArn[] =
    "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1700000000";

class ConsumerOperationsTest : public ::testing::Test {
 protected:
  ConsumerOperationsTest() { node_.CreateActive("s", 1); }

  absl::StatusOr<FoundConsumer> Register(const std::string& name,
                                         const StreamAddress& stream = {"s"},
                                         const Tags& tags = {}) {
    TestNode::Answer<FoundConsumer> answer;
    node_.broker.RegisterConsumer({stream, name, tags}, TestNode::kTimeout,
                                  answer.Callback());
    return node_.Take(answer);
  }
  absl::StatusOr<FoundConsumer> Describe(const ConsumerAddress& address) {
    TestNode::Answer<FoundConsumer> answer;
    node_.broker.DescribeConsumer(address, TestNode::kTimeout,
                                  answer.Callback());
    return node_.Take(answer);
  }
  absl::Status Deregister(const ConsumerAddress& address) {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.DeregisterConsumer(address, TestNode::kTimeout,
                                    [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }
  absl::StatusOr<ListConsumersResponse> List(
      const std::string& token = "", int max = 0,
      std::optional<absl::Time> created = std::nullopt,
      const std::string& stream = "s") {
    TestNode::Answer<ListConsumersResponse> answer;
    node_.broker.ListConsumers({{stream}, token, max, created},
                               TestNode::kTimeout, answer.Callback());
    return node_.Take(answer);
  }
  absl::StatusOr<Tags> ListTags(const std::string& arn) {
    TestNode::Answer<ListTagsResponse> answer;
    node_.broker.ListTags({{"", arn, true}, "", 0}, TestNode::kTimeout,
                          answer.Callback());
    auto tags = node_.Take(answer);
    if (!tags.ok()) return tags.status();
    return tags->tags;
  }
  static std::vector<std::string> NamesOf(const ListConsumersResponse& page) {
    std::vector<std::string> names;
    for (const FoundConsumer& consumer : page.consumers) {
      names.push_back(consumer.name);
    }
    return names;
  }

  TestNode node_;
};

TEST_F(ConsumerOperationsTest, AConsumerIsFoundByNameAndByArn) {
  const auto made = Register("c");
  ASSERT_OK(made);
  EXPECT_EQ(made->created_s, 1'700'000'000u);
  EXPECT_EQ(
      ConsumerArn(node_.broker.account(), "s", made->name, made->created_s),
      kArn);
  const std::vector<ConsumerAddress> addresses = {{{"s"}, "c"},
                                                  {{"", kStreamArn}, "c"},
                                                  {{}, "", kArn},
                                                  {{"s"}, "c", kArn}};
  for (const ConsumerAddress& address : addresses) {
    const auto found = Describe(address);
    ASSERT_OK(found);
    EXPECT_EQ(found->stream_name, "s");
    EXPECT_EQ(found->name, "c");
    EXPECT_EQ(found->created_s, 1'700'000'000u);
  }
}

TEST_F(ConsumerOperationsTest, RefusalsNameTheConsumerTheStreamAndTheLimit) {
  for (int i = 0; i < 20; ++i) ASSERT_OK(Register(absl::StrCat("c", i)));
  absl::Status status = Register("c7").status();
  EXPECT_EQ(ReasonOf(status), ErrorReason::kResourceInUse);
  EXPECT_EQ(status.message(),
            "Consumer c7 of stream s under account 000000000000 already "
            "exists.");
  status = Register("one-more").status();
  EXPECT_EQ(ReasonOf(status), ErrorReason::kLimitExceeded);
  EXPECT_THAT(status.message(),
              HasSubstr("Stream s under account 000000000000 has 20 registered "
                        "consumers; the limit is 20"));
  TestNode::Answer<AccountSettings> committed;
  node_.broker.UpdateAccountSettings({true}, TestNode::kTimeout,
                                     committed.Callback());
  ASSERT_OK(node_.Take(committed));
  for (int i = 20; i < 50; ++i) ASSERT_OK(Register(absl::StrCat("c", i)));
  EXPECT_THAT(Register("one-more").status().message(),
              HasSubstr("the limit is 50"));
  EXPECT_EQ(ReasonOf(Register("c", {"none"}).status()),
            ErrorReason::kResourceNotFound);
  EXPECT_EQ(ReasonOf(Register("a b").status()), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(Register("").status()), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(Register("t", {"s"}, {{"aws:x", ""}}).status()),
            ErrorReason::kInvalidArgument);
}

TEST_F(ConsumerOperationsTest, AnArnNeverMeansALaterConsumer) {
  ASSERT_OK(Register("c"));
  ASSERT_OK(Deregister({{}, "", kArn}));
  EXPECT_EQ(ReasonOf(Describe({{}, "", kArn}).status()),
            ErrorReason::kResourceNotFound);
  const auto later = Register("c");
  ASSERT_OK(later);
  EXPECT_GT(later->created_s, 1'700'000'000u);
  const absl::Status status = Describe({{}, "", kArn}).status();
  EXPECT_EQ(ReasonOf(status), ErrorReason::kResourceNotFound);
  EXPECT_EQ(status.message(),
            "Consumer c that was registered at 1700000000 of stream s under "
            "account 000000000000 not found.");
  EXPECT_EQ(ReasonOf(Deregister({{}, "", kArn})),
            ErrorReason::kResourceNotFound);
  EXPECT_OK(Deregister({{"s"}, "c"}));
}

TEST_F(ConsumerOperationsTest, WhatDoesNotAgreeIsRefused) {
  ASSERT_OK(Register("c"));
  const auto reason = [&](const ConsumerAddress& address) {
    return ReasonOf(Describe(address).status());
  };
  EXPECT_EQ(reason({{"s"}, "d", kArn}), ErrorReason::kInvalidArgument);
  EXPECT_EQ(reason({{"t"}, "", kArn}), ErrorReason::kInvalidArgument);
  EXPECT_EQ(reason({{"s"}, ""}), ErrorReason::kInvalidArgument);
  EXPECT_EQ(reason({{}, "c"}), ErrorReason::kInvalidArgument);
  for (const char* arn :
       {"c", kStreamArn, "arn:aws:kinesis:us-east-1:0:stream/s/consumer/c:1",
        "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c",
        "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:",
        "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/a b:1",
        "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:-1",
        "arn:aws:kinesis:us-east-1:000000000000:stream//consumer/c:1"}) {
    const absl::Status status = Describe({{}, "", arn}).status();
    EXPECT_EQ(ReasonOf(status), ErrorReason::kValidation) << arn;
    EXPECT_THAT(status.message(), HasSubstr("at 'consumerARN'"));
  }
  EXPECT_EQ(
      reason({{},
              "",
              "arn:aws:kinesis:us-east-1:111111111111:stream/s/consumer/c:1"}),
      ErrorReason::kResourceNotFound);
}

TEST_F(ConsumerOperationsTest, ListsPageByName) {
  for (const char* name : {"d", "b", "a", "c", "e"}) ASSERT_OK(Register(name));
  auto page = List("", 2);
  ASSERT_OK(page);
  EXPECT_THAT(NamesOf(*page), ElementsAre("a", "b"));
  // What goes meanwhile is not missed, nor anything behind it.
  ASSERT_OK(Deregister({{"s"}, "b"}));
  page = List(page->next_token, 2);
  ASSERT_OK(page);
  EXPECT_THAT(NamesOf(*page), ElementsAre("c", "d"));
  const std::string token = page->next_token;
  page = List(token);
  EXPECT_THAT(NamesOf(*page), ElementsAre("e"));
  EXPECT_EQ(page->next_token, "");

  node_.CreateActive("t", 1);
  EXPECT_EQ(ReasonOf(List(token, 0, std::nullopt, "t").status()),
            ErrorReason::kResourceNotFound);
  EXPECT_EQ(ReasonOf(List("forged").status()), ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(List(token, 0, absl::UnixEpoch()).status()),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(List("", 10'001).status()), ErrorReason::kValidation);
  node_.Advance(absl::Seconds(301));
  EXPECT_EQ(ReasonOf(List(token).status()), ErrorReason::kExpiredNextToken);
}

TEST_F(ConsumerOperationsTest, AListIsOfTheStreamThatIsMeant) {
  ASSERT_OK(Register("a"));
  const absl::Time created = node_.replica.state().catalog().Find("s")->created;
  EXPECT_OK(List("", 0, created + absl::Milliseconds(999)));
  EXPECT_EQ(ReasonOf(List("", 0, created - absl::Seconds(1)).status()),
            ErrorReason::kResourceNotFound);
}

TEST_F(ConsumerOperationsTest, AConsumersTagsAreNamedByItsArn) {
  ASSERT_OK(Register("c", {"s"}, {{"team", "a"}}));
  const auto add = [&](const Tags& tags) {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.AddTags({{"", kArn, true}, tags}, TestNode::kTimeout,
                         [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  };
  ASSERT_OK(add({{"team", "b"}, {"env", "prod"}}));
  EXPECT_EQ(*ListTags(kArn), (Tags{{"env", "prod"}, {"team", "b"}}));
  absl::Status removed = absl::InternalError("not answered");
  node_.broker.RemoveTags({{"", kArn, true}, {"team"}}, TestNode::kTimeout,
                          [&](absl::Status got) { removed = got; });
  node_.Settle();
  ASSERT_OK(removed);
  EXPECT_EQ(*ListTags(kArn), (Tags{{"env", "prod"}}));
  EXPECT_TRUE(ListTags(kStreamArn)->empty());

  Tags many;
  for (int i = 0; i < 50; ++i) many[absl::StrCat("k", i)] = "";
  const absl::Status status = add(many);
  EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidArgument);
  EXPECT_THAT(status.message(),
              HasSubstr("a given consumer cannot have more than 50 tags "
                        "associated with it; it would have 51"));
  EXPECT_EQ(ReasonOf(add({})), ErrorReason::kValidation);
  const absl::Status malformed =
      ListTags(absl::StrCat(kStreamArn, "/consumer/c:x")).status();
  EXPECT_EQ(ReasonOf(malformed), ErrorReason::kValidation);
  EXPECT_THAT(malformed.message(), HasSubstr("at 'resourceARN'"));
}

TEST_F(ConsumerOperationsTest, AStreamWithConsumersIsNotDeletedByTheWay) {
  ASSERT_OK(Register("c"));
  absl::Status status;
  const auto remove = [&](bool enforced) {
    node_.broker.DeleteStream({{"s"}, enforced}, TestNode::kTimeout,
                              [&](absl::Status got) { status = got; });
    node_.Settle();
  };
  remove(false);
  EXPECT_EQ(ReasonOf(status), ErrorReason::kResourceInUse);
  EXPECT_EQ(status.message(),
            "Stream s under account 000000000000 has registered consumers. "
            "Deregister them, or delete it with EnforceConsumerDeletion.");
  remove(true);
  EXPECT_OK(status);
  EXPECT_EQ(ReasonOf(Describe({{}, "", kArn}).status()),
            ErrorReason::kResourceNotFound);
}

TEST_F(ConsumerOperationsTest, AStreamThatIsNotThereYetHasNone) {
  node_.replicas.leader = NodeId(2);  // Nothing activates it here.
  ASSERT_OK(node_.Create("new", 1));
  EXPECT_EQ(ReasonOf(Register("c", {"new"}).status()),
            ErrorReason::kResourceInUse);
  EXPECT_EQ(ReasonOf(List("", 0, std::nullopt, "new").status()),
            ErrorReason::kResourceInUse);
}

}  // namespace
}  // namespace trireme
