#include "client/shard_consumer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/aggregation.h"
#include "client/error.h"
#include "client/lease_clock.h"
#include "client/status_macros.h"
#include "client/unpack.h"

namespace trireme::client {
namespace {

constexpr char kLeaseLost[] = "LeaseLostException";
constexpr char kInvalidArgument[] = "InvalidArgumentException";
constexpr char kCall[] = "Checkpoint";
// How long one look for a shard's tip may take.
constexpr absl::Duration kTipTimeout = absl::Seconds(5);
// Of what was said before: a load that differs by less is not told.
constexpr double kLoadChangeMin = 0.1;

absl::Status LeaseLost(absl::string_view shard_id) {
  return MakeError(absl::StatusCode::kFailedPrecondition, kLeaseLost, kCall,
                   absl::StrCat("another worker has the lease of ", shard_id,
                                ", or may have by now"));
}

std::optional<RecordPosition> PositionOf(const v1::ShardPosition& position) {
  if (position.kind() != v1::ShardPosition::SEQUENCE_NUMBER) {
    return std::nullopt;
  }
  return RecordPosition{position.sequence_number(),
                        position.sub_sequence_number()};
}

absl::Status StatusOf(const v1::LeaseResult& result,
                      absl::string_view shard_id) {
  if (result.error_code().empty()) return absl::OkStatus();
  if (result.error_code() == kLeaseLost) return LeaseLost(shard_id);
  const auto code = result.error_code() == "LimitExceededException"
                        ? absl::StatusCode::kResourceExhausted
                        : absl::StatusCode::kInvalidArgument;
  return MakeError(code, result.error_code(), kCall, result.error_message());
}

}  // namespace

ShardConsumer::ShardConsumer(std::shared_ptr<const ShardContext> context,
                             v1::WorkerHandle worker,
                             const v1::WorkerLease& lease,
                             absl::Duration held_until)
    : context_(std::move(context)),
      worker_(std::move(worker)),
      counter_(lease.lease_counter()),
      start_(lease.details().checkpoint()),
      range_(ParseHashKeyRange(lease.details().hash_key_range())),
      skip_to_(PositionOf(start_)),
      held_until_(held_until),
      checkpointed_(skip_to_),
      load_at_(LeaseNow()) {
  lease_.stream_name = context_->stream_name;
  lease_.group_name = context_->group_name;
  lease_.worker_id = context_->worker_id;
  lease_.shard_id = lease.shard_id();
  lease_.checkpoint = skip_to_;
  if (lease.details().has_pending_checkpoint()) {
    lease_.pending_checkpoint =
        PositionOf(lease.details().pending_checkpoint());
    lease_.pending_state = lease.details().pending_state();
  }
  progress_.shard_id = lease_.shard_id;
  thread_ = std::thread([this] { Run(); });
}

ShardConsumer::~ShardConsumer() {
  Lose();
  AwaitEnd();
}

// --- Consumer's side ---

void ShardConsumer::Renew(absl::Duration held_until) {
  absl::MutexLock lock(&mu_);
  held_until_ = held_until;
}

void ShardConsumer::HandOff(absl::Duration by) {
  absl::MutexLock lock(&mu_);
  if (mode_ == Mode::kRunning || mode_ == Mode::kEnding) {
    mode_ = Mode::kHandOff;
    hand_off_by_ = by;
  }
  if (source_ != nullptr) source_->Interrupt();
}

void ShardConsumer::End() {
  absl::MutexLock lock(&mu_);
  if (mode_ == Mode::kRunning) mode_ = Mode::kEnding;
  if (source_ != nullptr) source_->Interrupt();
}

bool ShardConsumer::Lose() {
  absl::MutexLock lock(&mu_);
  // It may have ended because a checkpoint was refused.
  if (ended_ && mode_ != Mode::kLost) return false;
  StopProcessing();
  return !std::exchange(loss_told_, true);
}

void ShardConsumer::StopProcessing() {
  mode_ = Mode::kLost;
  if (source_ != nullptr) source_->Interrupt();
}

bool ShardConsumer::ended() const {
  absl::MutexLock lock(&mu_);
  return ended_;
}

std::optional<RecordPosition> ShardConsumer::ToCheckpoint() const {
  if (context_->reading.checkpoint == CheckpointMode::kExplicit) {
    return std::nullopt;
  }
  absl::MutexLock lock(&mu_);
  if (ended_ || checkpoints_itself_ || !Held() ||
      progress_.processed == checkpointed_) {
    return std::nullopt;
  }
  return progress_.processed;
}

void ShardConsumer::OnCheckpoint(const RecordPosition& position,
                                 const v1::LeaseResult& result) {
  const absl::Status status = StatusOf(result, lease_.shard_id);
  if (Reason(status) == kLeaseLost) {
    bool is_news = false;
    {
      absl::MutexLock lock(&mu_);
      is_news = mode_ != Mode::kLost && !ended_;
    }
    // It may have ended, or been released, while this was under way.
    if (is_news) context_->on_change();
    return;
  }
  absl::MutexLock lock(&mu_);
  // One that lies behind a checkpoint of the processor's own was overtaken.
  NoteCheckpoint(position);
}

void ShardConsumer::NoteCheckpoint(const RecordPosition& position) {
  if (!checkpointed_.has_value() || *checkpointed_ < position) {
    checkpointed_ = position;
  }
}

ShardProgress ShardConsumer::progress() const {
  absl::MutexLock lock(&mu_);
  ShardProgress progress = progress_;
  if (in_hand_since_.has_value()) {
    const absl::Duration age = absl::Now() - *in_hand_since_;
    progress.behind_latest = progress.behind_latest == absl::InfiniteDuration()
                                 ? age
                                 : std::max(progress.behind_latest, age);
  }
  return progress;
}

std::optional<uint64_t> ShardConsumer::TakeLoad(absl::Duration now) {
  const double seconds = absl::ToDoubleSeconds(now - load_at_);
  if (seconds < 0.1) return std::nullopt;
  uint64_t bytes = 0;
  {
    absl::MutexLock lock(&mu_);
    bytes = progress_.bytes;
    // A long batch is not idleness: it counts when it is done.
    if (bytes == load_bytes_ && in_hand_since_.has_value()) return std::nullopt;
  }
  const double rate = static_cast<double>(bytes - load_bytes_) / seconds;
  load_ = (load_ + rate) / 2;
  load_bytes_ = bytes;
  load_at_ = now;
  const auto load = static_cast<uint64_t>(std::llround(load_));
  const double told = static_cast<double>(load_told_);
  if (std::abs(load_ - told) <= kLoadChangeMin * told) return std::nullopt;
  load_told_ = load;
  return load;
}

// --- the thread ---

void ShardConsumer::Run() {
  processor_ = context_->factory(lease_);
  {
    absl::MutexLock lock(&mu_);
    checkpoints_itself_ = processor_->checkpoints_itself();
  }
  if (AwaitHeld() && OpenSource()) Consume();
  Finish();
  // Before the lease is anybody else's to tell of: they may take long to end.
  processor_.reset();
  SetSource(nullptr);
  const bool releases = !at_end_ && !was_lost();
  if (releases) Release();
  {
    absl::MutexLock lock(&mu_);
    ended_ = true;
  }
  context_->on_change();
}

// However it came to that.
void ShardConsumer::Finish() {
  if (at_end_) return;
  if (!holds_lease()) return processor_->OnLeaseLost();
  processor_->OnHandOff(*this);
  const auto position = ToCheckpoint();
  if (!position.has_value()) return;
  const absl::Status status = Checkpoint(*position);
  if (!status.ok()) context_->on_error(lease_.shard_id, status);
}

void ShardConsumer::Consume() {
  while (AwaitHeld()) {
    const absl::Time wake_up = processor_->NextWakeUp();
    RecordSource* source = nullptr;
    {
      absl::MutexLock lock(&mu_);
      source = source_.get();
    }
    absl::StatusOr<std::optional<RecordPage>> page = source->Next(wake_up);
    if (!AwaitHeld()) return;
    if (!page.ok()) {
      context_->on_error(lease_.shard_id, page.status());
      if (!Pause(backoff_.Next()) || !OpenSource()) return;
      continue;
    }
    if (page->has_value()) {
      const bool at_end = (*page)->at_end;
      Take(**std::move(page));
      if (at_end && EndShard()) return;
    } else if (absl::Now() >= wake_up) {
      RecordBatch none;
      none.behind_latest = progress().behind_latest;
      Process(none);
    }
  }
}

// Where the last record that was processed is, or the lease begins.
bool ShardConsumer::OpenSource() {
  while (AwaitHeld()) {
    const absl::StatusOr<v1::StartingPosition> from = FindStart();
    if (from.ok()) {
      SetSource(MakeSource(*from));
      return true;
    }
    context_->on_error(lease_.shard_id, from.status());
    if (!Pause(backoff_.Next())) return false;
  }
  return false;
}

std::unique_ptr<RecordSource> ShardConsumer::MakeSource(
    const v1::StartingPosition& from) {
  const ReadingOptions& reading = context_->reading;
  const ShardStart start{lease_.stream_name, lease_.shard_id, from,
                         [this](const absl::Status& status) {
                           context_->on_error(lease_.shard_id, status);
                         }};
  if (reading.mode == ReadMode::kPush) {
    return PushFrom(context_->client, start, reading.buffer_bytes_max);
  }
  return PollFrom(context_->client, start, reading.records_max,
                  reading.poll_interval);
}

// The former one ends outside the lock: that waits for its thread.
void ShardConsumer::SetSource(std::unique_ptr<RecordSource> source) {
  absl::ReleasableMutexLock lock(&mu_);
  source_.swap(source);
  lock.Release();
}

absl::StatusOr<v1::StartingPosition> ShardConsumer::FindStart() {
  const ShardProgress now = progress();
  if (now.processed.has_value()) skip_to_ = now.processed;
  // It may be within an aggregated record.
  if (skip_to_.has_value()) return AtSequenceNumber(skip_to_->sequence_number);
  switch (start_.kind()) {
    case v1::ShardPosition::AT_TIMESTAMP: {
      v1::StartingPosition from;
      from.set_type(v1::AT_TIMESTAMP);
      *from.mutable_timestamp() = start_.timestamp();
      return from;
    }
    case v1::ShardPosition::LATEST: {
      // Found once: what comes while it cannot be checkpointed is not skipped.
      if (!tip_.has_value()) {
        CLIENT_ASSIGN_OR_RETURN(
            tip_, FindTip(context_->client, lease_.stream_name, lease_.shard_id,
                          absl::Now() + kTipTimeout));
      }
      if (tip_->empty()) return FromLatest();  // It is closed already.
      // Whoever has the lease next must not begin later.
      const RecordPosition position{*tip_, 0};
      CLIENT_RETURN_IF_ERROR(Send(CheckpointAt(position)));
      absl::MutexLock lock(&mu_);
      skip_to_ = checkpointed_ = position;
      return AtSequenceNumber(*tip_);
    }
    default:
      return FromTrimHorizon();
  }
}

// Processed before the shard was opened.
bool ShardConsumer::IsDone(const UserRecord& record) const {
  if (!skip_to_.has_value()) return false;
  // An aggregated record that is not unpacked may be done in part.
  const bool is_part =
      !context_->reading.unpack && skip_to_->sub_sequence_number > 0;
  return is_part ? record.position.sequence_number < skip_to_->sequence_number
                 : record.position <= *skip_to_;
}

void ShardConsumer::Take(RecordPage page) {
  RecordBatch batch;
  const auto records_max = static_cast<size_t>(context_->reading.records_max);
  std::vector<UserRecord> unpacked;
  for (size_t i = 0; i < page.records.size(); ++i) {
    unpacked.clear();
    if (context_->reading.unpack) {
      const absl::Status status = Unpack(
          page.records[i], range_.has_value() ? &*range_ : nullptr, &unpacked);
      if (!status.ok()) {
        // Given as it is: somebody who knows better may read it.
        context_->on_error(lease_.shard_id, status);
        unpacked.push_back(AsItIs(page.records[i]));
      }
    } else {
      unpacked.push_back(AsItIs(page.records[i]));
    }
    for (UserRecord& record : unpacked) {
      if (!IsDone(record)) batch.records.push_back(std::move(record));
    }
    const bool is_last = i + 1 == page.records.size();
    if (batch.records.empty()) continue;
    if (!is_last && batch.records.size() < records_max) continue;
    batch.behind_latest = page.behind_latest;
    if (!Process(batch)) return;
    batch.records.clear();
  }
  absl::MutexLock lock(&mu_);
  in_hand_since_.reset();
  progress_.behind_latest = page.behind_latest;
}

// Until it is processed. False: the lease is not held any more.
bool ShardConsumer::Process(const RecordBatch& batch) {
  while (AwaitHeld()) {
    if (!batch.records.empty()) {
      absl::MutexLock lock(&mu_);
      given_ = accepted_ = batch.records.back().position;
      in_hand_since_ = batch.records.front().approximate_arrival_timestamp;
    }
    const absl::Status status = processor_->Process(batch, *this);
    if (status.ok()) {
      backoff_.Reset();
      OnProcessed(batch);
      return true;
    }
    {
      absl::MutexLock lock(&mu_);
      ++progress_.process_errors;
      accepted_ = progress_.processed;
    }
    context_->on_error(lease_.shard_id, status);
    const absl::Duration pause = backoff_.Next();
    const absl::Duration to_wake_up = processor_->NextWakeUp() - absl::Now();
    const bool sooner = to_wake_up > absl::ZeroDuration() && to_wake_up < pause;
    if (!Pause(sooner ? to_wake_up : pause)) return false;
  }
  return false;
}

void ShardConsumer::OnProcessed(const RecordBatch& batch) {
  if (batch.records.empty()) return;
  uint64_t bytes = 0;
  for (const UserRecord& record : batch.records) bytes += record.bytes();
  absl::MutexLock lock(&mu_);
  progress_.records += batch.records.size();
  progress_.bytes += bytes;
  progress_.behind_latest = batch.behind_latest;
  progress_.processed = batch.records.back().position;
}

// False when it is to end. Waits while the lease is neither known to be held
// nor to be lost.
bool ShardConsumer::AwaitHeld() {
  absl::MutexLock lock(&mu_);
  while (mode_ == Mode::kRunning && !Held()) {
    mu_.AwaitWithTimeout(absl::Condition(this, &ShardConsumer::NotRunning),
                         absl::Milliseconds(100));
  }
  return mode_ == Mode::kRunning;
}

bool ShardConsumer::Pause(absl::Duration pause) {
  absl::MutexLock lock(&mu_);
  return !mu_.AwaitWithTimeout(
      absl::Condition(this, &ShardConsumer::NotRunning), pause);
}

// True when the end is checkpointed.
bool ShardConsumer::EndShard() {
  while (AwaitHeld()) {
    absl::Status status;
    if (!end_processed_) status = processor_->OnShardEnd(*this);
    end_processed_ = status.ok();
    if (status.ok()) {
      v1::ShardCheckpoint checkpoint = MakeCheckpoint();
      checkpoint.mutable_checkpoint()->set_kind(v1::ShardPosition::SHARD_END);
      status = Send(std::move(checkpoint));
    }
    at_end_ = status.ok();
    if (at_end_) return true;
    context_->on_error(lease_.shard_id, status);
    if (!Pause(backoff_.Next())) return false;
  }
  return false;
}

// --- checkpoints ---

bool ShardConsumer::Held() const {
  return mode_ != Mode::kLost &&
         LeaseNow() < std::min(held_until_, hand_off_by_);
}

bool ShardConsumer::holds_lease() const {
  absl::MutexLock lock(&mu_);
  return Held();
}

bool ShardConsumer::was_lost() const {
  absl::MutexLock lock(&mu_);
  return mode_ == Mode::kLost;
}

bool ShardConsumer::is_ending() const {
  absl::MutexLock lock(&mu_);
  return mode_ != Mode::kRunning;
}

absl::Status ShardConsumer::CheckMayCheckpoint(
    const RecordPosition& position) const {
  absl::MutexLock lock(&mu_);
  if (!Held()) return LeaseLost(lease_.shard_id);
  if (given_.has_value() && position <= *given_) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument, kInvalidArgument, kCall,
      absl::StrCat("position ", position.sequence_number, "/",
                   position.sub_sequence_number, " of ", lease_.shard_id,
                   " comes after the last record that was given",
                   given_.has_value()
                       ? absl::StrCat(", ", given_->sequence_number, "/",
                                      given_->sub_sequence_number)
                       : "; none was"));
}

absl::Status ShardConsumer::Checkpoint(const RecordPosition& position) {
  CLIENT_RETURN_IF_ERROR(CheckMayCheckpoint(position));
  CLIENT_RETURN_IF_ERROR(Send(CheckpointAt(position)));
  absl::MutexLock lock(&mu_);
  NoteCheckpoint(position);
  return absl::OkStatus();
}

absl::Status ShardConsumer::Checkpoint() {
  std::optional<RecordPosition> position;
  {
    absl::MutexLock lock(&mu_);
    position = accepted_;
  }
  if (!position.has_value()) return absl::OkStatus();
  return Checkpoint(*position);
}

absl::Status ShardConsumer::Prepare(const RecordPosition& position,
                                    absl::string_view state) {
  CLIENT_RETURN_IF_ERROR(CheckMayCheckpoint(position));
  v1::ShardCheckpoint checkpoint = CheckpointAt(position);
  checkpoint.set_pending(true);
  checkpoint.set_pending_state(std::string(state));
  return Send(std::move(checkpoint));
}

v1::ShardCheckpoint ShardConsumer::MakeCheckpoint() const {
  v1::ShardCheckpoint checkpoint;
  checkpoint.set_shard_id(lease_.shard_id);
  checkpoint.set_lease_counter(counter_);
  return checkpoint;
}

v1::ShardCheckpoint ShardConsumer::CheckpointAt(
    const RecordPosition& position) const {
  v1::ShardCheckpoint checkpoint = MakeCheckpoint();
  v1::ShardPosition& at = *checkpoint.mutable_checkpoint();
  at.set_kind(v1::ShardPosition::SEQUENCE_NUMBER);
  at.set_sequence_number(position.sequence_number);
  at.set_sub_sequence_number(position.sub_sequence_number);
  return checkpoint;
}

absl::Status ShardConsumer::Send(v1::ShardCheckpoint checkpoint) {
  v1::CheckpointRequest request;
  *request.mutable_worker() = worker_;
  *request.add_checkpoints() = std::move(checkpoint);
  CLIENT_ASSIGN_OR_RETURN(const v1::CheckpointResponse response,
                          context_->client.Checkpoint(request));
  if (response.results_size() != 1) {
    return absl::InternalError("a checkpoint was answered without its result");
  }
  const absl::Status status = StatusOf(response.results(0), lease_.shard_id);
  if (Reason(status) == kLeaseLost) {
    {
      absl::MutexLock lock(&mu_);
      StopProcessing();
    }
    context_->on_change();  // The next heartbeat tells the consumer.
  }
  return status;
}

void ShardConsumer::Release() {
  v1::ReleaseLeasesRequest request;
  *request.mutable_worker() = worker_;
  v1::LeaseRef& lease = *request.add_leases();
  lease.set_shard_id(lease_.shard_id);
  lease.set_lease_counter(counter_);
  const auto response = context_->client.ReleaseLeases(request);
  // Tried again with the next heartbeat.
  if (!response.ok()) context_->on_error(lease_.shard_id, response.status());
}

}  // namespace trireme::client
