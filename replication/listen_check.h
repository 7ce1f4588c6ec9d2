// Whether a server can listen on an address. gRPC says why it cannot only in a
// log of its own, so the system is asked first.
#ifndef TRIREME_REPLICATION_LISTEN_CHECK_H_
#define TRIREME_REPLICATION_LISTEN_CHECK_H_

#include <string>

#include "absl/status/status.h"

namespace trireme {

// `address` is HOST:PORT, an IPv6 host in brackets. Unavailable, with the
// address and the system's reason, when none of the host's can be bound.
absl::Status CheckCanListen(const std::string& address);

}  // namespace trireme

#endif  // TRIREME_REPLICATION_LISTEN_CHECK_H_
