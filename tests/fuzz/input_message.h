// Any protobuf message, its fields as an input chooses them.
#ifndef TRIREME_TESTS_FUZZ_INPUT_MESSAGE_H_
#define TRIREME_TESTS_FUZZ_INPUT_MESSAGE_H_

#include "google/protobuf/message.h"
#include "tests/fuzz/input.h"

namespace trireme {

// Text in it is mostly, not always, UTF-8; protobuf's own log is silenced.
void TakeMessage(Input& input, google::protobuf::Message* message);

}  // namespace trireme

#endif  // TRIREME_TESTS_FUZZ_INPUT_MESSAGE_H_
