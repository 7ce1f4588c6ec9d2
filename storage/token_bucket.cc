#include "storage/token_bucket.h"

#include <algorithm>

namespace trireme {

absl::Duration RefillTime(const Rate& rate, uint64_t amount) {
  return absl::Seconds(1) * static_cast<int64_t>(amount) /
         static_cast<int64_t>(rate.per_second);
}

absl::Duration TokenBucket::WaitFor(const Rate& rate, uint64_t amount,
                                    absl::Duration now) const {
  const absl::Duration needed = RefillTime(rate, std::min(amount, rate.burst)) -
                                RefillTime(rate, rate.burst);
  return std::max(WaitUntilFull(now) + needed, absl::ZeroDuration());
}

void TokenBucket::Take(const Rate& rate, uint64_t amount, absl::Duration now) {
  full_at_ = std::max(full_at_, now) + RefillTime(rate, amount);
}

absl::Duration TokenBucket::WaitUntilFull(absl::Duration now) const {
  return std::max(full_at_ - now, absl::ZeroDuration());
}

}  // namespace trireme
