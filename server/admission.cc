#include "server/admission.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "storage/errors.h"

namespace trireme {

Ticket::~Ticket() {
  if (admission_ == nullptr) return;
  admission_->bytes_.Release(holder_, bytes_);
  admission_->calls_.Release(holder_, 1);
}

void Ticket::ShrinkTo(uint64_t bytes) {
  if (admission_ == nullptr || bytes >= bytes_) return;
  admission_->bytes_.Release(holder_, bytes_ - bytes);
  bytes_ = bytes;
}

absl::StatusOr<Ticket> Admission::Admit(absl::string_view stream_name,
                                        uint64_t bytes) {
  return AdmitUpTo(stream_name, bytes, bytes);
}

absl::StatusOr<Ticket> Admission::AdmitUpTo(absl::string_view stream_name,
                                            uint64_t bytes_wanted,
                                            uint64_t bytes_min) {
  const uint64_t holder = absl::HashOf(stream_name);
  if (!calls_.Take(holder, 1)) return Refusal(calls_, holder, "calls");
  const uint64_t bytes =
      std::clamp(bytes_.FreeFor(holder), bytes_min, bytes_wanted);
  if (bytes_.Take(holder, bytes)) return Ticket(this, holder, bytes);
  absl::Status refusal = Refusal(bytes_, holder, "bytes");
  calls_.Release(holder, 1);
  return refusal;
}

absl::Status Admission::Refusal(const FairRoom& room, uint64_t holder,
                                absl::string_view unit) const {
  return MakeError(
      ErrorReason::kOverloaded,
      absl::StrCat("this node has ", room.held(), " ", unit, " of ", what_,
                   " in progress, ", room.HeldBy(holder),
                   " of them for the stream; the limits are ", room.size(),
                   ", and for one stream what is free, ", room.free(),
                   "; retry later"));
}

}  // namespace trireme
