// triremed: one node of a Trireme cluster, or a whole one in this process.
#include <malloc.h>

#include <cstdio>
#include <string>
#include <variant>

#include "absl/synchronization/mutex.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/flags.h"
#include "server/node.h"
#include "spdlog/spdlog.h"

namespace trireme {
namespace {

// Entries, batches and gRPC's buffers are hundreds of KiB and live for
// milliseconds. By default malloc maps and unmaps each, and each time its pages
// are zeroed and faulted in again; kept, they are used again as they are.
// Bounded: what is free beyond the trim threshold still goes back.
void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // The most glibc allows.
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

// Debian builds Abseil, and with it gRPC, with its debug checks: each lock of a
// mutex takes one global lock more, to look for cycles. That is a tool for
// tests (tests/unit run with it), not for a server under load.
void SkipDeadlockDetection() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

absl::Status Run(const DaemonFlags& flags) {
  if (flags.dev) {
    const absl::Status exposure =
        CheckExposure("--listen", flags.listen,
                      /*has_tls=*/false, flags.insecure);
    if (!exposure.ok()) {
      return absl::FailedPreconditionError("--listen " +
                                           std::string(exposure.message()));
    }
    if (flags.kinesis_listen != "none") {
      const absl::Status kinesis_exposure = CheckKinesisExposure(
          "--kinesis-listen", flags.kinesis_listen, /*has_tls=*/true,
          !flags.access_keys.empty(), flags.insecure);
      if (!kinesis_exposure.ok()) {
        return absl::FailedPreconditionError(
            "--kinesis-listen " + std::string(kinesis_exposure.message()));
      }
    }
    return RunDevCluster(flags);
  }
  absl::StatusOr<NodeConfig> config =
      LoadNodeConfig(flags.config, flags.insecure);
  if (!config.ok()) return config.status();
  if (flags.log_level.empty()) {
    spdlog::set_level(spdlog::level::from_str(config->log_level));
  }
  return RunNode(*config);
}

int Main(int argc, char** argv) {
  const std::variant<DaemonFlags, int> parsed =
      ParseFlags(argc, argv, std::string(Version()));
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const DaemonFlags& flags = std::get<DaemonFlags>(parsed);
  if (!flags.log_level.empty()) {
    spdlog::set_level(spdlog::level::from_str(flags.log_level));
  }
  KeepFreedMemory();
  SkipDeadlockDetection();
  BlockStopSignals();
  const absl::Status status = Run(flags);
  if (status.ok()) return 0;
  std::fprintf(stderr, "triremed: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace trireme

int main(int argc, char** argv) { return trireme::Main(argc, argv); }
