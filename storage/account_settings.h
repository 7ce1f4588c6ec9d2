// What is set for all streams together (kinesis-contract.md §1.4,
// DescribeAccountSettings), as the catalogue keeps it.
#ifndef TRIREME_STORAGE_ACCOUNT_SETTINGS_H_
#define TRIREME_STORAGE_ACCOUNT_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace trireme {

// Written to disk; never renumber.
enum class CommitmentStatus : uint8_t {
  kDisabled = 0,
  kEnabled = 1,
  kEnding = 2,  // Enabled until the earliest end allowed, then disabled.
};

// The minimum throughput billing commitment: Kinesis's switch to "On-demand
// Advantage", which lasts a day at least. Here it bills nothing, but allows
// warm throughput.
struct BillingCommitment {
  CommitmentStatus status = CommitmentStatus::kDisabled;
  std::optional<absl::Time> started;       // Since it was enabled once.
  std::optional<absl::Time> ended;         // While it is disabled again.
  std::optional<absl::Time> earliest_end;  // While it is enabled.

  friend bool operator==(const BillingCommitment&,
                         const BillingCommitment&) = default;
};

struct AccountSettings {
  BillingCommitment commitment;

  friend bool operator==(const AccountSettings&,
                         const AccountSettings&) = default;
};

// As it stands at `now`: an ending that is due has taken place.
BillingCommitment AsOf(BillingCommitment commitment, absl::Time now);
// What enabling or disabling it at `now` makes of it.
BillingCommitment Changed(const BillingCommitment& commitment, bool enable,
                          absl::Time now);
inline bool IsOn(const BillingCommitment& commitment, absl::Time now) {
  return AsOf(commitment, now).status != CommitmentStatus::kDisabled;
}

// As a row of the store, and back; and in replies to commands.
std::string EncodeAccount(const AccountSettings& account);
// DataLoss for what is no such row.
absl::StatusOr<AccountSettings> DecodeAccount(absl::string_view row);

}  // namespace trireme

#endif  // TRIREME_STORAGE_ACCOUNT_SETTINGS_H_
