#include "replication/fair_room.h"

#include "storage/check.h"

namespace trireme {

bool FairRoom::Take(uint64_t holder, uint64_t amount) {
  if (amount == 0) return true;
  const uint64_t had = SlotOf(holder).fetch_add(amount);
  const uint64_t before = held_.fetch_add(amount);
  if (before == 0) return true;
  const bool fits = before + amount <= size_;
  if (fits && (had == 0 || had + amount <= size_ - before - amount)) {
    return true;
  }
  Release(holder, amount);
  return false;
}

void FairRoom::TakeAnyway(uint64_t holder, uint64_t amount) {
  SlotOf(holder).fetch_add(amount);
  held_.fetch_add(amount);
}

void FairRoom::Release(uint64_t holder, uint64_t amount) {
  if (amount == 0) return;
  CHECK(SlotOf(holder).fetch_sub(amount) >= amount,
        "more was released than taken");
  held_ -= amount;
}

uint64_t FairRoom::FreeFor(uint64_t holder) const {
  const uint64_t left = free();
  const uint64_t had = HeldBy(holder);
  if (had == 0) return left;
  return left > had ? (left - had) / 2 : 0;
}

uint64_t FairRoom::free() const {
  const uint64_t held = held_.load();
  return held < size_ ? size_ - held : 0;
}

}  // namespace trireme
