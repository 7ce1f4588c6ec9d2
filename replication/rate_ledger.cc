#include "replication/rate_ledger.h"

#include <algorithm>

namespace trireme {

absl::Duration RateLedger::Take(const std::vector<RateCharge>& charges,
                                absl::Duration now) {
  absl::Duration wait;
  for (const RateCharge& charge : charges) {
    wait = std::max(wait, WaitFor(charge, now));
  }
  if (wait > absl::ZeroDuration()) return wait;
  for (const RateCharge& charge : charges) {
    if (charge.amount == 0) continue;
    Account& account = accounts_[charge.bucket];
    account.bucket.Take(charge.rate, charge.amount, now);
    account.overdrawn |= account.bucket.WaitUntilFull(now) >
                         RefillTime(charge.rate, charge.rate.burst);
  }
  MaybePrune(now);
  return absl::ZeroDuration();
}

absl::Duration RateLedger::WaitFor(const RateCharge& charge,
                                   absl::Duration now) {
  const auto found = accounts_.find(charge.bucket);
  if (charge.after_the_fact || found == accounts_.end()) {
    return absl::ZeroDuration();
  }
  Account& account = found->second;
  if (account.bucket.IsFull(now)) account.overdrawn = false;
  return account.overdrawn
             ? account.bucket.WaitUntilFull(now)
             : account.bucket.WaitFor(charge.rate, charge.amount, now);
}

void RateLedger::MaybePrune(absl::Duration now) {
  if (accounts_.size() < prune_at_) return;
  absl::erase_if(accounts_, [now](const auto& account) {
    return account.second.bucket.IsFull(now);
  });
  prune_at_ = std::max<size_t>(1024, 2 * accounts_.size());
}

}  // namespace trireme
