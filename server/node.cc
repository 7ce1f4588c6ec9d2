#include "server/node.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "replication/restore.h"
#include "spdlog/spdlog.h"
#include "storage/errors.h"
#include "storage/named_thread.h"
#include "storage/retention.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr absl::Duration kUpkeepPeriod = absl::Milliseconds(500);
constexpr absl::Duration kDrainCheckPeriod = absl::Milliseconds(50);
constexpr absl::Duration kExpiryPeriod = absl::Seconds(30);
constexpr absl::Duration kExpiryBarrierTimeout = absl::Seconds(2);
// A quiet node flushes too, so that a restart replays little and the segment
// log's files can be recycled.
constexpr absl::Duration kFlushPeriod = absl::Minutes(1);

// Of a peer's report, above which the peer may be gone.
constexpr absl::Duration kReportAgeMax = absl::Seconds(5);

// The same, for one that is to take over leaders: nodes report every second.
constexpr absl::Duration kHeirReportAgeMax = absl::Seconds(3);

std::string StorePath(const NodeOptions& options) {
  return options.data_directory + "/store";
}

// It is there, and has all it vouched for.
bool IsWell(const KnownNode& known) {
  const std::vector<GroupReport>& groups = known.report.groups;
  return known.age <= kReportAgeMax && !groups.empty() &&
         std::none_of(
             groups.begin(), groups.end(),
             [](const GroupReport& group) { return group.recovering; });
}

// DataLoss, with what is missing, when this disk does not hold everything the
// node has promised (replication/restore.h).
absl::Status CheckDisk(const Identity& identity, const Replay& replay,
                       const StateMachine& state) {
  RETURN_IF_ERROR(CheckPromises(replay, state, identity.group_count));
  if (!identity.started) return absl::OkStatus();
  if (state.created()) return absl::DataLossError("the store is gone");
  for (uint32_t i = 0; i < identity.group_count; ++i) {
    if (!replay.groups.contains(GroupId(i))) {
      return absl::DataLossError(
          absl::StrCat("the log has nothing of group ", i));
    }
  }
  return absl::OkStatus();
}

// Before a node first takes part its log names every group, so that a log, or
// a store, that is missing later is known to be lost.
absl::Status MarkStarted(const std::string& directory, Identity* identity,
                         SegmentLog* log, Replay* replay) {
  LogBatch batch;
  for (uint32_t i = 0; i < identity->group_count; ++i) {
    ReplayedGroup& group = replay->groups[GroupId(i)];
    if (group.hard_state.term != 0 || !group.entries.empty()) continue;
    group.hard_state = {GroupId(i), 0, NodeId(),
                        identity->rejoined || !replay->damage.ok()};
    batch.hard_states.push_back(group.hard_state);
  }
  if (!batch.empty()) {
    RETURN_IF_ERROR(log->Write(batch));
    log->Publish(batch);
  }
  identity->started = true;
  return SaveIdentity(PosixFileSystem::Get(), directory, *identity);
}

bool LeadsAny(const NodeReport& report) {
  return std::any_of(report.groups.begin(), report.groups.end(),
                     [](const GroupReport& group) { return group.leads; });
}

bool MayTakeOver(const KnownNode& peer) {
  return peer.age <= kHeirReportAgeMax && !peer.report.draining;
}

// What this disk vouched for before is void, and its peers are told so by a
// new incarnation before anything else is said (replication/raft/recovery.cc).
absl::Status BeginNewLife(const std::string& directory, Identity* identity) {
  identity->incarnation =
      std::max(identity->incarnation + 1,
               static_cast<uint64_t>(absl::GetCurrentTimeNanos()) / 1000);
  return SaveIdentity(PosixFileSystem::Get(), directory, *identity);
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
  ASSIGN_OR_RETURN(node->state_,
                   StateMachine::Open(StorePath(options), state_options));
  Replay replay;
  ASSIGN_OR_RETURN(node->log_, SegmentLog::Open(PosixFileSystem::Get(),
                                                options.data_directory + "/log",
                                                options.log, &replay));
  replay.damage = CheckDisk(identity, replay, *node->state_);
  if (!replay.damage.ok()) {
    spdlog::error("node {}: {}; it recovers from its peers",
                  identity.node.value(), replay.damage.ToString());
    RETURN_IF_ERROR(BeginNewLife(options.data_directory, &identity));
  }
  if (!identity.started) {
    RETURN_IF_ERROR(MarkStarted(options.data_directory, &identity,
                                node->log_.get(), &replay));
  }
  GroupLoopOptions loop_options;
  loop_options.self = identity.node;
  loop_options.nodes = options.nodes;
  loop_options.incarnation = identity.incarnation;
  loop_options.group_count = identity.group_count;
  std::random_device random;
  loop_options.seed = uint64_t{random()} << 32 | random();
  loop_options.recovering = identity.rejoined;
  loop_options.log_own_leaderships_only = options.log_own_leaderships_only;
  loop_options.put_limits =
      PutLimitsOf(options.limits, &node->state_->catalog());
  const auto on_fatal = [node = node.get()](absl::Status why) {
    node->OnFatal(why);
  };
  node->applier_ =
      std::make_unique<Applier>(node->state_.get(), observer, on_fatal);
  node->writer_ = std::make_unique<LogWriter>(node->log_.get());
  node->catch_up_ = std::make_unique<CatchUp>(
      node->state_.get(), transport, SystemClock::Get(),
      options.catch_up_bytes_per_second, on_fatal);
  node->loop_ = std::make_unique<GroupLoop>(
      loop_options, SystemClock::Get(), node->log_.get(), replay,
      node->state_.get(), node->applier_.get(), node->writer_.get(),
      node->catch_up_.get(), transport, on_fatal);
  node->DescribeDisk();
  return node;
}

void Node::Start() {
  const std::string suffix = absl::StrCat("-", self_.value());
  threads_.push_back(NamedThread("loop" + suffix, [this] {
    while (loop_->WaitForWork()) loop_->RunOnce();
  }));
  threads_.push_back(NamedThread("log-writer" + suffix, [this] {
    while (writer_->WaitForWork()) {
      writer_->RunOnce();
      // An error is met again, and reported, by the write that needs the file.
      if (!writer_->HasWork()) log_->PrepareNextSegment().IgnoreError();
    }
  }));
  threads_.push_back(NamedThread("applier" + suffix, [this] {
    while (applier_->WaitForWork()) applier_->RunOnce();
  }));
  threads_.push_back(NamedThread("catch-up" + suffix, [this] {
    while (catch_up_->WaitForWork()) catch_up_->RunOnce();
  }));
  threads_.push_back(NamedThread("upkeep" + suffix, [this] { RunUpkeep(); }));
  threads_.push_back(NamedThread("flush" + suffix, [this] { RunFlushes(); }));
}

void Node::Drain(absl::Duration timeout) {
  loop_->StartDraining();
  const absl::Duration until = SystemClock::Get()->MonotonicNow() + timeout;
  while (SystemClock::Get()->MonotonicNow() < until) {
    bool leads = false;
    bool has_heir = false;
    for (const KnownNode& known : loop_->KnownNodes()) {
      if (known.report.node == self_) {
        leads = LeadsAny(known.report);
      } else {
        has_heir |= MayTakeOver(known);
      }
    }
    if (!leads || !has_heir) return;
    if (stop_.WaitFor(kDrainCheckPeriod)) return;
  }
}

void Node::Stop() {
  if (stopping_.exchange(true)) return;
  stop_.Set();
  if (loop_ == nullptr) return;
  loop_->Stop();
  writer_->Stop();
  catch_up_->Stop();
  applier_->Stop();
  // What a full disk keeps from being flushed is in the segment log.
  state_->StopWaiting();
  for (std::thread& thread : threads_) thread.join();
  // A mark vouches for the last batch, as on an idle log. What cannot be
  // written now was promised to nobody.
  log_->Write(LogBatch()).IgnoreError();
  if (const absl::Status status = state_->Flush(); !status.ok()) {
    spdlog::error("node {}: {}", self_.value(), status.ToString());
  }
}

bool Node::PauseUpkeep() { return !stop_.WaitFor(kUpkeepPeriod); }

void Node::RunUpkeep() {
  absl::Duration next_expiry = SystemClock::Get()->MonotonicNow();
  while (PauseUpkeep()) {
    DescribeDisk();
    ReplaceDamagedStore();
    const absl::Duration now = SystemClock::Get()->MonotonicNow();
    if (now < next_expiry) continue;
    next_expiry = now + kExpiryPeriod;
    const absl::Status status = Expire();
    if (!status.ok() && ReasonOf(status) != ErrorReason::kDiskFull) {
      OnFatal(status);
    }
  }
}

absl::Status Node::Expire() {
  const int64_t time_ms = ExpiryTimeMs() - kExpirySlackMs;
  if (!state_->HasExpired(time_ms) || !AwaitFresh()) return absl::OkStatus();
  return state_->DropExpired(time_ms);
}

absl::Status Node::KeepRaised() {
  const int64_t time_ms = ExpiryTimeMs() - kExpirySlackMs;
  if (!state_->HasRaised(time_ms) || !AwaitFresh()) return absl::OkStatus();
  return state_->KeepRaised(time_ms);
}

bool Node::AwaitFresh() {
  struct Barriers {
    MonotonicEvent done;
    std::atomic<uint32_t> left = 0;
    std::atomic<bool> failed = false;
  };
  auto barriers = std::make_shared<Barriers>();
  barriers->left = group_count_;
  for (uint32_t group = 0; group < group_count_; ++group) {
    loop_->ReadBarrier({GroupId(group), kExpiryBarrierTimeout,
                        [barriers](const absl::Status& status) {
                          if (!status.ok()) barriers->failed = true;
                          if (--barriers->left == 0) barriers->done.Set();
                        }});
  }
  barriers->done.WaitFor(2 * kExpiryBarrierTimeout);
  return barriers->left == 0 && !barriers->failed;
}

void Node::RunFlushes() {
  absl::Duration next_flush = SystemClock::Get()->MonotonicNow() + kFlushPeriod;
  while (PauseUpkeep()) {
    const absl::Duration now = SystemClock::Get()->MonotonicNow();
    if (!state_->FlushDue() && now < next_flush) continue;
    next_flush = now + kFlushPeriod;
    absl::Status status = state_->Flush();
    if (status.ok()) status = KeepRaised();
    // One partition at a time, so that a stop does not wait for all of them.
    if (state_->HasRaised(ExpiryTimeMs() - kExpirySlackMs)) next_flush = now;
    // Damage is met by ReplaceDamagedStore.
    if (!status.ok() && ReasonOf(status) != ErrorReason::kDiskFull &&
        !absl::IsDataLoss(status)) {
      OnFatal(status);
    }
  }
}

absl::Status Node::CheckReplaceable() const {
  const std::vector<KnownNode> known = loop_->KnownNodes();
  for (const NodeId node : options_.nodes) {
    if (node == self_) continue;
    if (!std::any_of(known.begin(), known.end(), [node](const KnownNode& k) {
          return k.report.node == node && IsWell(k);
        })) {
      return absl::UnavailableError(absl::StrCat(
          "node ", node.value(), " is not up, or recovers itself"));
    }
  }
  ASSIGN_OR_RETURN(const uint64_t free,
                   PosixFileSystem::Get()->FreeBytes(options_.data_directory));
  if (free < state_->bytes_on_disk()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a new store needs ", state_->bytes_on_disk(),
        " bytes and the disk of ", options_.data_directory, " has ", free));
  }
  return absl::OkStatus();
}

void Node::ReplaceDamagedStore() {
  const absl::Status damage = state_->damage();
  if (damage.ok()) return;
  const absl::Status replaceable = CheckReplaceable();
  if (!replaceable.ok()) {
    if (!std::exchange(told_of_damage_, true)) {
      spdlog::error("node {}: {}; it cannot be replaced yet: {}", self_.value(),
                    damage.ToString(), replaceable.ToString());
    }
    return;
  }
  // Kept, as the last copy there is should the peers be lost meanwhile.
  const std::string store = StorePath(options_);
  const std::string aside = store + ".damaged";
  std::error_code ignored;  // If it is not gone, renaming says so.
  std::filesystem::remove_all(aside, ignored);
  const absl::Status renamed = PosixFileSystem::Get()->RenameFile(store, aside);
  if (!renamed.ok()) return OnFatal(renamed);
  OnFatal(absl::DataLossError(absl::StrCat(
      damage.message(), ". The store is kept as ", aside,
      "; start the node again: it copies its state from its peers")));
}

// By the cluster's clock, and never ahead of the newest stamp in the logs: a
// node that has just started may have heard no clock but its own, and that one
// may be wrong (design.md D6).
int64_t Node::ExpiryTimeMs() const {
  int64_t newest_stamp_ms = 0;
  for (uint32_t i = 0; i < group_count_; ++i) {
    newest_stamp_ms =
        std::max(newest_stamp_ms, state_->Applied(GroupId(i)).stamp_ms);
  }
  return std::min(newest_stamp_ms,
                  absl::ToUnixMillis(loop_->cluster_clock().WallNow()));
}

void Node::DescribeDisk() {
  NodeReport report;
  report.zone = options_.zone;
  report.client_address = options_.client_address;
  report.version = std::string(Version());
  const absl::StatusOr<uint64_t> free =
      PosixFileSystem::Get()->FreeBytes(options_.data_directory);
  // 0 means "not known"; a full disk has 1. The file system does not know of
  // every limit, a quota for example.
  if (free.ok()) {
    report.disk_free_bytes =
        state_->waits_for_space() ? 1 : std::max<uint64_t>(*free, 1);
  }
  report.disk_used_bytes = state_->bytes_on_disk() + log_->live_bytes();
  loop_->DescribeSelf(std::move(report));
}

void Node::OnFatal(const absl::Status& why) const {
  if (stopping_) return;
  // A disk that failed once may have lost what it confirmed before; nothing
  // more may be promised on it (design.md D12). No destructors: they would
  // write.
  spdlog::critical("stopping at once: {}", why.ToString());
  spdlog::shutdown();
  std::_Exit(EXIT_FAILURE);
}

}  // namespace trireme
