#include "client/cli/shard_program.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/format.h"

namespace trireme::cli {
namespace {

using client::Checkpointer;
using client::RecordPosition;

// How often the program is looked after.
constexpr absl::Duration kTick = absl::Milliseconds(50);
constexpr absl::Duration kIdleTick = absl::Seconds(1);
constexpr size_t kLinesPerWrite = 64;
constexpr size_t kSequenceNumberDigits = 56;
// A line that is longer is passed on in pieces. The largest record is shorter.
constexpr size_t kLineBytesMax = 32u << 20;

bool IsSequenceNumber(absl::string_view text) {
  return text.size() == kSequenceNumberDigits &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

std::vector<std::string> EnvironmentOf(const client::ShardLease& lease) {
  return {"TRIREME_STREAM=" + lease.stream_name,
          "TRIREME_GROUP=" + lease.group_name,
          "TRIREME_WORKER_ID=" + lease.worker_id,
          "TRIREME_SHARD_ID=" + lease.shard_id};
}

absl::Status Interrupted() {
  return absl::CancelledError("the shard is to be given up");
}

}  // namespace

std::optional<Acknowledgement> ParseAcknowledgement(absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  if (IsSequenceNumber(line)) return Acknowledgement{std::string(line), {}};
  if (line.empty() || line.front() != '{') return std::nullopt;
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const auto number = json.find("SequenceNumber");
  if (number == json.end() || !number->is_string()) return std::nullopt;
  Acknowledgement ack{number->get<std::string>(), {}};
  if (!IsSequenceNumber(ack.sequence_number)) return std::nullopt;
  const auto sub = json.find("SubSequenceNumber");
  if (sub == json.end()) return ack;
  if (!sub->is_number_unsigned()) return std::nullopt;
  ack.sub_sequence_number = sub->get<uint64_t>();
  return ack;
}

ShardProgram::ShardProgram(const ProgramOptions& options,
                           const ProgramHooks& hooks,
                           const client::ShardLease& lease)
    : options_(options),
      hooks_(hooks),
      shard_id_(lease.shard_id),
      environment_(EnvironmentOf(lease)),
      next_checkpoint_(absl::Now() + options.checkpoint_interval),
      pause_(options.restart_pause, options.restart_pause_max) {}

absl::Status ShardProgram::Process(const client::RecordBatch& batch,
                                   Checkpointer& checkpointer) {
  for (const client::UserRecord& record : batch.records) {
    std::string line = Dump(RecordJson(shard_id_, record), false) + "\n";
    while (!HasRoomFor(line.size())) {
      if (!Turn(checkpointer, kTick)) return Interrupted();
    }
    given_bytes_ += line.size();
    given_.push_back({record.position, std::move(line)});
  }
  while (HasUnwritten()) {
    if (!Turn(checkpointer, kTick)) return Interrupted();
  }
  return Turn(checkpointer, absl::ZeroDuration()) ? absl::OkStatus()
                                                  : Interrupted();
}

absl::Time ShardProgram::NextWakeUp() const {
  const bool idle =
      program_ != nullptr && given_.empty() && acknowledged_ == checkpointed_;
  return absl::Now() + (idle ? kIdleTick : kTick);
}

absl::Status ShardProgram::OnShardEnd(Checkpointer& checkpointer) {
  phase_ = Phase::kShardEnd;
  const absl::Time told_at = absl::Now() + options_.hand_off_timeout;
  bool told = false;
  while (!given_.empty()) {
    if (program_ != nullptr && !HasUnwritten()) program_->CloseInput();
    if (!Turn(checkpointer, kTick)) return Interrupted();
    if (!told && absl::Now() >= told_at && !given_.empty()) {
      told = true;
      hooks_.tell(shard_id_, absl::StrCat("the shard has ended; the program "
                                          "has not acknowledged its last ",
                                          Counted(given_.size(), "record")));
    }
  }
  EndProgram(absl::Now() + options_.hand_off_timeout, &checkpointer);
  const absl::Status flushed = hooks_.flush();
  if (!flushed.ok()) GiveUp(flushed);
  return flushed;
}

void ShardProgram::OnHandOff(Checkpointer& checkpointer) {
  phase_ = Phase::kLeaving;
  EndProgram(absl::Now() + options_.hand_off_timeout, &checkpointer);
  MaybeCheckpoint(checkpointer, absl::InfiniteFuture());
  TellNotCheckpointed();
}

void ShardProgram::OnLeaseLost() {
  phase_ = Phase::kLeaving;
  EndProgram(absl::Now(), nullptr);
  TellNotCheckpointed();
}

bool ShardProgram::Turn(Checkpointer& checkpointer, absl::Duration wait) {
  if (gave_up_.cancelled() || checkpointer.is_ending()) return false;
  Pump(wait, checkpointer.holds_lease());
  MaybeCheckpoint(checkpointer, absl::Now());
  return !gave_up_.cancelled();
}

// --- the program ---

void ShardProgram::Pump(absl::Duration wait, bool may_write) {
  if (program_ == nullptr && !StartProgram(wait)) return;
  may_write = may_write && HasUnwritten();
  program_->Await(may_write, wait);
  if (may_write) WriteSome();
  ReadSome();
  const std::optional<ProcessEnd> end = program_->End();
  if (end.has_value()) OnEnd(*end);
}

// False: it does not run, and `wait` has passed or something went wrong.
bool ShardProgram::StartProgram(absl::Duration wait) {
  if (phase_ == Phase::kLeaving) return false;
  const absl::Duration pause = start_at_ - absl::Now();
  if (pause > absl::ZeroDuration()) {
    gave_up_.WaitFor(std::min(pause, wait));
    return false;
  }
  auto started = ChildProcess::Start(options_.command, environment_);
  if (!started.ok()) {
    Restart(absl::StrCat("the program cannot be started: ",
                         started.status().message()));
    return false;
  }
  program_ = *std::move(started);
  written_ = offset_ = 0;
  input_bytes_ = done_bytes_ = 0;
  output_.clear();
  told_unknown_ = false;
  return true;
}

bool ShardProgram::HasRoomFor(size_t bytes) const {
  return given_.empty() || (given_.size() < options_.records_max &&
                            given_bytes_ + bytes <= options_.bytes_max);
}

size_t ShardProgram::WritableEnd() const {
  if (phase_ != Phase::kLeaving) return given_.size();
  // No new record, but the rest of one that is begun.
  return written_ + (offset_ > 0 ? 1 : 0);
}

void ShardProgram::WriteSome() {
  for (bool more = true; more && HasUnwritten();) {
    std::vector<absl::string_view> pieces;
    size_t bytes = 0;
    const size_t end = std::min(WritableEnd(), written_ + kLinesPerWrite);
    for (size_t i = written_; i < end; ++i) {
      pieces.push_back(given_[i].line);
      if (i == written_) pieces.back().remove_prefix(offset_);
      bytes += pieces.back().size();
    }
    const size_t wrote = program_->Write(pieces);
    more = wrote == bytes;
    input_bytes_ += wrote;
    offset_ += wrote;
    while (written_ < end && offset_ >= given_[written_].line.size()) {
      offset_ -= given_[written_].line.size();
      ++written_;
    }
  }
}

void ShardProgram::ReadSome() {
  if (options_.ack == AckMode::kRead) AcknowledgeRead();
  const size_t before = output_.size();  // Without the end of a line.
  if (!program_->Read(&output_)) return;
  size_t begin = 0;
  for (size_t end = output_.find('\n', before); end != output_.npos;
       end = output_.find('\n', begin)) {
    TakeLine(absl::string_view(output_).substr(begin, end + 1 - begin));
    begin = end + 1;
  }
  output_.erase(0, begin);
  if (output_.size() > kLineBytesMax) {
    hooks_.print(std::exchange(output_, ""));
  }
  const absl::Status flushed = hooks_.flush();
  if (!flushed.ok()) GiveUp(flushed);
}

void ShardProgram::TakeLine(absl::string_view line) {
  if (options_.ack == AckMode::kLines) {
    if (const auto ack = ParseAcknowledgement(line)) return Acknowledge(*ack);
  }
  hooks_.print(line);
}

// --- acknowledgements ---

void ShardProgram::Acknowledge(const Acknowledgement& ack) {
  const RecordPosition to{ack.sequence_number,
                          ack.sub_sequence_number.value_or(0)};
  if (acknowledged_.has_value() && to <= *acknowledged_ &&
      ack.sub_sequence_number.has_value()) {
    return;  // Again.
  }
  size_t count = 0;
  bool known = acknowledged_.has_value() &&
               to.sequence_number <= acknowledged_->sequence_number;
  for (; count < written_; ++count) {
    const RecordPosition& position = given_[count].position;
    if (position.sequence_number == to.sequence_number &&
        !ack.sub_sequence_number.has_value()) {
      // One line for each of those that share the number will do.
      ++count;
      known = true;
      break;
    }
    if (position > to) break;
  }
  // It lies before something that was given, or is the last of that.
  known = known || count < written_ ||
          (count > 0 && given_[count - 1].position == to);
  if (known) return AcknowledgeFirst(count);
  if (std::exchange(told_unknown_, true)) return;
  hooks_.tell(shard_id_,
              absl::StrCat("the program acknowledged ", ack.sequence_number,
                           ", which it was not given; ignored"));
}

void ShardProgram::AcknowledgeRead() {
  const uint64_t read = input_bytes_ - program_->UnreadBytes();
  size_t count = 0;
  uint64_t bytes = done_bytes_;
  while (count < written_ && bytes + given_[count].line.size() <= read) {
    bytes += given_[count++].line.size();
  }
  AcknowledgeFirst(count);
}

void ShardProgram::AcknowledgeFirst(size_t count) {
  if (count == 0) return;
  acknowledged_ = given_[count - 1].position;
  for (size_t i = 0; i < count; ++i) {
    done_bytes_ += given_.front().line.size();
    given_bytes_ -= given_.front().line.size();
    given_.pop_front();
  }
  written_ -= count;
  restarts_ = 0;
  pause_.Reset();
  not_checkpointed_ += count;
  hooks_.on_acknowledged(count);
}

void ShardProgram::MaybeCheckpoint(Checkpointer& checkpointer,
                                   absl::Time when) {
  if (acknowledged_ == checkpointed_ || when < next_checkpoint_ ||
      !checkpointer.holds_lease()) {
    return;
  }
  next_checkpoint_ = absl::Now() + options_.checkpoint_interval;
  const absl::Status flushed = hooks_.flush();
  if (!flushed.ok()) return GiveUp(flushed);
  const absl::Status status = checkpointer.Checkpoint(*acknowledged_);
  if (status.ok()) {
    checkpointed_ = acknowledged_;
    not_checkpointed_ = 0;
    checkpoint_error_.clear();
  } else if (checkpointer.holds_lease() &&
             checkpoint_error_ != status.message()) {
    checkpoint_error_ = std::string(status.message());
    hooks_.tell(shard_id_, absl::StrCat("checkpoint: ", checkpoint_error_,
                                        "; trying again"));
  }
}

void ShardProgram::TellNotCheckpointed() {
  if (not_checkpointed_ == 0) return;
  hooks_.tell(
      shard_id_,
      absl::StrCat(Counted(not_checkpointed_, "record"),
                   " that the program acknowledged could not be checkpointed "
                   "and will be given again"));
  hooks_.on_not_checkpointed(not_checkpointed_);
}

// --- its end ---

void ShardProgram::OnEnd(const ProcessEnd& end) {
  ReadSome();              // It reads more than a pipe holds.
  if (!output_.empty()) {  // A last line that does not end.
    output_ += '\n';
    TakeLine(std::exchange(output_, ""));
  }
  program_.reset();
  const size_t unacknowledged = std::exchange(written_, 0);
  offset_ = 0;
  if (phase_ == Phase::kRunning ||
      (phase_ == Phase::kShardEnd && !given_.empty())) {
    return Restart(absl::StrCat("the program ended with ", end.ToString()));
  }
  if (end.ok() && unacknowledged == 0) return;
  std::string message = absl::StrCat("the program ended with ", end.ToString());
  if (unacknowledged > 0) {
    absl::StrAppend(&message, " and did not acknowledge the last ",
                    Counted(unacknowledged, "record"),
                    " that it was given, to be given again");
  }
  hooks_.tell(shard_id_, message);
}

void ShardProgram::Restart(const std::string& why) {
  if (options_.restarts_max.has_value() &&
      restarts_ >= *options_.restarts_max) {
    return GiveUp(absl::AbortedError(
        absl::StrCat(shard_id_, ": ", why, "; it was started ",
                     Counted(static_cast<uint64_t>(restarts_) + 1, "time"),
                     " in a row and acknowledged nothing")));
  }
  ++restarts_;
  hooks_.on_restart();
  const absl::Duration pause = pause_.Next();
  start_at_ = absl::Now() + pause;
  std::string message =
      absl::StrCat(why, "; a new one is started in ", DurationText(pause));
  if (!given_.empty()) {
    absl::StrAppend(&message, " and gets ", Counted(given_.size(), "record"),
                    " again");
  }
  hooks_.tell(shard_id_, message);
}

// The program reads the end of its input and has until `by`; then it is told,
// then made to end. `checkpointer`: null when the lease is lost.
void ShardProgram::EndProgram(absl::Time by, Checkpointer* checkpointer) {
  const auto await_end = [&](absl::Time until, bool needs_lease) {
    do {
      const bool holds = checkpointer != nullptr && checkpointer->holds_lease();
      if (needs_lease && !holds) return;
      if (program_ != nullptr && !HasUnwritten()) program_->CloseInput();
      if (program_ != nullptr) Pump(kTick, holds);
      if (holds) MaybeCheckpoint(*checkpointer, absl::Now());
    } while (program_ != nullptr && absl::Now() < until);
  };
  await_end(by, true);
  if (program_ == nullptr) return;
  program_->CloseInput();
  program_->Signal(SIGTERM);
  await_end(absl::Now() + options_.kill_after, false);
  if (program_ == nullptr) return;
  hooks_.tell(shard_id_, "the program did not end; it is killed");
  program_.reset();
}

void ShardProgram::GiveUp(const absl::Status& reason) {
  gave_up_.Cancel();
  hooks_.give_up(reason);
}

}  // namespace trireme::cli
