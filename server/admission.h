// Admission bounds what a node holds for its callers: how many calls, how many
// bytes. Beyond it a call is refused at once with Overloaded, never queued
// (design.md D13).
//
// Thread-safe; owned by the Broker, outlives every Ticket.
#ifndef TRIREME_SERVER_ADMISSION_H_
#define TRIREME_SERVER_ADMISSION_H_

#include <atomic>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trireme {

class Admission;

// A call's place; gives it back when destroyed.
class Ticket {
 public:
  Ticket() = default;
  Ticket(Ticket&& other) noexcept
      : admission_(std::exchange(other.admission_, nullptr)),
        bytes_(other.bytes_) {}
  Ticket& operator=(Ticket&& other) noexcept {
    std::swap(admission_, other.admission_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Ticket();

  uint64_t bytes() const { return bytes_; }
  // Gives back what turned out not to be needed.
  void ShrinkTo(uint64_t bytes);

 private:
  friend class Admission;
  Ticket(Admission* admission, uint64_t bytes)
      : admission_(admission), bytes_(bytes) {}

  Admission* admission_ = nullptr;
  uint64_t bytes_ = 0;
};

class Admission {
 public:
  // `what` names the kind of call in the error: "puts", "reads".
  Admission(absl::string_view what, uint64_t calls_max, uint64_t bytes_max)
      : what_(what), calls_max_(calls_max), bytes_max_(bytes_max) {}

  // Overloaded when there is no room for one more call of `bytes`.
  absl::StatusOr<Ticket> Admit(uint64_t bytes);
  // Up to `bytes_wanted`, but less when less is free; at least `bytes_min`.
  absl::StatusOr<Ticket> AdmitUpTo(uint64_t bytes_wanted, uint64_t bytes_min);

  uint64_t calls() const { return calls_.load(); }
  uint64_t bytes() const { return bytes_.load(); }

 private:
  friend class Ticket;
  void Release(uint64_t calls, uint64_t bytes);

  // Set at construction.
  const absl::string_view what_;
  const uint64_t calls_max_;
  const uint64_t bytes_max_;

  std::atomic<uint64_t> calls_{0};
  std::atomic<uint64_t> bytes_{0};
};

}  // namespace trireme

#endif  // TRIREME_SERVER_ADMISSION_H_
