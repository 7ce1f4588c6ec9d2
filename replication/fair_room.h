// FairRoom is a bounded amount of something (bytes, calls) that many hold
// parts of. Nobody may hold more than is left free (the dynamic threshold of
// shared-memory switches): of n who want all they can get, each comes to hold
// 1/(n+1), and whoever comes next finds room, however much the others want
// (design.md D13).
//
// Holders are known by a hash; the few that share a slot share one part.
// Thread-safe, without a lock: next to a bound, two at once may both be
// refused.
#ifndef TRIREME_REPLICATION_FAIR_ROOM_H_
#define TRIREME_REPLICATION_FAIR_ROOM_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace trireme {

class FairRoom {
 public:
  explicit FairRoom(uint64_t size) : size_(size) {}

  // False, and nothing is taken, when the holder would have more than is left,
  // or there is not as much. Who holds nothing may take all that is left; and
  // anything, when nobody does: the bound never makes a legal request
  // impossible.
  bool Take(uint64_t holder, uint64_t amount);
  // Beyond every bound: the further parts of what found nobody else.
  void TakeAnyway(uint64_t holder, uint64_t amount);
  void Release(uint64_t holder, uint64_t amount);

  // What Take would give now.
  uint64_t FreeFor(uint64_t holder) const;

  uint64_t size() const { return size_; }
  uint64_t held() const { return held_.load(); }
  uint64_t HeldBy(uint64_t holder) const { return SlotOf(holder).load(); }
  uint64_t free() const;

 private:
  static constexpr size_t kSlots = 1024;
  using Slot = std::atomic<uint64_t>;

  const Slot& SlotOf(uint64_t holder) const { return slots_[holder % kSlots]; }
  Slot& SlotOf(uint64_t holder) { return slots_[holder % kSlots]; }

  const uint64_t size_;  // Set at construction.
  std::atomic<uint64_t> held_{0};
  std::array<Slot, kSlots> slots_{};
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_FAIR_ROOM_H_
