#include "tests/cluster/cluster_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/check.h"
#include "tests/free_ports.h"

namespace trireme {
namespace {

// Between two questions to something that is not there yet.
constexpr absl::Duration kPollPeriod = absl::Milliseconds(20);
constexpr int kDataGroups = 8;
constexpr size_t kLogTailBytes = 4000;

client::ClientOptions OptionsFor(std::vector<std::string> endpoints) {
  client::ClientOptions options;
  options.endpoints = std::move(endpoints);
  options.timeout = absl::Seconds(10);
  options.attempt_timeout = absl::Seconds(3);
  options.connect_timeout = absl::Seconds(2);
  return options;
}

}  // namespace

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& arguments,
                            const std::string& output_path) {
  const int output = open(output_path.c_str(),
                          O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) return absl::InternalError("cannot write " + output_path);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    // Only async-signal-safe calls: other threads' locks may be held.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(output);
  if (pid < 0) return absl::InternalError("fork failed");
  return pid;
}

absl::StatusOr<int> WaitForExit(pid_t pid, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (true) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("process ", pid, " still runs after ",
                       absl::FormatDuration(timeout)));
    }
    absl::SleepFor(kPollPeriod);
  }
}

std::string ReadFileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteFileText(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  CHECK(file.good(), "cannot write a file of the test");
}

ClusterProcess::ClusterProcess(const ZoneNetworks* networks)
    : networks_(networks), ports_(FreePorts(2 * kNodes)) {
  std::string name =
      (std::filesystem::temp_directory_path() / "trireme-cluster-XXXXXX")
          .string();
  CHECK(mkdtemp(name.data()) != nullptr, "mkdtemp");
  folder_ = name;
  for (int node = 0; node < kNodes; ++node) {
    WriteFileText(config_path(node), ConfigText(node));
    clients_[node] = ClientOf(node);
  }
}

ClusterProcess::~ClusterProcess() {
  for (int node = 0; node < kNodes; ++node) {
    if (running(node)) Kill(node);
  }
  if (!keep_) std::filesystem::remove_all(folder_);
}

std::string ClusterProcess::ConfigText(int node) const {
  std::string text = absl::StrCat(
      "cluster: test\nnode: ", node + 1, "\nzone: zone-", node + 1,
      "\ndata_dir: ", data_dir(node), "\nlisten: ", address(node),
      "\npeer_listen: ", peer_address(node),
      "\niterator_secret: of-the-test\ngroups: ", kDataGroups,
      "\ninsecure: ", networks_ == nullptr ? "false" : "true", "\npeers:\n");
  for (int peer = 0; peer < kNodes; ++peer) {
    if (peer == node) continue;
    absl::StrAppend(&text, "  - {id: ", peer + 1, ", zone: zone-", peer + 1,
                    ", address: '", peer_address(peer), "'}\n");
  }
  return text;
}

void ClusterProcess::Start(int node) {
  CHECK(!running(node), "node runs already");
  std::vector<std::string> command;
  if (networks_ != nullptr) command = networks_->CommandPrefix(node);
  for (const std::string& word : {std::string(TRIREMED_PATH),
                                  std::string("--config"), config_path(node)}) {
    command.push_back(word);
  }
  absl::StatusOr<pid_t> pid = Spawn(command, log_path(node));
  CHECK(pid.ok(), "cannot start triremed");
  pids_[node] = *pid;
  paused_[node] = false;
}

void ClusterProcess::StartAll() {
  for (int node = 0; node < kNodes; ++node) {
    if (!running(node)) Start(node);
  }
}

absl::Status ClusterProcess::Readiness(int node) {
  auto status = clients_[node]->GetClusterStatus();
  if (!status.ok()) return status.status();
  for (const v1::NodeStatus& other : status->nodes()) {
    const int index = static_cast<int>(other.node_id()) - 1;
    if (running(index) && other.health() != v1::HEALTHY) {
      return absl::UnavailableError(
          absl::StrCat("node ", index, " is ", other.health()));
    }
  }
  if (status->nodes_size() != kNodes ||
      status->groups_size() != kDataGroups + 1) {
    return absl::UnavailableError("not all nodes and groups are known");
  }
  for (const v1::GroupStatus& group : status->groups()) {
    if (group.leader() == 0 || !running(static_cast<int>(group.leader()) - 1)) {
      return absl::UnavailableError(
          absl::StrCat("group ", group.group_id(), " has no leader"));
    }
  }
  return absl::OkStatus();
}

absl::Status ClusterProcess::WaitReady(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  for (int node = 0; node < kNodes; ++node) {
    while (running(node)) {
      const absl::Status status = Readiness(node);
      if (status.ok()) break;
      if (const std::vector<int> ended = Ended(); !ended.empty()) {
        return absl::InternalError(absl::StrCat(
            "node ", ended[0], " ended:\n", ReadFileText(log_path(ended[0]))));
      }
      if (absl::Now() >= deadline) {
        return absl::DeadlineExceededError(
            absl::StrCat("node ", node, ": ", status.message()));
      }
      absl::SleepFor(kPollPeriod);
    }
  }
  return absl::OkStatus();
}

void ClusterProcess::Kill(int node) {
  CHECK(running(node), "node does not run");
  kill(pids_[node], SIGKILL);
  const absl::StatusOr<int> code = WaitForExit(pids_[node], absl::Seconds(10));
  CHECK(code.ok(), "a killed node does not end");
  pids_[node] = 0;
  paused_[node] = false;
}

void ClusterProcess::Pause(int node) {
  CHECK(running(node), "node does not run");
  kill(pids_[node], SIGSTOP);
  paused_[node] = true;
}

void ClusterProcess::Resume(int node) {
  CHECK(running(node), "node does not run");
  kill(pids_[node], SIGCONT);
  paused_[node] = false;
}

absl::StatusOr<int> ClusterProcess::Terminate(int node,
                                              absl::Duration timeout) {
  CHECK(running(node), "node does not run");
  kill(pids_[node], SIGTERM);
  absl::StatusOr<int> code = WaitForExit(pids_[node], timeout);
  if (code.ok()) pids_[node] = 0;
  return code;
}

absl::Status ClusterProcess::TerminateAll(absl::Duration timeout) {
  for (const pid_t pid : pids_) {
    if (pid != 0) kill(pid, SIGTERM);
  }
  for (int node = 0; node < kNodes; ++node) {
    if (!running(node)) continue;
    const absl::StatusOr<int> code = WaitForExit(pids_[node], timeout);
    if (!code.ok()) return code.status();
    pids_[node] = 0;
    if (*code != 0) {
      return absl::InternalError(
          absl::StrCat("node ", node, " ended with ", *code));
    }
  }
  return absl::OkStatus();
}

void ClusterProcess::Wipe(int node) {
  CHECK(!running(node), "node runs");
  std::filesystem::remove_all(data_dir(node));
}

std::vector<int> ClusterProcess::Ended() {
  std::vector<int> ended;
  for (int node = 0; node < kNodes; ++node) {
    if (!running(node)) continue;
    if (!WaitForExit(pids_[node], absl::ZeroDuration()).ok()) continue;
    pids_[node] = 0;
    ended.push_back(node);
  }
  return ended;
}

absl::StatusOr<int> ClusterProcess::LeaderOf(uint32_t group, int node) {
  auto status = clients_[node]->GetClusterStatus();
  if (!status.ok()) return status.status();
  for (const v1::GroupStatus& known : status->groups()) {
    if (known.group_id() == group && known.leader() != 0) {
      return static_cast<int>(known.leader()) - 1;
    }
  }
  return absl::UnavailableError(
      absl::StrCat("group ", group, " has no leader"));
}

std::string ClusterProcess::address(int node) const {
  return absl::StrCat(host(node), ":", ports_[node]);
}

std::string ClusterProcess::peer_address(int node) const {
  return absl::StrCat(host(node), ":", ports_[kNodes + node]);
}

std::string ClusterProcess::host(int node) const {
  return networks_ == nullptr ? "127.0.0.1" : networks_->address(node);
}

std::vector<std::string> ClusterProcess::addresses(int first) const {
  std::vector<std::string> all;
  for (int i = 0; i < kNodes; ++i) all.push_back(address((first + i) % kNodes));
  return all;
}

std::string ClusterProcess::config_path(int node) const {
  return absl::StrCat(folder_, "/node-", node, ".yaml");
}

std::string ClusterProcess::data_dir(int node) const {
  return absl::StrCat(folder_, "/data-", node);
}

std::string ClusterProcess::log_path(int node) const {
  return absl::StrCat(folder_, "/node-", node, ".log");
}

void ClusterProcess::KeepForInspection() {
  keep_ = true;
  std::fprintf(stderr, "kept for inspection: %s\n", folder_.c_str());
  for (int node = 0; node < kNodes; ++node) {
    const std::string log = ReadFileText(log_path(node));
    const size_t from =
        log.size() > kLogTailBytes ? log.size() - kLogTailBytes : 0;
    std::fprintf(stderr, "--- node %d logged, at last:\n%s\n", node,
                 log.substr(from).c_str());
  }
}

std::unique_ptr<client::Client> ClusterProcess::ClientOf(
    int node, absl::Duration timeout) const {
  client::ClientOptions options = OptionsFor({address(node)});
  options.timeout = timeout;
  auto client = client::Client::Create(std::move(options));
  CHECK(client.ok(), "client");
  return *std::move(client);
}

std::unique_ptr<client::Client> ClusterProcess::ClientOfAll(int first) const {
  auto client = client::Client::Create(OptionsFor(addresses(first)));
  CHECK(client.ok(), "client");
  return *std::move(client);
}

}  // namespace trireme
