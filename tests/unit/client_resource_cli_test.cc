#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli_fixture.h"

namespace trireme::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kArn[] = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

TEST_F(CliTest, ResourcesAreTaggedByArn) {
  MakeStream();
  ASSERT_EQ(Run({"resource", "tag-resource", kArn, "team=a", "env="}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("has 2 tags added or changed"));
  ASSERT_EQ(Run({"resource", "untag-resource", kArn, "team"}), kExitOk);
  ASSERT_EQ(
      Run({"resource", "list-tags-for-resource", kArn, "--output", "json"}),
      kExitOk);
  EXPECT_EQ(Json::parse(out_),
            Json::parse(R"({"Tags": [{"Key": "env", "Value": ""}]})"));
  EXPECT_EQ(Run({"resource", "tag-resource", "arn:none", "k=v"}),
            kExitNotFound);
}

TEST_F(CliTest, PoliciesArePutShownAndDeleted) {
  MakeStream();
  ASSERT_EQ(Run({"resource", "get-resource-policy", kArn}), kExitOk);
  EXPECT_EQ(out_, "{}\n");
  ASSERT_EQ(
      Run({"resource", "put-resource-policy", kArn, "--policy", "{\"a\": 1}"}),
      kExitOk);
  ASSERT_EQ(Run({"resource", "get-resource-policy", kArn, "--output", "json"}),
            kExitOk);
  EXPECT_EQ(Json::parse(out_), (Json{{"Policy", "{\"a\": 1}"}}));
  ASSERT_EQ(Run({"resource", "delete-resource-policy", kArn}), kExitOk);
  EXPECT_EQ(fake_.calls("DeleteResourcePolicy"), 1);
}

TEST_F(CliTest, APolicyIsReadFromAFile) {
  MakeStream();
  const std::string path = TemporaryFile("{\n \"a\": 1\n}\n");
  ASSERT_EQ(Run({"resource", "put-resource-policy", kArn, "--policy",
                 "file://" + path}),
            kExitOk)
      << err_;
  ASSERT_EQ(Run({"resource", "get-resource-policy", kArn}), kExitOk);
  EXPECT_EQ(out_, "{\n \"a\": 1\n}\n\n");
  EXPECT_NE(Run({"resource", "put-resource-policy", kArn, "--policy",
                 "file:///nowhere"}),
            kExitOk);
  EXPECT_THAT(err_, HasSubstr("file /nowhere cannot be read"));
}

}  // namespace
}  // namespace trireme::cli
