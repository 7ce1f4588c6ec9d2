#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/limits.h"

namespace trireme {
namespace {

EncryptionRequest RequestOf(KinesisCall& call) {
  const MessageView in = call.input();
  return {call.Stream(), in.String("EncryptionType") == "KMS",
          in.String("KeyId")};
}

void Start(KinesisCallPtr call) {
  call->broker().StartStreamEncryption(RequestOf(*call), kKinesisCallTimeout,
                                       Acknowledge(call));
}

void Stop(KinesisCallPtr call) {
  call->broker().StopStreamEncryption(RequestOf(*call), kKinesisCallTimeout,
                                      Acknowledge(call));
}

Shape Input() {
  return OfStream(
      {{"EncryptionType", String().Required().OneOf({"NONE", "KMS"})},
       {"KeyId", String().Required().Length(1, kKeyIdCharactersMax)}});
}

}  // namespace

KinesisOperation StartStreamEncryptionOperation() {
  return {"StartStreamEncryption", Input(), Start};
}

KinesisOperation StopStreamEncryptionOperation() {
  return {"StopStreamEncryption", Input(), Stop};
}

}  // namespace trireme
