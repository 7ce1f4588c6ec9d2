#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Put(KinesisCallPtr call) {
  call->broker().PutResourcePolicy(
      {call->Resource(), call->input().String("Policy")}, kKinesisCallTimeout,
      Acknowledge(call));
}

void Write(const std::string& policy, KinesisCall& /*call*/,
           MessageWriter* writer) {
  writer->Key("Policy").String(policy);
}

void Get(KinesisCallPtr call) {
  call->broker().GetResourcePolicy(call->Resource(), kKinesisCallTimeout,
                                   ReplyWith(call, Write));
}

void Delete(KinesisCallPtr call) {
  call->broker().DeleteResourcePolicy(call->Resource(), kKinesisCallTimeout,
                                      Acknowledge(call));
}

}  // namespace

KinesisOperation PutResourcePolicyOperation() {
  return {"PutResourcePolicy", OfResource({{"Policy", String().Required()}}),
          Put};
}

KinesisOperation GetResourcePolicyOperation() {
  return {"GetResourcePolicy", OfResource(), Get};
}

KinesisOperation DeleteResourcePolicyOperation() {
  return {"DeleteResourcePolicy", OfResource(), Delete};
}

}  // namespace trireme
