// A server under measurement: a child process, its CPU time and memory. Killed
// with us, however we end. Owned by the main thread.
#ifndef TRIREME_TESTS_BENCH_PROCESS_H_
#define TRIREME_TESTS_BENCH_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace trireme::bench {

class Process {
 public:
  // Output goes to the file `log`, appended.
  Process(const std::vector<std::string>& command, const std::string& log);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // kill -9, and waits.
  void Kill();
  // SIGTERM, and waits for the planned end.
  void Terminate();

  double CpuMilliseconds() const;  // User and system, of all threads.
  double ResidentBytes() const;

 private:
  void End(int signal);

  pid_t pid_ = -1;
};

// Until somebody accepts connections at this HOST:PORT of loopback. Asks every
// few milliseconds: a client's growing pauses would be in what is measured.
void AwaitListening(const std::string& address);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_PROCESS_H_
