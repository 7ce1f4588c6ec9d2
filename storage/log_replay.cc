#include "storage/log_replay.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// A segment file with what its first frame says.
struct Segment {
  SegmentFile file;
  std::optional<SegmentStart> start{};
  uint64_t first_batch = 0;  // When there is a start.
};

class LogReplay {
 public:
  LogReplay(std::vector<SegmentFile> files, uint64_t newest) : newest_(newest) {
    for (SegmentFile& file : files) segments_.push_back({.file = file});
  }

  absl::StatusOr<ReplayedLog> Run() {
    if (!segments_.empty()) {
      log_.next_segment = segments_.back().file.id + 1;
      RETURN_IF_ERROR(ReadStarts());
      DropSuperseded();
      DropUnneeded();
      for (size_t i = 0; i < segments_.size() && log_.damage.ok(); ++i)
        RETURN_IF_ERROR(ReplaySegment(i));
    }
    if (log_.damage.ok() && log_.previous_segment < newest_) NewestIsMissing();
    return std::move(log_);
  }

 private:
  // What lies behind the last whole batch of a segment.
  struct Remains {
    uint64_t latest_batch = 0;  // 0: nothing of this segment.
    uint64_t end = 0;
  };

  absl::Status ReadStarts();
  void DropSuperseded();
  void DropUnneeded();
  absl::Status ReplaySegment(size_t i);
  bool FollowsInChain(size_t i);
  absl::Status ReplayUnstarted(size_t i);
  absl::Status ReplayBatches(size_t i, uint64_t* end, uint64_t* last_begin,
                             uint64_t* bad_offset);
  absl::Status Apply(SegmentScan& scan, const ScannedBatch& batch);
  void ApplyStart(const SegmentStart& start);
  bool HandsOver(size_t i, uint64_t end) const;
  absl::StatusOr<Remains> FindRemains(SegmentScan& scan, uint64_t offset);
  absl::Status Damaged(size_t i, uint64_t offset, absl::string_view what);
  void NewestIsMissing();
  absl::Status MergeBeyond(size_t i, uint64_t offset);
  void DropUnfounded();
  void AllRecover();
  void Merge(const LogHardState& state);

  bool IsLast(size_t i) const { return i + 1 == segments_.size(); }

  const uint64_t newest_;  // Set at construction.
  std::vector<Segment> segments_;
  ReplayedLog log_;
};

// The last segment's start counts only with its whole first batch: before
// that batch was synced, nothing was done on the strength of it.
absl::Status LogReplay::ReadStarts() {
  for (size_t i = 0; i < segments_.size(); ++i) {
    Segment& segment = segments_[i];
    SegmentScan scan(segment.file);
    ASSIGN_OR_RETURN(segment.start, scan.ReadStart());
    if (segment.start) {
      ASSIGN_OR_RETURN(const auto header, scan.HeaderAt(0));
      segment.first_batch = header->batch;
      if (IsLast(i)) {
        ASSIGN_OR_RETURN(const ScannedBatch batch,
                         scan.ReadBatch(0, header->batch));
        if (!batch.complete) segment.start.reset();
      }
    }
  }
  return absl::OkStatus();
}

// A repair is always the last segment until the files it replaces are gone.
void LogReplay::DropSuperseded() {
  const Segment& last = segments_.back();
  if (!last.start || !last.start->repair) return;
  const uint64_t after = last.start->previous_segment;
  const uint64_t before = last.file.id;
  std::erase_if(segments_, [&](const Segment& segment) {
    const bool gone = segment.file.id > after && segment.file.id < before;
    if (gone) log_.superseded.push_back(segment.file.id);
    return gone;
  });
}

void LogReplay::DropUnneeded() {
  uint64_t oldest = segments_.front().file.id;
  for (const Segment& segment : segments_)
    if (segment.start) oldest = segment.start->oldest_segment;
  while (segments_.front().file.id < oldest) {
    log_.unneeded.push_back(segments_.front().file.id);
    segments_.erase(segments_.begin());
  }
  if (segments_.front().file.id == oldest) {
    if (!segments_.front().start) return;
    // Nothing before is needed; take its word for where it follows on.
    log_.previous_segment = segments_.front().start->previous_segment;
    log_.previous_end = segments_.front().start->previous_end;
    log_.next_batch = segments_.front().first_batch;
  } else {
    // Makes the chain fail at its first link.
    log_.previous_segment = oldest;
    log_.previous_end = 0;
  }
}

absl::Status LogReplay::ReplaySegment(size_t i) {
  if (!segments_[i].start) return ReplayUnstarted(i);
  if (!FollowsInChain(i))
    return Damaged(i, 0,
                   absl::StrCat("it does not follow on segment ",
                                log_.previous_segment, ", which ends at ",
                                log_.previous_end, ": a file is missing"));
  log_.next_batch = segments_[i].first_batch;
  uint64_t end = 0, last_begin = 0, bad_offset = 0;
  RETURN_IF_ERROR(ReplayBatches(i, &end, &last_begin, &bad_offset));
  const Segment& segment = segments_[i];
  if (HandsOver(i, end)) {
    log_.previous_segment = segment.file.id;
    log_.previous_end = end;
    return absl::OkStatus();
  }
  SegmentScan scan(segment.file);
  ASSIGN_OR_RETURN(const Remains remains, FindRemains(scan, end));
  // The next batch was never begun before this one was synced, and the next
  // file was never made before all of this one was.
  const uint64_t synced = IsLast(i) ? log_.next_batch + 1 : log_.next_batch;
  if (remains.latest_batch >= synced)
    return Damaged(i, bad_offset,
                   absl::StrCat("frames up to batch ", remains.latest_batch,
                                " lie behind it"));
  if (!IsLast(i) && segments_[i + 1].start &&
      segments_[i + 1].start->previous_segment == segment.file.id)
    return Damaged(i, bad_offset,
                   absl::StrCat("the next segment says that this one ends at ",
                                segments_[i + 1].start->previous_end));
  if (segment.file.bytes != segment.start->file_bytes)
    return Damaged(i, std::min(end, segment.file.bytes),
                   absl::StrCat("the file has ", segment.file.bytes,
                                " bytes, not ", segment.start->file_bytes));
  log_.previous_segment = segment.file.id;
  log_.previous_end = end;
  if (IsLast(i)) {
    log_.tail = {segment.file.id, last_begin, end, remains.end};
    log_.tail_was_cut = remains.latest_batch != 0;
  }
  return absl::OkStatus();
}

bool LogReplay::FollowsInChain(size_t i) {
  const Segment& segment = segments_[i];
  return segment.start->previous_segment == log_.previous_segment &&
         segment.start->previous_end == log_.previous_end &&
         (segment.first_batch == log_.next_batch ||
          (segment.start->repair && segment.first_batch > log_.next_batch));
}

// A segment without a valid start is the blank or torn last one, or damaged.
absl::Status LogReplay::ReplayUnstarted(size_t i) {
  const Segment& segment = segments_[i];
  if (!IsLast(i)) return Damaged(i, 0, "its start frame is bad");
  if (i == 0 && segment.file.id != 1)
    return Damaged(i, 0, "its start frame is bad and no segment precedes it");
  // Segments get their names when they have their size.
  if (segment.file.bytes == 0 || segment.file.bytes % kBatchAlignment != 0)
    return Damaged(i, 0,
                   absl::StrCat("the file has ", segment.file.bytes, " bytes"));
  if (segment.file.id <= newest_)
    return Damaged(i, 0, "its first batch, which was synced, is bad");
  SegmentScan scan(segment.file);
  ASSIGN_OR_RETURN(const Remains remains, FindRemains(scan, 0));
  if (remains.latest_batch > log_.next_batch)
    return Damaged(i, 0,
                   absl::StrCat("frames up to batch ", remains.latest_batch,
                                " lie behind its start"));
  log_.blank = segment.file.id;
  log_.tail_was_cut = remains.latest_batch != 0;
  log_.next_segment = segment.file.id;
  return absl::OkStatus();
}

absl::Status LogReplay::ReplayBatches(size_t i, uint64_t* end,
                                      uint64_t* last_begin,
                                      uint64_t* bad_offset) {
  SegmentScan scan(segments_[i].file);
  while (true) {
    ASSIGN_OR_RETURN(const ScannedBatch batch,
                     scan.ReadBatch(*end, log_.next_batch));
    *bad_offset = batch.bad_offset;
    if (!batch.complete) break;
    RETURN_IF_ERROR(Apply(scan, batch));
    *last_begin = batch.begin;
    *end = batch.end;
    ++log_.next_batch;
  }
  log_.bytes_read += scan.bytes_read();
  return absl::OkStatus();
}

absl::Status LogReplay::Apply(SegmentScan& scan, const ScannedBatch& batch) {
  for (const FrameHeader& frame : batch.frames) {
    switch (frame.kind) {
      case FrameKind::kEntry:
        log_.index.Append(frame.group, frame.index, PositionOf(frame));
        break;
      case FrameKind::kHardState:
        log_.hard_states[frame.group] = HardStateOf(frame);
        break;
      case FrameKind::kCut:
        log_.index.CutAfter(frame.group, frame.index);
        break;
      case FrameKind::kSegmentStart: {
        ASSIGN_OR_RETURN(const auto start, scan.ReadStart());
        if (start) ApplyStart(*start);
        break;
      }
      case FrameKind::kMark:
        break;
    }
  }
  return absl::OkStatus();
}

void LogReplay::ApplyStart(const SegmentStart& start) {
  for (const SegmentStart::Group& group : start.groups) {
    log_.hard_states[group.hard_state.group] = group.hard_state;
    log_.index.Trim(group.hard_state.group, group.trim);
  }
}

// True when the next segment says that this one ends where we think it does.
bool LogReplay::HandsOver(size_t i, uint64_t end) const {
  if (IsLast(i) || !segments_[i + 1].start) return false;
  const SegmentStart& next = *segments_[i + 1].start;
  return next.previous_segment == segments_[i].file.id &&
         next.previous_end == end;
}

absl::StatusOr<LogReplay::Remains> LogReplay::FindRemains(SegmentScan& scan,
                                                          uint64_t offset) {
  Remains remains;
  RETURN_IF_ERROR(scan.VisitHeaders(offset, [&](const FrameHeader& header) {
    remains.latest_batch = std::max(remains.latest_batch, header.batch);
    remains.end = header.payload_offset();
    return absl::OkStatus();
  }));
  return remains;
}

absl::Status LogReplay::Damaged(size_t i, uint64_t offset,
                                absl::string_view what) {
  const SegmentFile& file = segments_[i].file;
  log_.damage = absl::DataLossError(absl::StrCat(
      "the log is damaged at offset ", offset, " of ", file.path, ": ", what));
  log_.first_damaged = file.id;
  RETURN_IF_ERROR(MergeBeyond(i, offset));
  DropUnfounded();
  AllRecover();
  return absl::OkStatus();
}

// What is here is whole, and ends too early.
void LogReplay::NewestIsMissing() {
  log_.damage = absl::DataLossError(
      absl::StrCat("the log ends with segment ", log_.previous_segment,
                   ", but batches were synced in segment ", newest_,
                   ": its file is missing"));
  log_.first_damaged = log_.previous_segment + 1;
  log_.tail.reset();
  log_.tail_was_cut = false;
  AllRecover();
}

// What was synced and is lost may be anything of any group.
void LogReplay::AllRecover() {
  for (const auto& [id, group] : log_.index.groups())
    log_.hard_states.try_emplace(id, LogHardState{.group = id});
  for (auto& [id, state] : log_.hard_states) state.recovering = true;
}

// Entries behind the damage are dropped, since what they follow on may be
// lost. Terms and votes are promises: whatever is still readable is kept.
absl::Status LogReplay::MergeBeyond(size_t i, uint64_t offset) {
  for (; i < segments_.size(); ++i, offset = 0) {
    SegmentScan scan(segments_[i].file);
    RETURN_IF_ERROR(scan.VisitHeaders(offset, [&](const FrameHeader& header) {
      log_.next_batch = std::max(log_.next_batch, header.batch + 1);
      if (header.kind == FrameKind::kHardState) Merge(HardStateOf(header));
      // Whoever stored an entry of a term had reached that term.
      if (header.kind == FrameKind::kEntry)
        Merge({.group = header.group, .term = header.term});
      return absl::OkStatus();
    }));
    ASSIGN_OR_RETURN(const auto start, scan.ReadStart());
    if (!start) continue;
    for (const SegmentStart::Group& group : start->groups) {
      Merge(group.hard_state);
      log_.index.Trim(group.hard_state.group, group.trim);
    }
  }
  return absl::OkStatus();
}

// Files may have been recycled because entries behind the damage replaced
// what they held. What is left of such a group starts in mid-air.
void LogReplay::DropUnfounded() {
  for (const auto& [id, group] : log_.index.groups())
    if (!group.entries.empty() && group.first > group.trim + 1)
      log_.unfounded.push_back(id);
  for (const GroupId id : log_.unfounded) log_.index.CutAfter(id, 0);
}

void LogReplay::Merge(const LogHardState& state) {
  LogHardState& merged =
      log_.hard_states
          .try_emplace(state.group, LogHardState{.group = state.group})
          .first->second;
  if (state.term > merged.term) {
    merged.term = state.term;
    merged.vote = state.vote;
  } else if (state.term == merged.term && state.vote.value() != 0) {
    merged.vote = state.vote;
  }
}

}  // namespace

absl::StatusOr<ReplayedLog> ReplayLog(std::vector<SegmentFile> segments,
                                      uint64_t newest) {
  return LogReplay(std::move(segments), newest).Run();
}

}  // namespace trireme
