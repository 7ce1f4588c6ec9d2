// HOST:PORT, as configuration and command line give it.
#ifndef TRIREME_SERVER_ADDRESS_H_
#define TRIREME_SERVER_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trireme {

struct Address {
  std::string host;  // Without the brackets of an IPv6 address.
  uint16_t port = 0;

  // Takes 127.0.0.1:7420, node-a:7420, [::1]:7420.
  static absl::StatusOr<Address> Parse(absl::string_view text);
  // Reached from this machine only.
  bool IsLoopback() const;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_ADDRESS_H_
