// Reads CBOR (RFC 8949) into a MessageTree with libcbor's decoder of single
// items; what is nested is followed here, so that no input makes it recurse.
#ifndef TRIREME_SERVER_AWS_CBOR_READER_H_
#define TRIREME_SERVER_AWS_CBOR_READER_H_

#include "absl/strings/string_view.h"
#include "server/aws/message_tree.h"

namespace trireme {

// False when `body` is not one well-formed item that the tree accepts. Tags
// are ignored. Keys of maps must be text; simple values other than true, false
// and null are refused, but for undefined, which is null.
bool ReadCbor(absl::string_view body, MessageTree* tree);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_CBOR_READER_H_
