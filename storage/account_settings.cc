#include "storage/account_settings.h"

#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr absl::Duration kCommitmentMin = absl::Hours(24);

}  // namespace

BillingCommitment AsOf(BillingCommitment commitment, absl::Time now) {
  if (commitment.status == CommitmentStatus::kEnding &&
      commitment.earliest_end <= now) {
    commitment.status = CommitmentStatus::kDisabled;
    commitment.ended = commitment.earliest_end;
    commitment.earliest_end.reset();
  }
  return commitment;
}

BillingCommitment Changed(const BillingCommitment& commitment, bool enable,
                          absl::Time now) {
  BillingCommitment changed = AsOf(commitment, now);
  if (enable) {
    if (changed.status == CommitmentStatus::kDisabled) {
      changed.started = now;
      changed.ended.reset();
      changed.earliest_end = now + kCommitmentMin;
    }
    changed.status = CommitmentStatus::kEnabled;
    return changed;
  }
  if (changed.status != CommitmentStatus::kEnabled) return changed;
  if (now < changed.earliest_end) {
    changed.status = CommitmentStatus::kEnding;
    return changed;
  }
  changed.status = CommitmentStatus::kDisabled;
  changed.ended = now;
  changed.earliest_end.reset();
  return changed;
}

std::string EncodeAccount(const AccountSettings& account) {
  const BillingCommitment& commitment = account.commitment;
  v1::AccountRow row;
  row.set_commitment_status(static_cast<uint32_t>(commitment.status));
  if (commitment.started) {
    row.set_commitment_started_ms(absl::ToUnixMillis(*commitment.started));
  }
  if (commitment.ended) {
    row.set_commitment_ended_ms(absl::ToUnixMillis(*commitment.ended));
  }
  if (commitment.earliest_end) {
    row.set_commitment_earliest_end_ms(
        absl::ToUnixMillis(*commitment.earliest_end));
  }
  return row.SerializeAsString();
}

absl::StatusOr<AccountSettings> DecodeAccount(absl::string_view bytes) {
  v1::AccountRow row;
  if (!row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      row.commitment_status() > 2) {
    return absl::DataLossError("malformed row of the account's settings");
  }
  AccountSettings account;
  BillingCommitment& commitment = account.commitment;
  commitment.status = static_cast<CommitmentStatus>(row.commitment_status());
  if (row.has_commitment_started_ms()) {
    commitment.started = absl::FromUnixMillis(row.commitment_started_ms());
  }
  if (row.has_commitment_ended_ms()) {
    commitment.ended = absl::FromUnixMillis(row.commitment_ended_ms());
  }
  if (row.has_commitment_earliest_end_ms()) {
    commitment.earliest_end =
        absl::FromUnixMillis(row.commitment_earliest_end_ms());
  }
  return account;
}

}  // namespace trireme
