// What this machine does without us: the floors the rows are compared with.
// Each takes about `seconds`. Files are made in `directory` and removed.
#ifndef TRIREME_TESTS_BENCH_FLOORS_H_
#define TRIREME_TESTS_BENCH_FLOORS_H_

#include <string>

namespace trireme::bench {

// Three files written at the same time, 1 MiB by pwrite + fdatasync each time,
// over space that was zeroed before. MB/s of payload: a third of what is
// written.
double ThreeFoldLogMegabytesPerSecond(const std::string& directory,
                                      double seconds);

// 4 KiB by pwrite + fdatasync, one after the other; median.
double FdatasyncMilliseconds(const std::string& directory, double seconds);

// One byte there and back over a loopback connection; median.
double LoopbackRoundTripMilliseconds(double seconds);

// One loopback connection, 256 KiB a write.
double LoopbackMegabytesPerSecond(double seconds);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_FLOORS_H_
