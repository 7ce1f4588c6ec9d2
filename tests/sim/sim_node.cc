#include "tests/sim/sim_node.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "replication/restore.h"
#include "storage/check.h"

namespace trireme::sim {
namespace {

constexpr char kDirectory[] = "node/log";

}  // namespace

class SimNode::NodeTransport : public Transport {
 public:
  NodeTransport(SimNode* node, SimNetwork* network)
      : node_(node), network_(network) {}

  bool Send(NodeId to, Envelope envelope) override {
    return network_->Send(node_->id_, to, std::move(envelope));
  }
  absl::StatusOr<std::unique_ptr<StateSource>> PullState(
      NodeId from, GroupId group, absl::string_view held) override {
    ++node_->pulls_;
    return network_->PullState(node_->id_, from, group, held);
  }

 private:
  SimNode* const node_;
  SimNetwork* const network_;
};

// Everything between a start and a crash.
struct SimNode::Life {
  Replay replay;
  std::unique_ptr<SegmentLog> log;
  std::unique_ptr<NodeTransport> transport;
  std::optional<absl::Status> fatal;
  std::optional<Applier> applier;
  std::optional<LogWriter> writer;
  std::optional<CatchUp> catch_up;
  std::unique_ptr<GroupLoop> loop;

  Micros loop_due = 0;  // 0: the loop is not scheduled.
  bool writer_scheduled = false;
  bool applier_scheduled = false;
  bool catch_up_scheduled = false;
};

SimNode::SimNode(NodeId id, const SimNodeOptions& options,
                 const SimWorld& world)
    : id_(id),
      options_(options),
      world_(world),
      clock_(world.events, absl::Seconds(1000 * id.value())),
      disk_random_(world.random->Next()),
      disk_(std::make_unique<FaultDisk>(&disk_random_)),
      state_(std::make_unique<SimState>(id, options.loop.group_count,
                                        world.history,
                                        options.product_commands)) {
  state_->LieOn(disk_.get());
  disk_->SetFreeBytes(options_.disk_bytes);
}

SimNode::~SimNode() = default;

GroupLoop* SimNode::loop() { return up() ? life_->loop.get() : nullptr; }

GroupReport SimNode::ReportOf(GroupId group) const {
  for (const KnownNode& known : life_->loop->KnownNodes()) {
    if (known.report.node != id_) continue;
    if (known.report.groups.size() <= group.value()) break;
    return known.report.groups[group.value()];
  }
  // Just started; it has not looked yet.
  GroupReport report;
  report.recovering = true;
  return report;
}

void SimNode::Start() {
  CHECK(!up());
  ++life_number_;
  paused_until_ = 0;
  stopped_itself_ = false;
  life_ = std::make_unique<Life>();
  absl::StatusOr<std::unique_ptr<SegmentLog>> log =
      SegmentLog::Open(disk_.get(), kDirectory, options_.log, &life_->replay);
  if (!log.ok()) return StopAtStart(log.status());
  life_->replay.damage =
      CheckPromises(life_->replay, *state_, options_.loop.group_count);
  if (!life_->replay.damage.ok()) {
    // What this disk vouched for may be gone: a new life to its peers.
    ++incarnation_;
    ++damages_;
  }
  world_.trace->Add("start", id_.value(), life_number_, incarnation_,
                    life_->replay.damage.ok(), life_->replay.tail_was_cut,
                    recovering_);
  const auto fatal = [this](absl::Status status) {
    if (!life_->fatal) life_->fatal = std::move(status);
  };
  Life& life = *life_;
  life.log = *std::move(log);
  life.transport = std::make_unique<NodeTransport>(this, world_.network);
  life.applier.emplace(state_.get(), nullptr, fatal);
  life.writer.emplace(life.log.get());
  life.catch_up.emplace(state_.get(), life.transport.get(), &clock_, 0, fatal);
  GroupLoopOptions options = options_.loop;
  options.self = id_;
  options.seed = world_.random->Next();
  options.incarnation = incarnation_;
  options.recovering = recovering_;
  life.loop =
      std::make_unique<GroupLoop>(options, &clock_, life.log.get(), life.replay,
                                  state_.get(), &*life.applier, &*life.writer,
                                  &*life.catch_up, life.transport.get(), fatal);
  world_.network->Attach(id_, this, state_.get());
  DescribeDisk();
  ScheduleFlush();
  Wake();
}

// A disk that fails while the log is opened stops the process as well.
void SimNode::StopAtStart(const absl::Status& status) {
  world_.trace->Add(absl::StrCat("cannot open the log: ", status.ToString()),
                    id_.value());
  life_.reset();
  disk_->KillProcess();
  if (!absl::StrContains(status.message(), "injected")) {
    world_.history->Fail("heals", status.ToString());
  }
  if (on_fatal_) on_fatal_(this);
}

void SimNode::Crash(Stop how, bool in_write) {
  if (!up()) return;
  world_.trace->Add("crash", id_.value(), static_cast<int>(how), in_write);
  if (in_write && life_->writer->HasWork()) {
    if (world_.random->Chance(0.7)) disk_->FailWrite();
    life_->writer->RunOnce();
    disk_->FailWrite(-1);
  }
  world_.network->Detach(
      id_, how == Stop::kPowerFailure && world_.random->Chance(0.5));
  life_.reset();
  disk_->FailSync(-1);
  if (how == Stop::kPowerFailure) {
    disk_->Crash();
  } else {
    disk_->KillProcess();
  }
  state_->Crash(world_.random);
}

void SimNode::Wipe() {
  CHECK(!up());
  world_.trace->Add("wipe", id_.value());
  disk_ = std::make_unique<FaultDisk>(&disk_random_);
  disk_->SetFreeBytes(options_.disk_bytes);
  state_ =
      std::make_unique<SimState>(id_, options_.loop.group_count, world_.history,
                                 options_.product_commands);
  state_->LieOn(disk_.get());
  ++incarnation_;
  recovering_ = true;
}

std::vector<std::string> SimNode::SegmentPaths() const {
  std::vector<std::string> paths;
  const auto names = disk_->ListDirectory(kDirectory);
  for (const std::string& name : *names) {
    if (absl::StartsWith(name, "segment-") && absl::EndsWith(name, ".log")) {
      paths.push_back(absl::StrCat(kDirectory, "/", name));
    }
  }
  return paths;
}

void SimNode::LoseNewestSegment() {
  CHECK(!up());
  const std::vector<std::string> paths = SegmentPaths();
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    const bool blank =
        disk_->Content(*path).find_first_not_of('\0') == std::string::npos;
    world_.trace->Add(absl::StrCat("lose ", *path), id_.value());
    CHECK(disk_->RemoveFile(*path).ok());
    if (!blank) return;
  }
}

void SimNode::FlipBitOfLastWrite() {
  CHECK(!up());
  const std::string path = SegmentPaths().back();
  const std::string content = disk_->Content(path);
  uint64_t number = 0;
  uint64_t last_begin = 0;
  std::optional<FrameHeader> frame;
  for (uint64_t at = 0, segment = 0; at < content.size();) {
    frame = DecodeFrameHeader(absl::string_view(content).substr(at));
    if (!frame || frame->offset != at) break;
    if (at == 0) segment = frame->segment;
    if (frame->segment != segment || frame->batch < number) break;
    const bool begins = frame->batch > number;
    number = frame->batch;
    if (begins && frame->kind != FrameKind::kMark) last_begin = at;
    at = frame->last_of_batch ? RoundUp(frame->end(), kBatchAlignment)
                              : frame->end();
  }
  world_.trace->Add(absl::StrCat("flip a bit of ", path), id_.value(),
                    last_begin);
  disk_->FlipBit(path, last_begin + 8, 0);
}

int SimNode::FlipBits(int bits) {
  CHECK(!up());
  std::vector<std::string> synced = SegmentPaths();
  // The newest file, and the end of the one before it when the newest is
  // blank, may hold writes that nothing vouches for.
  if (synced.size() < 3) return 0;
  synced.resize(synced.size() - 2);
  for (int i = 0; i < bits; ++i) {
    const std::string& path = synced[world_.random->Below(synced.size())];
    const uint64_t offset = world_.random->Below(disk_->Content(path).size());
    world_.trace->Add(absl::StrCat("flip a bit of ", path), id_.value(),
                      offset);
    disk_->FlipBit(path, offset, static_cast<int>(world_.random->Below(8)));
  }
  return bits;
}

void SimNode::Pause(Micros duration) {
  world_.trace->Add("pause", id_.value(), duration);
  paused_until_ = std::max(paused_until_, world_.events->now() + duration);
}

void SimNode::EndFaults() {
  disk_->SetFreeBytes(options_.disk_bytes);
  disk_->FailSync(-1);
  disk_->FailWrite(-1);
  state_->EndFaults();
  paused_until_ = std::min(paused_until_, world_.events->now());
}

// --- running ---

void SimNode::Later(Micros time, absl::AnyInvocable<void()> run) {
  world_.events->At(
      time, [this, life = life_number_, run = std::move(run)]() mutable {
        if (life_number_ != life || !up()) return;
        if (world_.events->now() < paused_until_) {
          // The pause may end early.
          return Later(
              std::min(paused_until_, world_.events->now() + 20 * kMillisecond),
              std::move(run));
        }
        run();
      });
}

void SimNode::Wake() {
  if (!up()) return;
  ScheduleLoop(world_.events->now() +
               static_cast<Micros>(world_.random->Between(
                   1, static_cast<uint64_t>(speeds_.loop_max))));
}

void SimNode::ScheduleLoop(Micros time) {
  if (life_->loop_due != 0 && life_->loop_due <= time) return;
  life_->loop_due = time;
  Later(time, [this, time] { RunLoop(time); });
}

void SimNode::RunLoop(Micros time) {
  if (life_->loop_due != time) return;  // Another one came first.
  life_->loop_due = 0;
  life_->loop->RunOnce();
  ScheduleLoop(world_.events->now() +
               absl::ToInt64Microseconds(options_.loop.tick));
  ScheduleThreads();
  StopIfFatal();
}

template <typename Thread>
void SimNode::ScheduleThread(bool Life::*scheduled, Thread& thread, Micros low,
                             Micros high) {
  if ((*life_).*scheduled || !thread.HasWork()) return;
  (*life_).*scheduled = true;
  const Micros delay = static_cast<Micros>(world_.random->Between(
      static_cast<uint64_t>(low), static_cast<uint64_t>(high)));
  Later(world_.events->now() + delay, [this, scheduled, &thread] {
    (*life_).*scheduled = false;
    thread.RunOnce();
    Wake();
    ScheduleThreads();
    StopIfFatal();
  });
}

void SimNode::ScheduleThreads() {
  ScheduleThread(&Life::writer_scheduled, *life_->writer, speeds_.sync_min,
                 speeds_.sync_max);
  ScheduleThread(&Life::applier_scheduled, *life_->applier, 1,
                 speeds_.apply_max);
  ScheduleThread(&Life::catch_up_scheduled, *life_->catch_up, kMillisecond,
                 options_.pull_delay_max);
}

void SimNode::StopIfFatal() {
  if (!up() || !life_->fatal) return;
  world_.trace->Add(absl::StrCat("fatal: ", life_->fatal->ToString()),
                    id_.value());
  Crash(Stop::kKill);
  stopped_itself_ = true;
  if (on_fatal_) on_fatal_(this);
}

void SimNode::DescribeDisk() {
  NodeReport about;
  about.node = id_;
  // 0 would mean "not looked yet".
  about.disk_free_bytes =
      std::max<uint64_t>(1, disk_->FreeBytes(kDirectory).value());
  life_->loop->DescribeSelf(about);
  Later(world_.events->now() + 500 * kMillisecond, [this] { DescribeDisk(); });
}

void SimNode::ScheduleFlush() {
  const Micros delay = static_cast<Micros>(world_.random->Between(
      10 * kMillisecond, static_cast<uint64_t>(options_.flush_period_max)));
  Later(world_.events->now() + delay, [this] {
    CHECK(state_->Flush().ok());
    ScheduleFlush();
  });
}

void SimNode::Receive(Envelope envelope) {
  if (!up()) return;
  life_->loop->Receive(std::move(envelope));
  Wake();
}

void SimNode::ConnectionLost(NodeId peer) {
  if (!up()) return;
  life_->loop->ConnectionLost(peer);
  Wake();
}

}  // namespace trireme::sim
