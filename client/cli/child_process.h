// A program that runs beside this one, with its standard input and output on
// pipes. No shell; a process group of its own, so that Ctrl-C is ours to pass
// on; nothing of ours is open in it but standard error. It gets SIGTERM when
// the thread that started it ends, however that comes: even by kill -9.
//
// One thread at a time. The destructor kills it with all that it started.
#ifndef TRIREME_CLIENT_CLI_CHILD_PROCESS_H_
#define TRIREME_CLIENT_CLI_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace trireme::cli {

// How a program ended.
struct ProcessEnd {
  int exit_code = 0;
  int signal = 0;  // Not 0: by this one.

  bool ok() const { return exit_code == 0 && signal == 0; }
  std::string ToString() const;  // "exit code 3", "signal 9 (Killed)"
};

// The file that runs for `name`, as a shell finds it. Errors: NotFound.
absl::StatusOr<std::string> FindProgram(const std::string& name);

class ChildProcess {
 public:
  // `command` begins with the program's path. `environment`: KEY=VALUE, added
  // to ours. Errors: Unavailable, as the system says.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& command,
      const std::vector<std::string>& environment);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Writes what fits, without waiting; gives how many bytes that was.
  size_t Write(absl::Span<const absl::string_view> pieces);
  // What was written and the program has not read yet.
  size_t UnreadBytes() const;
  // It reads the end of its input after what was written.
  void CloseInput() { CloseFd(input_); }
  // Appends what it printed, without waiting. False: nothing was there.
  bool Read(std::string* to);
  // Waits until it printed something, can be written to (if that is wanted), or
  // `timeout`. Its end may be noticed by the next call only.
  void Await(bool to_write, absl::Duration timeout);

  // To it and all that it started.
  void Signal(int signal);
  // Once it has ended. What it started is sent SIGTERM then.
  std::optional<ProcessEnd> End();

 private:
  ChildProcess(pid_t pid, int input, int input_reader, int output)
      : pid_(pid),
        input_reader_(input_reader),
        input_(input),
        output_(output) {}
  static void CloseFd(int& fd);

  // Set at construction.
  const pid_t pid_;
  int input_reader_;  // Tells what is unread, and keeps SIGPIPE away.

  int input_;  // -1: closed. `output_` too.
  int output_;
  std::optional<ProcessEnd> end_;
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_CHILD_PROCESS_H_
