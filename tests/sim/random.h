// The dice of simulations: small, fast, and the same on every machine.
#ifndef TRIREME_TESTS_SIM_RANDOM_H_
#define TRIREME_TESTS_SIM_RANDOM_H_

#include <cstdint>

namespace trireme::sim {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) { Next(); }

  // SplitMix64.
  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // 0 <= result < bound.
  uint64_t Below(uint64_t bound) {
    return static_cast<uint64_t>(
        static_cast<unsigned __int128>(Next()) * bound >> 64);
  }
  uint64_t Between(uint64_t low, uint64_t high) {  // Both included.
    return low + Below(high - low + 1);
  }
  bool Chance(double probability) {
    return static_cast<double>(Next() >> 11) * 0x1.0p-53 < probability;
  }

 private:
  uint64_t state_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_RANDOM_H_
