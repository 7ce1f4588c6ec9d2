#include "server/node.h"

#include <pthread.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "replication/raft_group.h"
#include "spdlog/spdlog.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr absl::Duration kUpkeepPeriod = absl::Milliseconds(500);
constexpr absl::Duration kExpiryPeriod = absl::Seconds(30);
// A quiet node flushes too, so that a restart replays little and the segment
// log's files can be recycled.
constexpr absl::Duration kFlushPeriod = absl::Minutes(1);

// Names show in top -H, perf and gdb.
std::thread NamedThread(const std::string& name, std::function<void()> body) {
  return std::thread([name, body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    body();
  });
}

// Peers must not take what a damaged log once vouched for as this one's word:
// it is a new life of the disk, and stays one.
absl::StatusOr<uint64_t> IncarnationAfter(const Replay& replay,
                                          const std::string& directory,
                                          Identity identity) {
  if (replay.damage.ok()) return identity.incarnation;
  identity.incarnation =
      std::max(identity.incarnation + 1,
               static_cast<uint64_t>(absl::GetCurrentTimeNanos()) / 1000);
  RETURN_IF_ERROR(SaveIdentity(PosixFileSystem::Get(), directory, identity));
  return identity.incarnation;
}

// Whether entries that were once durable are missing from the log.
bool LostPromises(const Replay& replay, const StateMachine& state,
                  uint32_t group_count) {
  if (!replay.damage.ok()) return true;
  for (uint32_t i = 0; i < group_count; ++i) {
    const auto group = replay.groups.find(GroupId(i));
    if (group != replay.groups.end() &&
        RestoreGroup(group->second, state.Applied(GroupId(i))).damaged) {
      return true;
    }
  }
  return false;
}

}  // namespace

absl::string_view Version() { return TRIREME_VERSION; }

Node::Node(const NodeOptions& options, const Identity& identity)
    : options_(options),
      self_(identity.node),
      group_count_(identity.group_count) {}

Node::~Node() { Stop(); }

absl::StatusOr<std::unique_ptr<Node>> Node::Open(const NodeOptions& options,
                                                 Identity identity,
                                                 Transport* transport,
                                                 AppliedObserver* observer) {
  std::unique_ptr<Node> node(new Node(options, identity));
  StateMachineOptions state_options = options.state;
  state_options.group_count = identity.group_count;
  ASSIGN_OR_RETURN(
      node->state_,
      StateMachine::Open(options.data_directory + "/store", state_options));
  Replay replay;
  ASSIGN_OR_RETURN(node->log_, SegmentLog::Open(PosixFileSystem::Get(),
                                                options.data_directory + "/log",
                                                options.log, &replay));
  if (!replay.damage.ok()) {
    spdlog::error("node {}: {}; it will recover from its peers",
                  identity.node.value(), replay.damage.ToString());
  }
  if (LostPromises(replay, *node->state_, identity.group_count)) {
    // What this node vouched for before is void: a new incarnation tells its
    // peers so, before anything else is said (replication/raft/recovery.cc).
    identity.incarnation =
        std::max(identity.incarnation + 1,
                 static_cast<uint64_t>(absl::GetCurrentTimeNanos()) / 1000);
    RETURN_IF_ERROR(
        SaveIdentity(PosixFileSystem::Get(), options.data_directory, identity));
  }
  GroupLoopOptions loop_options;
  loop_options.self = identity.node;
  loop_options.nodes = options.nodes;
  ASSIGN_OR_RETURN(loop_options.incarnation,
                   IncarnationAfter(replay, options.data_directory, identity));
  loop_options.group_count = identity.group_count;
  std::random_device random;
  loop_options.seed = uint64_t{random()} << 32 | random();
  loop_options.recovering = identity.rejoined;
  node->applier_ =
      std::make_unique<Applier>(node->state_.get(), observer, StopProcess);
  node->writer_ = std::make_unique<LogWriter>(node->log_.get());
  node->catch_up_ = std::make_unique<CatchUp>(
      node->state_.get(), transport, SystemClock::Get(),
      options.catch_up_bytes_per_second);
  node->loop_ = std::make_unique<GroupLoop>(
      loop_options, SystemClock::Get(), node->log_.get(), replay,
      node->state_.get(), node->applier_.get(), node->writer_.get(),
      node->catch_up_.get(), transport, StopProcess);
  node->DescribeDisk();
  return node;
}

void Node::Start() {
  const std::string suffix = absl::StrCat("-", self_.value());
  threads_.push_back(NamedThread("loop" + suffix, [this] {
    while (loop_->WaitForWork()) loop_->RunOnce();
  }));
  threads_.push_back(NamedThread("log-writer" + suffix, [this] {
    while (writer_->WaitForWork()) writer_->RunOnce();
  }));
  threads_.push_back(NamedThread("applier" + suffix, [this] {
    while (applier_->WaitForWork()) applier_->RunOnce();
  }));
  threads_.push_back(NamedThread("catch-up" + suffix, [this] {
    while (catch_up_->WaitForWork()) catch_up_->RunOnce();
  }));
  threads_.push_back(NamedThread("upkeep" + suffix, [this] { RunUpkeep(); }));
}

void Node::Drain(absl::Duration timeout) {
  loop_->StartDraining();
  const absl::Duration until = SystemClock::Get()->MonotonicNow() + timeout;
  absl::MutexLock lock(&mu_);
  while (SystemClock::Get()->MonotonicNow() < until) {
    const std::vector<KnownNode> nodes = loop_->KnownNodes();
    bool leads = false;
    for (const KnownNode& known : nodes) {
      if (known.report.node != self_) continue;
      for (const GroupReport& group : known.report.groups) leads |= group.leads;
    }
    if (!leads || nodes.size() == 1) return;
    mu_.AwaitWithTimeout(absl::Condition(&stopping_), absl::Milliseconds(50));
  }
}

void Node::Stop() {
  {
    absl::MutexLock lock(&mu_);
    if (std::exchange(stopping_, true)) return;
  }
  if (loop_ == nullptr) return;
  loop_->Stop();
  writer_->Stop();
  catch_up_->Stop();
  applier_->Stop();
  for (std::thread& thread : threads_) thread.join();
  if (const absl::Status status = state_->Flush(); !status.ok()) {
    spdlog::error("node {}: {}", self_.value(), status.ToString());
  }
}

void Node::RunUpkeep() {
  absl::Duration next_expiry = SystemClock::Get()->MonotonicNow();
  absl::Duration next_flush = next_expiry + kFlushPeriod;
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      mu_.AwaitWithTimeout(absl::Condition(&stopping_), kUpkeepPeriod);
      if (stopping_) return;
    }
    DescribeDisk();
    const absl::Duration now = SystemClock::Get()->MonotonicNow();
    absl::Status status;
    if (state_->FlushDue() || now >= next_flush) {
      next_flush = now + kFlushPeriod;
      status = state_->Flush();
    }
    if (status.ok() && now >= next_expiry) {
      next_expiry = now + kExpiryPeriod;
      status = state_->DropExpired(ExpiryTimeMs());
    }
    if (!status.ok()) StopProcess(status);
  }
}

// A clock that jumped ahead must not drop what is not old: expiry never runs
// ahead of the newest stamp in the logs (design.md D6).
int64_t Node::ExpiryTimeMs() const {
  int64_t newest_stamp_ms = 0;
  for (uint32_t i = 0; i < group_count_; ++i) {
    newest_stamp_ms =
        std::max(newest_stamp_ms, state_->Applied(GroupId(i)).stamp_ms);
  }
  return std::min(newest_stamp_ms,
                  absl::ToUnixMillis(SystemClock::Get()->WallNow()));
}

void Node::DescribeDisk() {
  NodeReport report;
  report.zone = options_.zone;
  report.client_address = options_.client_address;
  report.version = std::string(Version());
  const absl::StatusOr<uint64_t> free =
      PosixFileSystem::Get()->FreeBytes(options_.data_directory);
  // 0 means "not known"; a full disk has 1.
  if (free.ok()) report.disk_free_bytes = std::max<uint64_t>(*free, 1);
  report.disk_used_bytes = state_->bytes_on_disk() + log_->live_bytes();
  loop_->DescribeSelf(std::move(report));
}

void Node::StopProcess(const absl::Status& why) {
  // A disk that failed once may have lost what it confirmed before; nothing
  // more may be promised on it (design.md D12). No destructors: they would
  // write.
  spdlog::critical("stopping at once: {}", why.ToString());
  spdlog::shutdown();
  std::_Exit(EXIT_FAILURE);
}

}  // namespace trireme
