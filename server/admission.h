// Admission bounds what a node holds for its callers: how many calls, how many
// bytes; and of that each stream's part, so that the callers of one leave room
// for those of another. Beyond it a call is refused at once with Overloaded,
// never queued (design.md D13).
//
// Thread-safe; owned by the Broker, outlives every Ticket.
#ifndef TRIREME_SERVER_ADMISSION_H_
#define TRIREME_SERVER_ADMISSION_H_

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "replication/fair_room.h"

namespace trireme {

class Admission;

// A call's place; gives it back when destroyed.
class Ticket {
 public:
  Ticket() = default;
  Ticket(Ticket&& other) noexcept
      : admission_(std::exchange(other.admission_, nullptr)),
        holder_(other.holder_),
        bytes_(other.bytes_) {}
  Ticket& operator=(Ticket&& other) noexcept {
    std::swap(admission_, other.admission_);
    std::swap(holder_, other.holder_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Ticket();

  uint64_t bytes() const { return bytes_; }
  // Gives back what turned out not to be needed.
  void ShrinkTo(uint64_t bytes);

 private:
  friend class Admission;
  Ticket(Admission* admission, uint64_t holder, uint64_t bytes)
      : admission_(admission), holder_(holder), bytes_(bytes) {}

  Admission* admission_ = nullptr;
  uint64_t holder_ = 0;
  uint64_t bytes_ = 0;
};

class Admission {
 public:
  // `what` names the kind of call in the error: "puts", "reads".
  Admission(absl::string_view what, uint64_t calls_max, uint64_t bytes_max)
      : what_(what), calls_(calls_max), bytes_(bytes_max) {}

  // Overloaded when there is no room for one more call of `bytes` to the
  // stream.
  absl::StatusOr<Ticket> Admit(absl::string_view stream_name, uint64_t bytes);
  // Up to `bytes_wanted`, but less when less is free; at least `bytes_min`.
  absl::StatusOr<Ticket> AdmitUpTo(absl::string_view stream_name,
                                   uint64_t bytes_wanted, uint64_t bytes_min);

  uint64_t calls() const { return calls_.held(); }
  uint64_t bytes() const { return bytes_.held(); }

 private:
  friend class Ticket;
  absl::Status Refusal(const FairRoom& room, uint64_t holder,
                       absl::string_view unit) const;

  const absl::string_view what_;  // Set at construction.
  FairRoom calls_;
  FairRoom bytes_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_ADMISSION_H_
