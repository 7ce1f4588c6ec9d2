#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli_fixture.h"

namespace trireme::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kArn[] =
    "arn:aws:kinesis:local:000000000000:stream/s/consumer/billing:1700000000";

TEST_F(CliTest, ConsumersAreRegisteredListedAndDeregistered) {
  MakeStream();
  ASSERT_EQ(Run({"consumer", "register", "s", "billing", "--tag", "team=a"}),
            kExitOk)
      << err_;
  EXPECT_EQ(out_, absl::StrCat("consumer billing is registered: ", kArn, "\n"));
  ASSERT_EQ(Run({"consumer", "register", "s", "audit", "--output", "json"}),
            kExitOk);
  EXPECT_EQ(Json::parse(out_)["Consumer"]["ConsumerStatus"], "CREATING");

  ASSERT_EQ(Run({"consumer", "list", "s", "--output", "json"}), kExitOk);
  const Json listed = Json::parse(out_)["Consumers"];
  ASSERT_EQ(listed.size(), 2u);  // Each on a page of its own.
  EXPECT_EQ(listed[0]["ConsumerName"], "audit");
  EXPECT_EQ(listed[1],
            (Json{{"ConsumerName", "billing"},
                  {"ConsumerARN", kArn},
                  {"ConsumerStatus", "ACTIVE"},
                  {"ConsumerCreationTimestamp", "2023-11-14T22:13:20.000Z"}}));
  ASSERT_EQ(Run({"consumer", "list", "s"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("billing"));

  ASSERT_EQ(Run({"consumer", "deregister", "s", "billing"}), kExitOk);
  EXPECT_EQ(Run({"consumer", "describe", "s", "billing"}), kExitNotFound);
  EXPECT_EQ(Run({"consumer", "register", "s"}), kExitUsage);
  EXPECT_EQ(Run({"consumer"}), kExitUsage);
}

TEST_F(CliTest, AConsumerIsNamedByItsArnToo) {
  MakeStream();
  ASSERT_EQ(Run({"consumer", "register", "s", "billing"}), kExitOk);
  ASSERT_EQ(Run({"consumer", "describe", kArn}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("billing"));
  ASSERT_EQ(Run({"consumer", "describe", kArn, "--output", "json"}), kExitOk);
  EXPECT_EQ(Json::parse(out_)["ConsumerDescription"]["StreamARN"],
            "arn:aws:kinesis:local:000000000000:stream/s");
  ASSERT_EQ(Run({"consumer", "deregister", kArn}), kExitOk);
  EXPECT_EQ(Run({"consumer", "deregister", kArn}), kExitNotFound);
  EXPECT_EQ(Run({"consumer", "describe", "billing"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("name the stream and the consumer"));
}

TEST_F(CliTest, AStreamIsTailedAsAConsumer) {
  MakeStream(1);
  ASSERT_EQ(Run({"consumer", "register", "s", "billing"}), kExitOk);
  ASSERT_EQ(Run({"put", "s", "--key", "k", "--data", "hello"}), kExitOk);
  for (const std::string consumer : {"billing", kArn}) {
    ASSERT_EQ(Run({"tail", "s", "--consumer", consumer, "--from",
                   "trim-horizon", "--limit", "1"}),
              kExitOk)
        << err_;
    EXPECT_THAT(out_, HasSubstr("hello"));
    EXPECT_EQ(fake_.subscribed_by(), kArn);
  }
  EXPECT_EQ(Run({"tail", "s", "--consumer", "nobody"}), kExitNotFound);
}

}  // namespace
}  // namespace trireme::cli
