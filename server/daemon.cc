#include "server/daemon.h"

#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/address.h"
#include "server/dev_cluster.h"
#include "server/directory_lock.h"
#include "server/front_end.h"
#include "server/grpc/peer_transport.h"
#include "server/node.h"
#include "server/self_signed_certificate.h"
#include "spdlog/spdlog.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// How long a planned stop waits for other nodes to take over, and for calls
// that run.
constexpr absl::Duration kDrainTimeout = absl::Seconds(5);
constexpr absl::Duration kCallGrace = absl::Seconds(2);
constexpr absl::Duration kFormationPeriod = absl::Milliseconds(300);

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

// Waits for SIGINT or SIGTERM, `timeout` at most; true when one came.
bool WaitForStop(absl::Duration timeout) {
  const sigset_t signals = StopSignals();
  const timespec wait = absl::ToTimespec(timeout);
  const int signal = timeout == absl::InfiniteDuration()
                         ? sigwaitinfo(&signals, nullptr)
                         : sigtimedwait(&signals, nullptr, &wait);
  if (signal > 0) spdlog::info("{}: stopping", strsignal(signal));
  return signal > 0;
}

// Whether one has come that nobody has waited for yet.
bool StopIsPending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGINT) == 1 ||
         sigismember(&pending, SIGTERM) == 1;
}

// What `status` means for a start during which a stop may have been asked for:
// one that waited for space on a full disk was broken off by it.
absl::Status OutcomeOfStart(const absl::Status& status) {
  if (!StopIsPending()) return status;
  spdlog::info("stopped while starting: {}", status.ToString());
  return absl::OkStatus();
}

void WaitForStop() {
  while (!WaitForStop(absl::InfiniteDuration())) {
  }
}

// Who we are on this disk; asks the peers until the cluster is formed. None
// when the process was asked to stop before.
absl::StatusOr<std::optional<Identity>> FormIdentity(const NodeConfig& config,
                                                     Formation* formation,
                                                     PeerTransport* transport) {
  if (formation->Describe().formed) return formation->Describe();
  bool told = false;
  while (true) {
    ASSIGN_OR_RETURN(const bool formed, formation->Round([&](NodeId peer) {
      return transport->Introduce(peer);
    }));
    if (formed) break;
    if (!std::exchange(told, true)) {
      spdlog::info(
          "waiting for the other two nodes: all three must be up once to form "
          "the cluster");
    }
    if (WaitForStop(kFormationPeriod)) return std::nullopt;
  }
  Identity identity = formation->Describe();
  RETURN_IF_ERROR(
      SaveIdentity(PosixFileSystem::Get(), config.data_dir, identity));
  return identity;
}

absl::StatusOr<AccessKeys> LoadAccessKeys(const std::string& path) {
  if (path.empty()) return AccessKeys();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat("cannot read the access keys ", path));
  }
  return AccessKeys::Parse(text.str(), path);
}

absl::StatusOr<KinesisServerOptions> KinesisFor(const KinesisConfig& config) {
  KinesisServerOptions options;
  options.address = config.listen;
  if (config.tls.has_value()) {
    ASSIGN_OR_RETURN(options.tls, ReadTlsFiles(*config.tls));
    options.plaintext = false;
  }
  ASSIGN_OR_RETURN(options.access_keys, LoadAccessKeys(config.access_keys));
  return options;
}

// Takes TLS as well, with a certificate of its own: some clients have no way
// without.
absl::StatusOr<std::optional<KinesisServerOptions>> KinesisFor(
    const DaemonFlags& flags) {
  if (flags.kinesis_listen == "none") return std::nullopt;
  KinesisServerOptions options;
  options.address = flags.kinesis_listen;
  ASSIGN_OR_RETURN(const Address address, Address::Parse(options.address));
  options.plaintext = address.IsLoopback() || flags.insecure;
  ASSIGN_OR_RETURN(options.tls, LoadOrMakeCertificate(flags.data_dir));
  ASSIGN_OR_RETURN(options.access_keys, LoadAccessKeys(flags.access_keys));
  return options;
}

absl::StatusOr<FrontEndOptions> FrontEndFor(const NodeConfig& config) {
  FrontEndOptions options;
  if (config.kinesis.has_value()) {
    ASSIGN_OR_RETURN(options.kinesis, KinesisFor(*config.kinesis));
  }
  options.broker.cluster = config.cluster;
  options.broker.iterator_secret = config.iterator_secret;
  options.broker.account = config.account;
  options.broker.group_count = config.groups + 1;
  options.broker.read_from = config.read;
  options.broker.limits = config.limits;
  options.broker.members.push_back({config.node, config.zone});
  for (const PeerConfig& peer : config.peers) {
    options.broker.members.push_back({peer.node, peer.zone});
  }
  options.grpc.address = config.listen;
  options.grpc.tls = config.tls;
  return options;
}

}  // namespace

void BlockStopSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

absl::Status RunNode(const NodeConfig& config) {
  ASSIGN_OR_RETURN(const std::unique_ptr<DirectoryLock> lock,
                   DirectoryLock::Acquire(config.data_dir));
  Identity expected;
  expected.cluster = config.cluster;
  expected.node = config.node;
  expected.group_count = config.groups + 1;
  ASSIGN_OR_RETURN(
      const Identity found,
      LoadIdentity(PosixFileSystem::Get(), config.data_dir, expected,
                   static_cast<uint64_t>(absl::GetCurrentTimeNanos()) / 1000));
  ASSIGN_OR_RETURN(const FrontEndOptions front_options, FrontEndFor(config));
  FrontEnd front_end(front_options);
  RETURN_IF_ERROR(front_end.Listen());
  Formation formation(found, config.NodeIds());
  ASSIGN_OR_RETURN(const std::unique_ptr<PeerTransport> transport,
                   StartPeerTransport(config, &formation));
  ASSIGN_OR_RETURN(const std::optional<Identity> identity,
                   FormIdentity(config, &formation, transport.get()));
  if (!identity.has_value()) return absl::OkStatus();

  LifecycleDriver lifecycle;
  AppliedFanout observers;
  observers.Add(front_end.observer());
  observers.Add(lifecycle.observer());
  NodeOptions options;
  options.zone = config.zone;
  options.client_address = config.advertise;
  options.data_directory = config.data_dir;
  options.nodes = config.NodeIds();
  options.limits = config.limits;
  options.state.stop_opening = StopIsPending;
  const absl::StatusOr<std::unique_ptr<Node>> opened =
      Node::Open(options, *identity, transport.get(), &observers);
  if (!opened.ok()) return OutcomeOfStart(opened.status());
  Node* const node = opened->get();
  lifecycle.Attach(node);
  node->Start();
  transport->Connect(&node->loop(), &node->state());
  lifecycle.Start();
  front_end.Serve(node);
  spdlog::info("node {} in {} serves clients on {} and peers on {}",
               config.node.value(), config.zone, config.listen,
               config.peer_listen);
  if (config.kinesis.has_value()) {
    spdlog::info("AWS clients: {}://{}",
                 config.kinesis->tls.has_value() ? "https" : "http",
                 config.kinesis->listen);
  }
  WaitForStop();
  front_end.StartDraining();
  node->Drain(kDrainTimeout);
  front_end.Stop(kCallGrace);
  lifecycle.Stop();
  transport->Stop();
  node->Stop();
  spdlog::info("stopped");
  return absl::OkStatus();
}

absl::Status RunDevCluster(const DaemonFlags& flags) {
  ASSIGN_OR_RETURN(const std::unique_ptr<DirectoryLock> lock,
                   DirectoryLock::Acquire(flags.data_dir));
  FrontEndOptions front_options;
  front_options.broker.cluster = "dev";
  front_options.grpc.address = flags.listen;
  ASSIGN_OR_RETURN(front_options.kinesis, KinesisFor(flags));
  if (flags.limits == "kinesis") {
    front_options.broker.limits.profile = LimitsProfile::kKinesis;
  }
  for (int i = 0; i < DevCluster::kNodes; ++i) {
    front_options.broker.members.push_back(
        {NodeId(static_cast<uint32_t>(i) + 1), DevCluster::ZoneName(i)});
  }
  FrontEnd front_end(front_options);
  RETURN_IF_ERROR(front_end.Listen());
  std::array<LifecycleDriver, DevCluster::kNodes> lifecycles;
  AppliedFanout first_observers;
  first_observers.Add(front_end.observer());
  first_observers.Add(lifecycles[0].observer());

  DevClusterOptions options;
  options.data_directory = flags.data_dir;
  options.client_address = flags.listen;
  options.group_count = front_options.broker.group_count;
  options.node.limits = front_options.broker.limits;
  options.node.state.stop_opening = StopIsPending;
  const absl::StatusOr<std::unique_ptr<DevCluster>> opened = DevCluster::Open(
      options,
      {&first_observers, lifecycles[1].observer(), lifecycles[2].observer()});
  if (!opened.ok()) return OutcomeOfStart(opened.status());
  DevCluster* const cluster = opened->get();
  for (size_t i = 0; i < lifecycles.size(); ++i) {
    lifecycles[i].Attach(&cluster->node(static_cast<int>(i)));
  }
  cluster->Start();
  for (LifecycleDriver& lifecycle : lifecycles) lifecycle.Start();
  front_end.Serve(&cluster->node(0));
  spdlog::info("three zones in one process serve clients on {}; data in {}",
               flags.listen, flags.data_dir);
  if (front_options.kinesis.has_value()) {
    spdlog::info("AWS clients: {}https://{}",
                 front_options.kinesis->plaintext ? "http:// or " : "",
                 flags.kinesis_listen);
  }
  WaitForStop();
  front_end.Stop(kCallGrace);
  for (LifecycleDriver& lifecycle : lifecycles) lifecycle.Stop();
  cluster->Stop();
  spdlog::info("stopped");
  return absl::OkStatus();
}

}  // namespace trireme
