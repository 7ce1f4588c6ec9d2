// The two encodings of a message: AWS JSON 1.1 and AWS CBOR 1.1
// (kinesis-contract.md §3.1, §3.2). Both have the same members; they differ in
// how bytes and times are written.
#ifndef TRIREME_SERVER_AWS_MESSAGE_FORMAT_H_
#define TRIREME_SERVER_AWS_MESSAGE_FORMAT_H_

namespace trireme {

enum class MessageFormat {
  kJson,  // Bytes are base64, times are seconds with a fraction.
  kCbor,  // Bytes are bytes, times are tagged integers of milliseconds.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_MESSAGE_FORMAT_H_
