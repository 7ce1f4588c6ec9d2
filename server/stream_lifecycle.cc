#include "server/stream_lifecycle.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "spdlog/spdlog.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr absl::Duration kPeriod = absl::Milliseconds(200);
constexpr absl::Duration kBackoffMin = absl::Milliseconds(100);
constexpr absl::Duration kBackoffMax = absl::Seconds(5);
constexpr absl::Duration kStepTimeout = absl::Seconds(10);

bool IsMoving(const Stream& stream) {
  return stream.status == StreamStatus::kCreating ||
         stream.status == StreamStatus::kDeleting;
}

// One command a group: its shards of the stream opened, or dropped.
absl::btree_map<GroupId, v1::Command> ShardCommands(const Stream& stream) {
  absl::btree_map<GroupId, v1::Command> commands;
  for (const Shard& shard : stream.shards) {
    v1::Command& command = commands[shard.group];
    if (stream.status == StreamStatus::kDeleting) {
      command.mutable_drop_shards()->set_stream_id(stream.id.value());
      command.mutable_drop_shards()->add_shards(shard.index.value());
      continue;
    }
    v1::OpenShardsCommand& open = *command.mutable_open_shards();
    open.set_stream_id(stream.id.value());
    open.set_retention_hours(stream.retention_hours);
    v1::ShardToOpen& opened = *open.add_shards();
    opened.set_shard(shard.index.value());
    opened.set_created_s(shard.created_s);
  }
  return commands;
}

}  // namespace

void StreamLifecycle::Start() { Tick(); }

void StreamLifecycle::Tick() {
  RunOnce();
  timers_->After(kPeriod, [this] { Tick(); });
}

void StreamLifecycle::OnApplied(const CommittedEntry& entry,
                                const ApplyResult&) {
  if (entry.group == kMetaGroup && entry.has_payload) RunSoon();
}

void StreamLifecycle::OnStateReplaced(GroupId group) {
  if (group == kMetaGroup) RunSoon();
}

void StreamLifecycle::RunSoon() {
  {
    absl::MutexLock lock(&mu_);
    changed_ = true;
    if (soon_) return;
    soon_ = true;
  }
  // Not here: this is the applier's thread.
  timers_->After(absl::ZeroDuration(), [this] { RunOnce(); });
}

void StreamLifecycle::RunOnce() {
  const bool leads = replicas_->LeaderOf(kMetaGroup) == replicas_->self();
  std::vector<StreamPtr> due;
  {
    absl::MutexLock lock(&mu_);
    soon_ = false;
    // Whoever begins to lead looks at everything.
    if (leads && !led_) changed_ = true;
    led_ = leads;
    if (!leads) return;
    due = TakeDue();
  }
  for (const StreamPtr& stream : due) DriveShards(stream);
}

std::vector<StreamLifecycle::StreamPtr> StreamLifecycle::TakeDue() {
  std::vector<StreamPtr> due;
  if (!changed_ && drives_.empty()) return due;
  changed_ = false;
  const absl::Duration now = clock_->MonotonicNow();
  absl::flat_hash_map<StreamId, Drive> still;
  for (StreamPtr& stream : catalog_->List("", catalog_->stream_count())) {
    if (!IsMoving(*stream)) continue;
    Drive drive = drives_[stream->id];
    if (!drive.in_flight && drive.retry_at <= now) {
      drive.in_flight = true;
      due.push_back(stream);
    }
    still[stream->id] = drive;
  }
  // What is in flight is remembered until its replies are here.
  for (const auto& [id, drive] : drives_) {
    if (drive.in_flight) still.try_emplace(id, drive);
  }
  drives_ = std::move(still);
  return due;
}

void StreamLifecycle::DriveShards(const StreamPtr& stream) {
  const auto commands = ShardCommands(*stream);
  {
    absl::MutexLock lock(&mu_);
    Drive& drive = drives_[stream->id];
    drive.replies_due = commands.size();
    drive.failed = false;
  }
  for (const auto& [group, command] : commands) {
    Propose(group, command.SerializeAsString(),
            [this, stream](const absl::Status& status) {
              OnShards(stream, status);
            });
  }
}

void StreamLifecycle::OnShards(const StreamPtr& stream,
                               const absl::Status& status) {
  bool failed = false;
  {
    absl::MutexLock lock(&mu_);
    Drive& drive = drives_[stream->id];
    drive.failed = drive.failed || !status.ok();
    if (--drive.replies_due > 0) return;
    failed = drive.failed;
  }
  if (!status.ok()) {
    spdlog::warn(
        "stream {}: its shards could not be {}: {}", stream->name,
        stream->status == StreamStatus::kDeleting ? "dropped" : "opened",
        std::string(status.message()));
  }
  if (failed) return EndRound(stream->id, false);
  FinishStream(stream);
}

void StreamLifecycle::FinishStream(const StreamPtr& stream) {
  v1::Command command;
  if (stream->status == StreamStatus::kDeleting) {
    command.mutable_remove_stream()->set_stream_id(stream->id.value());
  } else {
    command.mutable_activate_stream()->set_stream_id(stream->id.value());
  }
  Propose(kMetaGroup, command.SerializeAsString(),
          [this, stream](const absl::Status& status) {
            if (status.ok()) {
              spdlog::info("stream {} is {}", stream->name,
                           stream->status == StreamStatus::kDeleting
                               ? "removed"
                               : "active");
            }
            EndRound(stream->id, status.ok());
          });
}

void StreamLifecycle::EndRound(StreamId stream, bool ok) {
  absl::MutexLock lock(&mu_);
  Drive& drive = drives_[stream];
  drive.in_flight = false;
  changed_ = true;
  if (ok) {
    drive.failures = 0;
    // The catalogue here may not show it yet; that is no reason to repeat it.
    drive.retry_at = clock_->MonotonicNow() + kBackoffMin;
    return;
  }
  const int doublings = std::min(drive.failures++, 10);
  drive.retry_at = clock_->MonotonicNow() +
                   std::min(kBackoffMin * (1 << doublings), kBackoffMax);
}

void StreamLifecycle::Propose(
    GroupId group, std::string command,
    absl::AnyInvocable<void(const absl::Status&)> done) {
  auto body = std::make_shared<ProposalBody>();
  body->command = std::move(command);
  replicas_->Propose({group, std::move(body), kStepTimeout,
                      [done = std::move(done)](ProposalOutcome out) mutable {
                        done(out.status);
                      }});
}

}  // namespace trireme
