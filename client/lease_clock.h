// The clock that leases are measured by: nobody sets it, and it goes on while
// the machine is suspended.
#ifndef TRIREME_CLIENT_LEASE_CLOCK_H_
#define TRIREME_CLIENT_LEASE_CLOCK_H_

#include <time.h>

#include "absl/time/time.h"

namespace trireme::client {

// Since the machine was started.
inline absl::Duration LeaseNow() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_LEASE_CLOCK_H_
