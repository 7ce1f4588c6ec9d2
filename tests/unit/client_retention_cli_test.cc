#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli_fixture.h"

namespace trireme::cli {
namespace {

TEST_F(CliTest, RetentionIsRaisedAndLowered) {
  MakeStream();
  ASSERT_EQ(Run({"stream", "increase-retention-period", "s", "--hours", "168",
                 "--wait", "--output", "json"}),
            kExitOk);
  EXPECT_EQ(Json::parse(out_), (Json{{"StreamName", "s"},
                                     {"StreamStatus", "ACTIVE"},
                                     {"RetentionPeriodHours", 168}}));
  EXPECT_EQ(fake_.calls("IncreaseStreamRetentionPeriod"), 1);
  ASSERT_EQ(Run({"stream", "decrease-retention-period", "s",
                 "--retention-period-hours", "24"}),
            kExitOk);
  EXPECT_EQ(out_, "stream s is UPDATING\n");
  EXPECT_EQ(fake_.calls("DecreaseStreamRetentionPeriod"), 1);
  EXPECT_EQ(Run({"stream", "increase-retention-period", "s", "--hours", "23"}),
            kExitUsage);
  EXPECT_EQ(
      Run({"stream", "increase-retention-period", "none", "--hours", "48"}),
      kExitNotFound);
}

}  // namespace
}  // namespace trireme::cli
