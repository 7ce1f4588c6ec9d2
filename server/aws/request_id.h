// The ids that every answer of a service carries (kinesis-contract.md §3.1).
#ifndef TRIREME_SERVER_AWS_REQUEST_ID_H_
#define TRIREME_SERVER_AWS_REQUEST_ID_H_

#include <string>

namespace trireme {

std::string MakeRequestId();          // A random UUID.
std::string MakeExtendedRequestId();  // Of x-amz-id-2.

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_REQUEST_ID_H_
