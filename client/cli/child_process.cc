#include "client/cli/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

extern char** environ;

namespace trireme::cli {
namespace {

constexpr size_t kReadBytesMax = 1 << 20;  // Of one call.
constexpr size_t kPiecesMax = 64;

absl::Status SystemError(absl::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(error)));
}

// Two ends that no program that is started inherits.
struct Pipe {
  int read = -1;
  int write = -1;

  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    if (read >= 0) close(read);
    if (write >= 0) close(write);
  }
  bool Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& one : strings) {
    pointers.push_back(const_cast<char*>(one.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;
  for (char** at = environ; *at != nullptr; ++at) {
    const absl::string_view name(*at, std::strcspn(*at, "=") + 1);
    const bool replaced = std::any_of(
        added.begin(), added.end(),
        [&](const std::string& one) { return absl::StartsWith(one, name); });
    if (!replaced) all.emplace_back(*at);
  }
  return all;
}

// What the new process does before it becomes the program: only calls that are
// safe while other threads of ours are anywhere. Gives the error there was.
int BecomeProgram(int input, int output, pid_t parent, char* const* arguments,
                  char* const* environment) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(EXIT_FAILURE);  // It ended before that.
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGPIPE, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0) {
    return errno;
  }
  // Whatever a library of ours left open to programs.
  close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
  execve(arguments[0], arguments, environment);
  return errno;
}

bool IsProgram(const std::string& path) {
  struct stat file = {};
  return stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string ProcessEnd::ToString() const {
  if (signal == 0) return absl::StrCat("exit code ", exit_code);
  return absl::StrCat("signal ", signal, " (", strsignal(signal), ")");
}

absl::StatusOr<std::string> FindProgram(const std::string& name) {
  if (absl::StrContains(name, '/')) {
    if (IsProgram(name)) return name;
    return absl::NotFoundError(
        absl::StrCat(name, " is not a file that can be run"));
  }
  const char* const path = std::getenv("PATH");
  for (absl::string_view folder :
       absl::StrSplit(path == nullptr ? "/bin:/usr/bin" : path, ':')) {
    std::string file = absl::StrCat(folder.empty() ? "." : folder, "/", name);
    if (IsProgram(file)) return file;
  }
  return absl::NotFoundError(absl::StrCat("no program ", name, " in PATH"));
}

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::vector<std::string>& command,
    const std::vector<std::string>& environment) {
  Pipe input, output, failure;
  if (!input.Open() || !output.Open() || !failure.Open()) {
    return SystemError("pipe", errno);
  }
  const std::vector<std::string> variables = Environment(environment);
  const std::vector<char*> arguments = Pointers(command);
  const std::vector<char*> variable_pointers = Pointers(variables);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return SystemError("fork", errno);
  if (pid == 0) {
    const int error = BecomeProgram(input.read, output.write, parent,
                                    arguments.data(), variable_pointers.data());
    (void)!write(failure.write, &error, sizeof(error));
    _exit(127);
  }
  close(std::exchange(failure.write, -1));
  int error = 0;
  ssize_t got = 0;
  do {
    got = read(failure.read, &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    waitpid(pid, nullptr, 0);
    return SystemError(command[0], error);
  }
  fcntl(input.write, F_SETFL, O_NONBLOCK);
  fcntl(output.read, F_SETFL, O_NONBLOCK);
  return std::unique_ptr<ChildProcess>(new ChildProcess(
      pid, std::exchange(input.write, -1), std::exchange(input.read, -1),
      std::exchange(output.read, -1)));
}

ChildProcess::~ChildProcess() {
  if (!end_.has_value()) {
    Signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  CloseFd(input_);
  CloseFd(input_reader_);
  CloseFd(output_);
}

void ChildProcess::CloseFd(int& fd) {
  if (fd >= 0) close(std::exchange(fd, -1));
}

size_t ChildProcess::Write(absl::Span<const absl::string_view> pieces) {
  if (input_ < 0 || pieces.empty()) return 0;
  iovec vectors[kPiecesMax];
  const size_t count = std::min(pieces.size(), kPiecesMax);
  for (size_t i = 0; i < count; ++i) {
    vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  }
  const ssize_t written = writev(input_, vectors, static_cast<int>(count));
  return written < 0 ? 0 : static_cast<size_t>(written);  // It is full.
}

size_t ChildProcess::UnreadBytes() const {
  int bytes = 0;
  return ioctl(input_reader_, FIONREAD, &bytes) == 0
             ? static_cast<size_t>(bytes)
             : 0;
}

bool ChildProcess::Read(std::string* to) {
  const size_t before = to->size();
  char buffer[1 << 16];
  while (output_ >= 0 && to->size() - before < kReadBytesMax) {
    const ssize_t got = read(output_, buffer, sizeof(buffer));
    if (got > 0) {
      to->append(buffer, static_cast<size_t>(got));
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else {
      if (got == 0 || errno != EAGAIN) CloseFd(output_);
      break;
    }
  }
  return to->size() > before;
}

void ChildProcess::Await(bool to_write, absl::Duration timeout) {
  // A descriptor of -1 is passed over.
  pollfd events[] = {{output_, POLLIN, 0},
                     {to_write ? input_ : -1, POLLOUT, 0}};
  // Interrupted by a signal: whoever waits asks again.
  (void)poll(events, 2, static_cast<int>(absl::ToInt64Milliseconds(timeout)));
}

void ChildProcess::Signal(int signal) {
  if (!end_.has_value()) kill(-pid_, signal);
}

std::optional<ProcessEnd> ChildProcess::End() {
  if (end_.has_value()) return end_;
  siginfo_t info = {};
  // It stays a zombie, so that its group's number is nobody else's yet.
  if (waitid(P_PID, static_cast<id_t>(pid_), &info,
             WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0) {
    return std::nullopt;
  }
  Signal(SIGTERM);
  int status = 0;
  waitpid(pid_, &status, 0);
  end_.emplace();
  if (WIFSIGNALED(status)) end_->signal = WTERMSIG(status);
  if (WIFEXITED(status)) end_->exit_code = WEXITSTATUS(status);
  return end_;
}

}  // namespace trireme::cli
