#include "client/shard_batches.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace trireme::client {
namespace {

constexpr absl::Duration kCheckpointPause = absl::Seconds(1);
// How often a waiting caller looks if the lease is to be given up: nobody
// tells.
constexpr absl::Duration kEndingPoll = absl::Milliseconds(100);

}  // namespace

ShardBatches::ShardBatches(BatchOptions options, EventFilter filter,
                           ShardLease lease,
                           const BatchFunctionFactory& functions)
    : options_(std::move(options)),
      filter_(std::move(filter)),
      lease_(std::move(lease)) {
  const size_t lanes = static_cast<size_t>(options_.parallelization_factor);
  for (size_t i = 0; i < lanes; ++i) {
    functions_.push_back(functions(lease_));
    lanes_.push_back(std::make_unique<BatchLane>(options_, lease_));
  }
  if (!parallel()) return;
  for (size_t i = 0; i < lanes; ++i) {
    threads_.emplace_back([this, i] { RunLane(i); });
  }
}

ShardBatches::~ShardBatches() { StopLanes(); }

bool ShardBatches::Ending() const {
  Checkpointer* const checkpointer = checkpointer_;
  return lost_ || (checkpointer != nullptr &&
                   (checkpointer->is_ending() || !checkpointer->holds_lease()));
}

absl::Status ShardBatches::Process(const RecordBatch& batch,
                                   Checkpointer& checkpointer) {
  checkpointer_ = &checkpointer;
  {
    absl::MutexLock lock(&mu_);
    // Until they are taken: a window must not end while its records wait here.
    if (!batch.records.empty()) lanes_.front()->SetCaughtUp(false);
    NoteChange();
  }
  if (!parallel()) WorkAll();
  const bool takes = batch.records.empty() || WorkUntil(&ShardBatches::HasRoom);
  if (takes && !batch.records.empty()) {
    Take(batch);
    if (!parallel()) WorkAll();
  }
  MaybeCheckpoint();
  if (takes) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("shard ", lease_.shard_id,
                   " takes no more records until a batch that failed is done"));
}

void ShardBatches::WorkAll() {
  while (Work(0)) {
  }
}

bool ShardBatches::WorkUntil(Condition condition) {
  if (!parallel()) {
    WorkAll();
    absl::MutexLock lock(&mu_);
    return (this->*condition)();
  }
  while (true) {
    const bool ending = Ending();
    const absl::Time now = Now();
    absl::MutexLock lock(&mu_);
    if ((this->*condition)()) return true;
    if (ending || !Moves(now)) return false;
    changed_.WaitWithTimeout(&mu_, kEndingPoll);
  }
}

bool ShardBatches::HasRoom() const {
  size_t records = 0;
  uint64_t bytes = 0;
  for (const auto& lane : lanes_) {
    records += lane->records();
    bytes += lane->bytes();
  }
  return records < lanes_.size() * static_cast<size_t>(options_.batch_size) &&
         bytes < lanes_.size() * options_.batch_bytes_max &&
         positions_.size() < kPositionsMax;
}

bool ShardBatches::Moves(absl::Time now) const {
  return under_way_ > 0 ||
         std::any_of(lanes_.begin(), lanes_.end(),
                     [now](const auto& lane) { return lane->due_at() <= now; });
}

bool ShardBatches::Idle() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const auto& lane) { return lane->idle(); });
}

void ShardBatches::Take(const RecordBatch& batch) {
  std::vector<bool> passes;
  passes.reserve(batch.records.size());
  for (const UserRecord& record : batch.records) {
    passes.push_back(filter_.Matches(record));
  }
  const absl::Time now = Now();
  absl::MutexLock lock(&mu_);
  for (size_t i = 0; i < batch.records.size(); ++i) {
    const UserRecord& record = batch.records[i];
    if (passes[i]) {
      const uint64_t number = positions_.Add(record.position);
      lanes_[LaneOf(record)]->Add(number, record, now);
    } else {
      positions_.AddDone(record.position);
    }
  }
  lanes_.front()->SetCaughtUp(batch.behind_latest <= absl::ZeroDuration());
  NoteDone();
  NoteChange();
}

size_t ShardBatches::LaneOf(const UserRecord& record) const {
  if (!parallel()) return 0;
  // Those without a key have no order to keep.
  const size_t hash = record.partition_key.empty()
                          ? absl::HashOf(record.position.sequence_number,
                                         record.position.sub_sequence_number)
                          : absl::HashOf(record.partition_key);
  return hash % lanes_.size();
}

bool ShardBatches::Work(size_t lane) {
  if (Ending()) return false;
  const absl::Time now = Now();
  BatchLane::Work work;
  {
    absl::MutexLock lock(&mu_);
    if (stopping_) return false;
    work = lanes_[lane]->Next(now);
    if (std::holds_alternative<std::monostate>(work)) return false;
    ++under_way_;
  }
  if (const Batch* const batch = std::get_if<Batch>(&work)) {
    Call(lane, *batch);
  } else {
    Discard(lane, std::get<DiscardedBatch>(work));
  }
  MaybeCheckpoint();
  return true;
}

void ShardBatches::Call(size_t lane, const Batch& batch) {
  BatchResult result = functions_[lane]->Handle(batch);
  const absl::Time now = Now();
  absl::MutexLock lock(&mu_);
  NoteFinished(lanes_[lane]->OnResult(std::move(result), now));
}

void ShardBatches::Discard(size_t lane, const DiscardedBatch& batch) {
  const absl::Status sent = options_.failure_destination == nullptr
                                ? absl::OkStatus()
                                : options_.failure_destination->Send(batch);
  const absl::Time now = Now();
  absl::MutexLock lock(&mu_);
  NoteFinished(lanes_[lane]->OnDiscarded(sent, now));
}

void ShardBatches::NoteFinished(const BatchLane::Finished& finished) {
  --under_way_;
  for (const uint64_t number : finished) positions_.Finish(number);
  NoteDone();
  NoteChange();
}

void ShardBatches::NoteDone() {
  // With tumbling windows there is one lane.
  if (!lanes_.front()->in_window()) done_ = positions_.done();
}

void ShardBatches::NoteChange() {
  ++changes_;
  changed_.SignalAll();
}

void ShardBatches::RunLane(size_t lane) {
  while (true) {
    uint64_t seen = 0;
    {
      absl::MutexLock lock(&mu_);
      if (stopping_) return;
      seen = changes_;
    }
    if (Work(lane)) continue;
    MaybeCheckpoint();
    AwaitWork(lane, seen);
  }
}

void ShardBatches::AwaitWork(size_t lane, uint64_t changes_seen) {
  const bool ending = Ending();
  const absl::Time now = Now();
  absl::MutexLock lock(&mu_);
  if (changes_ != changes_seen || stopping_) return;
  const absl::Time due =
      ending ? absl::InfiniteFuture()
             : std::min(lanes_[lane]->due_at(), CheckpointDueAt(now));
  if (due > now) changed_.WaitWithTimeout(&mu_, due - now);
}

void ShardBatches::StopLanes() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    NoteChange();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

absl::Time ShardBatches::NextWakeUp() const {
  if (Ending()) return absl::InfiniteFuture();
  const absl::Time now = Now();
  absl::MutexLock lock(&mu_);
  const absl::Time checkpoint = CheckpointDueAt(now);
  // Lanes with threads wake up by themselves.
  return parallel() ? checkpoint
                    : std::min(checkpoint, lanes_.front()->due_at());
}

absl::Status ShardBatches::OnShardEnd(Checkpointer& checkpointer) {
  checkpointer_ = &checkpointer;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& lane : lanes_) lane->Flush();
    NoteChange();
  }
  const bool idle = WorkUntil(&ShardBatches::Idle);
  // A lane's checkpoint must not come after the consumer's, of the end.
  if (idle) StopLanes();
  MaybeCheckpoint();
  if (idle) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("shard ", lease_.shard_id,
                                             " has batches that are not done"));
}

void ShardBatches::OnHandOff(Checkpointer& checkpointer) {
  checkpointer_ = &checkpointer;
  StopLanes();
  {
    absl::MutexLock lock(&mu_);
    checkpoint_at_ = absl::InfinitePast();
    checkpoint_again_at_ = absl::InfinitePast();
  }
  MaybeCheckpoint();
}

void ShardBatches::OnLeaseLost() { lost_ = true; }

absl::Time ShardBatches::CheckpointDueAt(absl::Time now) const {
  if (checkpointing_ || done_ == checkpointed_) return absl::InfiniteFuture();
  return Moves(now) ? std::max(checkpoint_at_, checkpoint_again_at_)
                    : checkpoint_again_at_;
}

// One thread at a time, so that checkpoints only go forward.
void ShardBatches::MaybeCheckpoint() {
  Checkpointer* const checkpointer = checkpointer_;
  while (checkpointer != nullptr && !lost_ && checkpointer->holds_lease()) {
    const absl::Time now = Now();
    RecordPosition position;
    {
      absl::MutexLock lock(&mu_);
      if (CheckpointDueAt(now) > now) return;
      position = *done_;
      checkpointing_ = true;
    }
    const absl::Status status = checkpointer->Checkpoint(position);
    if (absl::IsFailedPrecondition(status)) lost_ = true;
    absl::MutexLock lock(&mu_);
    checkpointing_ = false;
    if (status.ok()) {
      checkpointed_ = position;
      checkpoint_at_ = now + kCheckpointPeriod;
    } else {
      checkpoint_again_at_ = now + kCheckpointPause;
    }
  }
}

}  // namespace trireme::client
