#include "server/admission.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/errors.h"

namespace trireme {

Ticket::~Ticket() {
  if (admission_ != nullptr) admission_->Release(1, bytes_);
}

void Ticket::ShrinkTo(uint64_t bytes) {
  if (admission_ == nullptr || bytes >= bytes_) return;
  admission_->Release(0, bytes_ - bytes);
  bytes_ = bytes;
}

absl::StatusOr<Ticket> Admission::Admit(uint64_t bytes) {
  return AdmitUpTo(bytes, bytes);
}

absl::StatusOr<Ticket> Admission::AdmitUpTo(uint64_t bytes_wanted,
                                            uint64_t bytes_min) {
  if (calls_.fetch_add(1) >= calls_max_) {
    calls_.fetch_sub(1);
    return MakeError(ErrorReason::kOverloaded,
                     absl::StrCat("this node has ", calls_max_, " ", what_,
                                  " in progress, its limit; retry later"));
  }
  uint64_t held = bytes_.load();
  for (;;) {
    const uint64_t free = held < bytes_max_ ? bytes_max_ - held : 0;
    if (free < bytes_min) {
      calls_.fetch_sub(1);
      return MakeError(ErrorReason::kOverloaded,
                       absl::StrCat("this node holds ", held, " bytes of ",
                                    what_, " in progress; the limit is ",
                                    bytes_max_, "; retry later"));
    }
    const uint64_t granted = std::min(bytes_wanted, free);
    if (bytes_.compare_exchange_weak(held, held + granted)) {
      return Ticket(this, granted);
    }
  }
}

void Admission::Release(uint64_t calls, uint64_t bytes) {
  CHECK(bytes_.fetch_sub(bytes) >= bytes, "more was released than admitted");
  if (calls > 0) calls_.fetch_sub(calls);
}

}  // namespace trireme
