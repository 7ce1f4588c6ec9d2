// What one HTTP server lets its peers hold and how long it waits for them.
#ifndef TRIREME_SERVER_HTTP_HTTP_LIMITS_H_
#define TRIREME_SERVER_HTTP_HTTP_LIMITS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace trireme {

struct HttpLimits {
  uint64_t connections_max = 10'000;
  uint64_t header_bytes_max = 64u << 10;  // Of a request: names and values.
  uint64_t headers_max = 100;
  uint64_t body_bytes_max = 20u << 20;         // Of a request.
  uint64_t body_bytes_total_max = 512u << 20;  // Of all requests in memory.
  // Of one HTTP/2 connection.
  uint32_t streams_max = 256;
  uint64_t unanswered_max = 512;  // Those the peer has reset included.

  absl::Duration handshake_timeout = absl::Seconds(10);  // TLS.
  absl::Duration header_timeout = absl::Seconds(20);     // From its first byte.
  absl::Duration body_timeout = absl::Seconds(60);       // Without progress.
  // On average, of a body that takes longer than body_timeout; a second.
  uint64_t body_bytes_per_second_min = 16 << 10;
  absl::Duration idle_timeout = absl::Minutes(5);    // Between requests.
  absl::Duration write_timeout = absl::Seconds(60);  // Without progress.
  // How long a body of which `bytes` have come may have taken for them.
  absl::Duration BodyTime(uint64_t bytes) const {
    return body_timeout + absl::Milliseconds(static_cast<int64_t>(
                              bytes * 1000 / body_bytes_per_second_min));
  }
  // For the peer to take the last bytes of a connection that we close.
  absl::Duration linger_timeout = absl::Seconds(5);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_LIMITS_H_
