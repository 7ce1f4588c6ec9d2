// Latencies of one phase: percentiles and a histogram people can read. One
// thread, or the caller's lock.
#ifndef TRIREME_CLIENT_CLI_LATENCY_H_
#define TRIREME_CLIENT_CLI_LATENCY_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace trireme::cli {

class Latencies {
 public:
  void Add(int64_t nanoseconds) { nanoseconds_.push_back(nanoseconds); }
  size_t size() const { return nanoseconds_.size(); }

  // In milliseconds; the smallest value that `fraction` of all do not exceed.
  // 0 when there are none.
  double Percentile(double fraction) const;

  // Bars over classes that double: up to 0.25 ms, 0.5 ms, 1 ms...
  void PrintHistogram(std::ostream& out, bool utf8) const;

 private:
  std::vector<int64_t> nanoseconds_;
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_LATENCY_H_
