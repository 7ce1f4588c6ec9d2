// TokenBucket limits what passes to a rate with bursts: it holds `burst`
// tokens, refills at `per_second`, and what passes takes its amount. It may be
// overdrawn by what has passed already; then nothing passes until the debt is
// paid. All of it is one point in time, when it will be full again.
//
// A value; times are of one monotonic clock.
#ifndef TRIREME_STORAGE_TOKEN_BUCKET_H_
#define TRIREME_STORAGE_TOKEN_BUCKET_H_

#include <cstdint>

#include "absl/time/time.h"

namespace trireme {

struct Rate {
  uint64_t per_second = 0;  // 1 or more.
  uint64_t burst = 0;       // What a full bucket holds.

  friend bool operator==(const Rate&, const Rate&) = default;
};

// How long it takes to refill by `amount`.
absl::Duration RefillTime(const Rate& rate, uint64_t amount);

class TokenBucket {
 public:
  // How long until `amount` may pass; zero: now. What is larger than the burst
  // passes when the bucket is full.
  absl::Duration WaitFor(const Rate& rate, uint64_t amount,
                         absl::Duration now) const;
  void Take(const Rate& rate, uint64_t amount, absl::Duration now);

  bool IsFull(absl::Duration now) const { return full_at_ <= now; }
  // How long until it is full.
  absl::Duration WaitUntilFull(absl::Duration now) const;

 private:
  absl::Duration full_at_ = -absl::InfiniteDuration();
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_TOKEN_BUCKET_H_
