#include "storage/segment_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/crc32c.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

absl::string_view BytesOf(const LogEntry& entry) {
  return entry.payload ? absl::string_view(*entry.payload)
                       : absl::string_view();
}

// What the batch's frames occupy; an empty batch is a mark.
uint64_t FramesBytes(const LogBatch& batch) {
  uint64_t bytes =
      (batch.hard_states.size() + batch.cuts.size()) * FrameBytes(0);
  for (const LogEntry& entry : batch.entries)
    bytes += FrameBytes(BytesOf(entry).size());
  return batch.empty() ? FrameBytes(0) : bytes;
}

template <typename Written>
void AddEntry(const LogEntry& entry, BatchEncoder& encoder,
              std::vector<Written>& written) {
  const FrameHeader& header = encoder.Add(EntryFrame(entry), BytesOf(entry));
  written.push_back({entry.group, entry.index, PositionOf(header)});
}

// The order is that of replay: terms and votes hold before the entries.
template <typename WrittenBatch>
void AddFrames(const LogBatch& batch, BatchEncoder& encoder,
               WrittenBatch& written) {
  for (const LogHardState& state : batch.hard_states)
    encoder.Add(HardStateFrame(state));
  for (const LogCut& cut : batch.cuts) encoder.Add(CutFrame(cut));
  written.cuts = batch.cuts;
  written.entries.reserve(batch.entries.size());
  for (const LogEntry& entry : batch.entries)
    AddEntry(entry, encoder, written.entries);
  if (batch.empty()) encoder.Add(FrameHeader{.kind = FrameKind::kMark});
}

absl::StatusOr<Payload> ReadEntry(const SegmentFile& segment, GroupId group,
                                  LogIndex index,
                                  const EntryPosition& position) {
  ASSIGN_OR_RETURN(
      std::string bytes,
      segment.file->ReadAt(position.offset(),
                           kFrameHeaderBytes + position.payload_bytes));
  const auto damaged = [&](absl::string_view what) {
    return absl::DataLossError(absl::StrCat(
        "entry ", index, " of group ", group.value(), " at offset ",
        position.offset(), " of ", segment.path, ": ", what));
  };
  if (bytes.size() != kFrameHeaderBytes + position.payload_bytes)
    return damaged("the file ends before it");
  const std::optional<FrameHeader> header = DecodeFrameHeader(bytes);
  if (!header || header->kind != FrameKind::kEntry ||
      header->segment != position.segment ||
      header->offset != position.offset() || header->group != group ||
      header->index != index || header->term != position.term ||
      header->payload_bytes != position.payload_bytes)
    return damaged("its header is damaged");
  bytes.erase(0, kFrameHeaderBytes);
  if (Crc32c(bytes) != position.payload_crc)
    return damaged("its payload is damaged");
  return MakePayload(std::move(bytes));
}

}  // namespace

SegmentLog::SegmentLog(FileSystem* file_system, const std::string& directory,
                       const SegmentLogOptions& options)
    : files_(file_system, directory, options.segment_bytes,
             options.spare_segments) {
  CHECK(options.segment_bytes > 0 &&
        options.segment_bytes % kBatchAlignment == 0);
}

SegmentLog::~SegmentLog() = default;

absl::StatusOr<std::unique_ptr<SegmentLog>> SegmentLog::Open(
    FileSystem* file_system, const std::string& directory,
    const SegmentLogOptions& options, Replay* replay) {
  std::unique_ptr<SegmentLog> log(
      new SegmentLog(file_system, directory, options));
  RETURN_IF_ERROR(log->Recover(replay));
  // Opening needs no space; the first Write() will say if there is none.
  if (const absl::Status status = log->PrepareNextSegment();
      !status.ok() && !absl::IsResourceExhausted(status))
    return status;
  return log;
}

absl::Status SegmentLog::Recover(Replay* replay) {
  ASSIGN_OR_RETURN(std::vector<SegmentFile> segments, files_.OpenAll());
  ASSIGN_OR_RETURN(ReplayedLog replayed, ReplayLog(segments, files_.newest()));
  RETURN_IF_ERROR(PutFilesInOrder(replayed, std::move(segments)));
  hard_states_ = replayed.hard_states;
  next_batch_ = replayed.next_batch;
  next_segment_ = std::max(replayed.next_segment, files_.next_id_min());
  previous_segment_ = replayed.previous_segment;
  previous_end_ = replayed.previous_end;
  if (!replayed.damage.ok()) first_damaged_ = replayed.first_damaged;
  for (const GroupId group : replayed.unfounded)
    repair_cuts_.push_back({group, 0});
  Report(replayed, replay);
  {
    absl::MutexLock lock(&mu_);
    index_ = std::move(replayed.index);
    if (replayed.tail) current_ = segments_.at(replayed.tail->segment);
  }
  if (!replayed.tail) return absl::OkStatus();
  RETURN_IF_ERROR(RefreshTail(*replayed.tail));
  // Also one that a crash kept from being recorded. Opening needs no space:
  // without any, the next segment's start makes up for it.
  const absl::Status status = files_.RecordNewest(replayed.tail->segment);
  return absl::IsResourceExhausted(status) ? absl::OkStatus() : status;
}

// Finishes what a crash may have interrupted: quarantine and recycling.
absl::Status SegmentLog::PutFilesInOrder(const ReplayedLog& replayed,
                                         std::vector<SegmentFile> segments) {
  absl::btree_map<uint64_t, SegmentFile> by_id;
  for (SegmentFile& segment : segments)
    by_id.emplace(segment.id, std::move(segment));
  for (uint64_t id : replayed.superseded) {
    RETURN_IF_ERROR(files_.Quarantine(id));
    by_id.erase(id);
  }
  for (uint64_t id : replayed.unneeded) {
    RETURN_IF_ERROR(files_.GiveBack(id, by_id.at(id).bytes));
    by_id.erase(id);
  }
  if (replayed.blank) {
    RETURN_IF_ERROR(files_.Discard(*replayed.blank));
    by_id.erase(*replayed.blank);
  }
  absl::MutexLock lock(&mu_);
  segments_ = std::move(by_id);
  return absl::OkStatus();
}

// No later batch vouches for the last one: its fsync may have been cut short,
// or have failed and left pages that only the page cache holds. Written again
// in place, it is as durable as its reader will believe. What a torn batch
// left behind it is zeroed in the same sync, so that no later batch of the
// same number can ever be completed by its remains.
absl::Status SegmentLog::RefreshTail(const ReplayedLog::Tail& tail) {
  constexpr uint64_t kPieceBytes = 1u << 20;
  for (uint64_t at = tail.last_batch_begin; at < tail.end; at += kPieceBytes) {
    ASSIGN_OR_RETURN(
        const std::string bytes,
        current_.file->ReadAt(at, std::min(kPieceBytes, tail.end - at)));
    const absl::string_view piece = bytes;
    RETURN_IF_ERROR(current_.file->WriteAt(at, {&piece, 1}));
  }
  const uint64_t stale_end =
      std::min(RoundUp(std::max(tail.stale_end, tail.end), kBatchAlignment),
               current_.bytes);
  const std::string zeros(kPieceBytes, '\0');
  for (uint64_t at = tail.end; at < stale_end; at += kPieceBytes) {
    const absl::string_view piece =
        absl::string_view(zeros).substr(0, stale_end - at);
    RETURN_IF_ERROR(current_.file->WriteAt(at, {&piece, 1}));
  }
  current_end_ = tail.end;
  return current_.file->Sync();
}

void SegmentLog::Report(const ReplayedLog& replayed, Replay* replay) const {
  *replay = Replay();
  replay->damage = replayed.damage;
  replay->tail_was_cut = replayed.tail_was_cut;
  replay->bytes_read = replayed.bytes_read;
  for (const auto& [id, state] : replayed.hard_states)
    replay->groups[id].hard_state = state;
  for (const auto& [id, group] : replayed.index.groups()) {
    ReplayedGroup& found = replay->groups[id];
    found.hard_state.group = id;
    found.trim = group.trim;
    found.entries.reserve(group.entries.size());
    LogIndex index = group.first;
    for (const EntryPosition& entry : group.entries)
      found.entries.push_back({index++, entry.term, entry.type,
                               entry.payload_crc, entry.payload_bytes});
  }
}

absl::Status SegmentLog::Fail(absl::Status status) {
  // ResourceExhausted would say that the log is still usable.
  failure_ = absl::IsResourceExhausted(status)
                 ? absl::InternalError(status.message())
                 : std::move(status);
  return failure_;
}

bool SegmentLog::HasRoomFor(uint64_t bytes) const {
  return current_.file != nullptr &&
         current_end_ + RoundUp(bytes, kBatchAlignment) <= current_.bytes;
}

absl::Status SegmentLog::Write(const LogBatch& batch) {
  RETURN_IF_ERROR(failure_);
  if (!HasRoomFor(FramesBytes(batch))) return WriteToNewSegment(batch);
  BatchEncoder encoder(current_.id, next_batch_, current_end_);
  WrittenBatch written{.segment = current_.id};
  AddFrames(batch, encoder, written);
  return WriteFrames(batch, encoder, std::move(written));
}

absl::Status SegmentLog::WriteToNewSegment(const LogBatch& batch) {
  SegmentStart start = MakeStart();
  absl::StatusOr<std::vector<LogEntry>> copies = CopiesOfDamaged();
  if (!copies.ok()) return Fail(copies.status());

  uint64_t bytes = FrameBytes(SegmentStartBytes(start.groups.size())) +
                   repair_cuts_.size() * FrameBytes(0) + FramesBytes(batch);
  for (const LogEntry& copy : *copies)
    bytes += FrameBytes(BytesOf(copy).size());
  absl::StatusOr<SegmentFile> file =
      files_.Take(next_segment_, RoundUp(bytes, kBatchAlignment));
  if (absl::IsResourceExhausted(file.status())) return file.status();
  if (!file.ok()) return Fail(file.status());

  BatchEncoder encoder(next_segment_, next_batch_, 0);
  WrittenBatch written{.segment = next_segment_,
                       .replaces_from = first_damaged_.value_or(0)};
  start.file_bytes = file->bytes;
  const std::string start_bytes = EncodeSegmentStart(start);
  encoder.Add(
      {.kind = FrameKind::kSegmentStart, .payload_crc = Crc32c(start_bytes)},
      start_bytes);
  for (const LogCut& cut : repair_cuts_) encoder.Add(CutFrame(cut));
  for (const LogEntry& copy : *copies) AddEntry(copy, encoder, written.copies);
  AddFrames(batch, encoder, written);

  ++next_segment_;
  current_ = *std::move(file);
  current_end_ = 0;
  RETURN_IF_ERROR(WriteFrames(batch, encoder, std::move(written)));
  if (absl::Status status = files_.RecordNewest(current_.id); !status.ok())
    return Fail(std::move(status));
  // Damaged files are put aside instead, and read from until Publish().
  const uint64_t recyclable =
      std::min(start.oldest_segment, first_damaged_.value_or(UINT64_MAX));
  RETURN_IF_ERROR(QuarantineDamaged());
  RecycleBelow(recyclable);
  return absl::OkStatus();
}

absl::Status SegmentLog::WriteFrames(const LogBatch& batch,
                                     BatchEncoder& encoder,
                                     WrittenBatch written) {
  absl::Status status = current_.file->WriteAt(current_end_, encoder.Finish());
  if (status.ok()) status = current_.file->Sync();
  if (!status.ok()) return Fail(std::move(status));
  current_end_ += encoder.bytes();
  ++next_batch_;
  for (const LogHardState& state : batch.hard_states)
    hard_states_[state.group] = state;
  syncs_.fetch_add(1, std::memory_order_relaxed);
  bytes_written_.fetch_add(encoder.bytes(), std::memory_order_relaxed);
  absl::MutexLock lock(&mu_);
  segments_.try_emplace(current_.id, current_);
  written_.push_back(std::move(written));
  return absl::OkStatus();
}

SegmentStart SegmentLog::MakeStart() const {
  SegmentStart start;
  start.repair = first_damaged_.has_value();
  const bool follows_current = current_.file != nullptr;
  start.previous_segment = follows_current ? current_.id : previous_segment_;
  start.previous_end = follows_current ? current_end_ : previous_end_;

  absl::flat_hash_map<GroupId, SegmentStart::Group> groups;
  for (const auto& [id, state] : hard_states_) groups[id].hard_state = state;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [id, group] : index_.groups()) {
      groups[id].hard_state.group = id;
      groups[id].trim = group.trim;
    }
    start.oldest_segment = OldestNeeded(next_segment_);
  }
  // A repair copies what it keeps of the damaged segments.
  if (first_damaged_ && start.oldest_segment >= *first_damaged_)
    start.oldest_segment = next_segment_;
  for (const auto& [id, group] : groups) start.groups.push_back(group);
  std::sort(start.groups.begin(), start.groups.end(),
            [](const auto& a, const auto& b) {
              return a.hard_state.group < b.hard_state.group;
            });
  return start;
}

absl::StatusOr<std::vector<LogEntry>> SegmentLog::CopiesOfDamaged() const {
  std::vector<LogEntry> copies;
  if (!first_damaged_) return copies;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [id, group] : index_.groups()) {
      LogIndex index = group.first;
      for (const EntryPosition& entry : group.entries) {
        if (entry.segment >= *first_damaged_)
          copies.push_back({.group = id,
                            .index = index,
                            .term = entry.term,
                            .type = entry.type,
                            .payload_crc = entry.payload_crc});
        ++index;
      }
    }
  }
  // An entry trimmed since then is simply not there any more.
  std::vector<LogEntry> read;
  for (LogEntry& copy : copies) {
    absl::StatusOr<Payload> payload = Read(copy.group, copy.index);
    if (absl::IsNotFound(payload.status())) continue;
    if (!payload.ok()) return payload.status();
    copy.payload = *std::move(payload);
    read.push_back(std::move(copy));
  }
  return read;
}

absl::Status SegmentLog::QuarantineDamaged() {
  if (!first_damaged_) return absl::OkStatus();
  std::vector<uint64_t> damaged;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [id, segment] : segments_)
      if (id >= *first_damaged_ && id < current_.id) damaged.push_back(id);
  }
  for (uint64_t id : damaged)
    if (absl::Status status = files_.Quarantine(id); !status.ok())
      return Fail(std::move(status));
  first_damaged_.reset();
  repair_cuts_.clear();
  return absl::OkStatus();
}

// The start frame that declares files below `oldest` unneeded is durable.
void SegmentLog::RecycleBelow(uint64_t oldest) {
  std::vector<SegmentFile> unneeded;
  {
    absl::MutexLock lock(&mu_);
    while (!segments_.empty() && segments_.begin()->first < oldest) {
      unneeded.push_back(std::move(segments_.begin()->second));
      segments_.erase(segments_.begin());
    }
  }
  // A file that cannot be removed costs space, not correctness: the next
  // Open() finds it again.
  for (const SegmentFile& segment : unneeded)
    files_.GiveBack(segment.id, segment.bytes).IgnoreError();
}

absl::Status SegmentLog::PrepareNextSegment() {
  RETURN_IF_ERROR(failure_);
  return files_.PrepareSpare();
}

void SegmentLog::Publish(const LogBatch& batch) {
  absl::MutexLock lock(&mu_);
  CHECK(!written_.empty(), "a batch is published that was not written");
  const WrittenBatch& written = written_.front();
  CHECK(written.entries.size() == batch.entries.size() &&
            written.cuts.size() == batch.cuts.size(),
        "batches are published in another order than written");
  for (const auto& entry : written.copies)
    index_.Move(entry.group, entry.index, entry.position);
  if (written.replaces_from != 0)
    segments_.erase(segments_.lower_bound(written.replaces_from),
                    segments_.lower_bound(written.segment));
  for (const LogCut& cut : written.cuts) index_.CutAfter(cut.group, cut.last);
  for (const auto& entry : written.entries)
    index_.Append(entry.group, entry.index, entry.position);
  written_.pop_front();
}

absl::StatusOr<Payload> SegmentLog::Read(GroupId group, LogIndex index) const {
  EntryPosition position;
  SegmentFile segment;
  {
    absl::MutexLock lock(&mu_);
    const EntryPosition* const found = index_.Find(group, index);
    if (found == nullptr)
      return absl::NotFoundError(absl::StrCat(
          "entry ", index, " of group ", group.value(), " is not in the log"));
    position = *found;
    segment = segments_.at(position.segment);
  }
  return ReadEntry(segment, group, index, position);
}

void SegmentLog::Trim(GroupId group, LogIndex index) {
  absl::MutexLock lock(&mu_);
  index_.Trim(group, index);
}

std::vector<SegmentLog::Excess> SegmentLog::FindExcess(uint64_t bytes) const {
  std::vector<Excess> excess;
  absl::MutexLock lock(&mu_);
  uint64_t newer = 0;
  uint64_t oldest = UINT64_MAX;  // The first file to keep.
  for (auto file = segments_.rbegin(); file != segments_.rend(); ++file) {
    if (newer > bytes) break;
    newer += file->second.bytes;
    oldest = file->first;
  }
  for (const auto& [group, entries] : index_.groups()) {
    const LogIndex last = index_.LastBelow(group, oldest);
    if (last > 0) excess.push_back({group, last});
  }
  return excess;
}

uint64_t SegmentLog::OldestNeeded(uint64_t none) const {
  uint64_t oldest = index_.OldestSegment(none);
  for (const WrittenBatch& written : written_)
    if (!written.entries.empty() || !written.copies.empty())
      oldest = std::min(oldest, written.segment);
  return oldest;
}

uint64_t SegmentLog::live_bytes() const {
  absl::MutexLock lock(&mu_);
  uint64_t bytes = 0;
  const uint64_t oldest = OldestNeeded(UINT64_MAX);
  for (const auto& [id, segment] : segments_)
    if (id >= oldest) bytes += segment.bytes;
  return bytes;
}

uint64_t SegmentLog::syncs() const {
  return syncs_.load(std::memory_order_relaxed);
}

uint64_t SegmentLog::bytes_written() const {
  return bytes_written_.load(std::memory_order_relaxed);
}

}  // namespace trireme
