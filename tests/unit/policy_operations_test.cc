#include "server/policy_operations.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

constexpr char kArn[] = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

class PolicyOperationsTest : public ::testing::Test {
 protected:
  PolicyOperationsTest() { node_.CreateActive("s", 1); }

  static StreamAddress Resource(absl::string_view arn) {
    return {"", arn, /*is_resource=*/true};
  }
  absl::Status Put(const std::string& policy, const std::string& arn = kArn) {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.PutResourcePolicy({Resource(arn), policy}, TestNode::kTimeout,
                                   [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }
  absl::StatusOr<std::string> Get(const std::string& arn = kArn) {
    TestNode::Answer<std::string> answer;
    node_.broker.GetResourcePolicy(Resource(arn), TestNode::kTimeout,
                                   answer.Callback());
    return node_.Take(answer);
  }
  absl::Status Delete(const std::string& arn = kArn) {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.DeleteResourcePolicy(Resource(arn), TestNode::kTimeout,
                                      [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }

  TestNode node_;
};

TEST_F(PolicyOperationsTest, APolicyIsGivenBackAsItCame) {
  EXPECT_EQ(*Get(), "{}");
  const std::string policy = " {\"b\": [1, null],\n \"a\": \"\u00fc\"} ";
  ASSERT_OK(Put(policy));
  EXPECT_EQ(*Get(), policy);
  ASSERT_OK(Put("{\"Version\": \"2012-10-17\"}"));
  EXPECT_EQ(*Get(), "{\"Version\": \"2012-10-17\"}");
  ASSERT_OK(Delete());
  EXPECT_EQ(*Get(), "{}");
}

TEST_F(PolicyOperationsTest, DeletingWhatIsNotThereIsAnError) {
  const absl::Status status = Delete();
  EXPECT_EQ(ReasonOf(status), ErrorReason::kResourceNotFound);
  EXPECT_EQ(status.message(),
            absl::StrCat("No resource policy found for resource ARN ", kArn));
}

TEST_F(PolicyOperationsTest, APolicyIsAJsonObject) {
  for (const char* policy :
       {"no json", "[]", "\"{}\"", "{", "{\"a\": 1} 2", "{'a': 1}"}) {
    const absl::Status status = Put(policy);
    EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidArgument) << policy;
    EXPECT_THAT(status.message(), HasSubstr("not a JSON object")) << policy;
  }
  EXPECT_EQ(ReasonOf(Put("")), ErrorReason::kValidation);
  // Nesting costs the checker no stack.
  std::string deep;
  for (int i = 0; i < 3'000; ++i) deep += "{\"a\":";
  deep += "1" + std::string(3'000, '}');
  EXPECT_OK(Put(deep));
}

TEST_F(PolicyOperationsTest, APolicyHasALimit) {
  const auto policy_of = [](size_t bytes) {
    return absl::StrCat("{\"a\":\"", std::string(bytes - 8, 'x'), "\"}");
  };
  EXPECT_OK(Put(policy_of(kPolicyBytesMax)));
  const absl::Status status = Put(policy_of(kPolicyBytesMax + 1));
  EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidArgument);
  EXPECT_THAT(status.message(),
              HasSubstr("the policy is 20481 bytes; the limit is 20480"));
}

TEST_F(PolicyOperationsTest, TheResourceMustBeThere) {
  const std::string absent = absl::StrCat(kArn, "2");
  EXPECT_EQ(ReasonOf(Put("{}", absent)), ErrorReason::kResourceNotFound);
  EXPECT_EQ(ReasonOf(Get(absent).status()), ErrorReason::kResourceNotFound);
  EXPECT_EQ(ReasonOf(Delete(absent)), ErrorReason::kResourceNotFound);
  EXPECT_EQ(ReasonOf(Put("{}", "s")), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(Get("").status()), ErrorReason::kValidation);
}

TEST_F(PolicyOperationsTest, TheResourceMustBeActive) {
  node_.replicas.leader = NodeId(2);  // Nothing drives the stream here.
  ASSERT_OK(node_.Split("s", "0", "1000"));
  EXPECT_EQ(ReasonOf(Put("{}")), ErrorReason::kResourceInUse);
  EXPECT_EQ(*Get(), "{}");
}

TEST_F(PolicyOperationsTest, AConsumerHasAPolicyOfItsOwn) {
  TestNode::Answer<FoundConsumer> answer;
  node_.broker.RegisterConsumer({{"s"}, "app", {}}, TestNode::kTimeout,
                                answer.Callback());
  const auto consumer = node_.Take(answer);
  ASSERT_OK(consumer);
  const std::string arn =
      absl::StrCat(kArn, "/consumer/app:", consumer->created_s);
  EXPECT_EQ(*Get(arn), "{}");
  EXPECT_EQ(ReasonOf(Delete(arn)), ErrorReason::kResourceNotFound);
  ASSERT_OK(Put("{\"a\": 1}", arn));
  EXPECT_EQ(*Get(arn), "{\"a\": 1}");
  EXPECT_EQ(*Get(), "{}");
  EXPECT_EQ(ReasonOf(Put("[]", arn)), ErrorReason::kInvalidArgument);
  ASSERT_OK(node_.replica.state().Flush());
  node_.replica.Crash();
  EXPECT_EQ(node_.replica.state()
                .catalog()
                .Find(absl::string_view("s"))
                ->consumers.by_name.at("app")
                .policy,
            "{\"a\": 1}");
}

}  // namespace
}  // namespace trireme
