#include "client/cli/latency.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/format.h"

namespace trireme::cli {
namespace {

constexpr double kFirstClassMs = 0.25;
constexpr size_t kBarWidth = 40;

// Class i holds what is in (kFirstClassMs << (i - 1), kFirstClassMs << i].
int ClassOf(double ms) {
  if (ms <= kFirstClassMs) return 0;
  return static_cast<int>(std::ceil(std::log2(ms / kFirstClassMs)));
}

}  // namespace

double Latencies::Percentile(double fraction) const {
  if (nanoseconds_.empty()) return 0;
  std::vector<int64_t> sorted = nanoseconds_;
  const auto rank = static_cast<size_t>(
      std::ceil(fraction * static_cast<double>(sorted.size())));
  const size_t index = std::clamp<size_t>(rank, 1, sorted.size()) - 1;
  std::nth_element(sorted.begin(), sorted.begin() + index, sorted.end());
  return static_cast<double>(sorted[index]) / 1e6;
}

void Latencies::PrintHistogram(std::ostream& out, bool utf8) const {
  if (nanoseconds_.empty()) return;
  std::map<int, uint64_t> classes;
  for (const int64_t ns : nanoseconds_) {
    ++classes[ClassOf(static_cast<double>(ns) / 1e6)];
  }
  uint64_t most = 0;
  for (const auto& [index, count] : classes) most = std::max(most, count);
  const int last = classes.rbegin()->first;
  for (int i = classes.begin()->first; i <= last; ++i) {
    // Rounded up, so that a class that is not empty shows.
    const size_t length = (classes[i] * kBarWidth + most - 1) / most;
    std::string bar;
    for (size_t j = 0; j < length; ++j) bar += utf8 ? "█" : "#";
    const std::string upto =
        absl::StrFormat("%g ms", std::ldexp(kFirstClassMs, i));
    out << absl::StrFormat("  <= %9s  %9s  ", upto, FormatCount(classes[i]))
        << bar << "\n";
  }
}

}  // namespace trireme::cli
