// What a simulation did, as one number: equal for equal runs. Optionally also
// as text for people, a line an event.
#ifndef TRIREME_TESTS_SIM_SIM_TRACE_H_
#define TRIREME_TESTS_SIM_SIM_TRACE_H_

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/sim/sim_events.h"

namespace trireme::sim {

class Trace {
 public:
  Trace(const Events* events, bool prints) : events_(events), prints_(prints) {}

  template <typename... Numbers>
  void Add(absl::string_view what, Numbers... numbers) {
    Mix(static_cast<uint64_t>(events_->now()));
    for (const char c : what) Mix(static_cast<unsigned char>(c));
    (Mix(static_cast<uint64_t>(numbers)), ...);
    if (!prints_) return;
    std::string line(what);
    (absl::StrAppend(&line, " ", numbers), ...);
    std::printf("%12.6f %s\n", static_cast<double>(events_->now()) / kSecond,
                line.c_str());
  }

  uint64_t hash() const { return hash_; }
  bool prints() const { return prints_; }

 private:
  void Mix(uint64_t number) {
    hash_ = (hash_ ^ number) * 0x9E3779B97F4A7C15u;
    hash_ ^= hash_ >> 29;
  }

  const Events* const events_;
  const bool prints_;
  uint64_t hash_ = 0xCBF29CE484222325u;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_TRACE_H_
