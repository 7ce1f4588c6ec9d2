#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Write(const AccountSettings& settings, KinesisCall& /*call*/,
           MessageWriter* writer) {
  WriteCommitment(settings, writer);
}

void Describe(KinesisCallPtr call) {
  call->broker().DescribeAccountSettings(kKinesisCallTimeout,
                                         ReplyWith(call, Write));
}

void Update(KinesisCallPtr call) {
  const auto commitment =
      call->input().Structure("MinimumThroughputBillingCommitment");
  call->broker().UpdateAccountSettings(
      {commitment->String("Status") == "ENABLED"}, kKinesisCallTimeout,
      ReplyWith(call, Write));
}

}  // namespace

KinesisOperation DescribeAccountSettingsOperation() {
  return {"DescribeAccountSettings", Structure({}), Describe};
}

KinesisOperation UpdateAccountSettingsOperation() {
  return {"UpdateAccountSettings",
          Structure({{"MinimumThroughputBillingCommitment",
                      Structure({{"Status", String().Required().OneOf(
                                                {"ENABLED", "DISABLED"})}})
                          .Required()}}),
          Update};
}

}  // namespace trireme
