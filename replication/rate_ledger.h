// RateLedger counts what the leader of a group is asked to count: calls, bytes
// that were read. It knows buckets by name only; what they stand for, and
// their rates, is the asker's business (server/rate_limits.h).
//
// Owned by the GroupLoop; loop thread only. Nothing survives a crash, or a
// change of the leader: every bucket is full then.
#ifndef TRIREME_REPLICATION_RATE_LEDGER_H_
#define TRIREME_REPLICATION_RATE_LEDGER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "replication/proposal.h"
#include "storage/token_bucket.h"

namespace trireme {

class RateLedger {
 public:
  // Takes all charges, or none. Zero: taken; else how long until they may be.
  absl::Duration Take(const std::vector<RateCharge>& charges,
                      absl::Duration now);

  size_t size() const { return accounts_.size(); }

 private:
  struct Account {
    TokenBucket bucket;
    // More was taken after the fact than it held: nothing passes until it is
    // full again, as after a read of 10 MiB (kinesis-contract.md §2.4).
    bool overdrawn = false;
  };

  absl::Duration WaitFor(const RateCharge& charge, absl::Duration now);
  // A full bucket is as good as none. Constant work a charge.
  void MaybePrune(absl::Duration now);

  absl::flat_hash_map<std::string, Account> accounts_;
  size_t prune_at_ = 1024;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_RATE_LEDGER_H_
