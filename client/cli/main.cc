// The program `trireme`.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"

namespace trireme::cli {
namespace {

void Nothing(int) {}

// `timeout` and others send SIGTERM to a process and again to its group.
constexpr absl::Duration kSameRequest = absl::Seconds(1);

// Turns Ctrl-C and SIGTERM into a call of `interrupt`, on a thread of its own;
// a second one ends the program at once. Must be made before any other thread,
// so that all of them have the signals blocked.
class SignalThread {
 public:
  explicit SignalThread(client::Cancellation& interrupt)
      : interrupt_(interrupt), main_(pthread_self()) {
    // Delivered to the main thread to wake it from reading stdin: hence no
    // SA_RESTART.
    struct sigaction wake = {};
    wake.sa_handler = Nothing;
    sigaction(SIGUSR1, &wake, nullptr);
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR2}) {
      sigaddset(&signals_, signal);
    }
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::thread([this] { Run(); });
  }
  ~SignalThread() {
    pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
  }

 private:
  void Run() {
    absl::Time first = absl::InfinitePast();
    for (;;) {
      int signal = 0;
      sigwait(&signals_, &signal);
      if (signal == SIGUSR2) return;  // The program ends.
      const absl::Time now = absl::Now();
      if (signal == SIGTERM && now < first + kSameRequest) continue;
      if (interrupt_.cancelled()) _exit(kExitInterrupted);
      first = now;
      interrupt_.Cancel();
      pthread_kill(main_, SIGUSR1);
    }
  }

  client::Cancellation& interrupt_;
  const pthread_t main_;
  sigset_t signals_;
  std::thread thread_;
};

int Main(int argc, char** argv) {
  client::Cancellation interrupt;
  SignalThread signals(interrupt);
  Console console{std::cin, std::cout, std::cerr, isatty(STDOUT_FILENO) == 1,
                  isatty(STDERR_FILENO) == 1};
  return RunTrireme(std::vector<std::string>(argv + 1, argv + argc), console,
                    interrupt);
}

}  // namespace
}  // namespace trireme::cli

int main(int argc, char** argv) {
  try {
    return trireme::cli::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "trireme: " << error.what() << "\n";
    return trireme::cli::kExitFailed;
  }
}
