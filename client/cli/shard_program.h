// Has a program process a shard: gives it the records as lines of JSON, and
// checkpoints what it acknowledges (docs/consumer-groups.md). The program runs
// as long as the lease is held; one that ends before is started anew, and gets
// what it had not acknowledged.
//
// Owned by a ShardConsumer, whose thread does everything: each call writes,
// reads and looks after the program, and NextWakeUp asks for the next one soon.
#ifndef TRIREME_CLIENT_CLI_SHARD_PROGRAM_H_
#define TRIREME_CLIENT_CLI_SHARD_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/backoff.h"
#include "client/cancellation.h"
#include "client/cli/child_process.h"
#include "client/record_processor.h"

namespace trireme::cli {

// What tells that a record is processed.
enum class AckMode {
  kLines,  // The program prints its number.
  kRead,   // The program has read it.
};

struct ProgramOptions {
  std::vector<std::string> command;  // Begins with the program's path.
  AckMode ack = AckMode::kLines;
  // What is given and not acknowledged, at most; one record may exceed it.
  size_t records_max = 1'000;
  size_t bytes_max = 8u << 20;
  // How long the program may take to end when its input has ended, and then
  // when it was sent SIGTERM.
  absl::Duration hand_off_timeout = absl::Seconds(30);
  absl::Duration kill_after = absl::Seconds(2);
  absl::Duration checkpoint_interval = absl::Seconds(1);
  // Before a new program is started; doubles while nothing is acknowledged.
  absl::Duration restart_pause = absl::Milliseconds(200);
  absl::Duration restart_pause_max = absl::Seconds(30);
  // In a row, without an acknowledgement between. None: without end.
  std::optional<int> restarts_max;
};

// What the programs of all shards have in common. Called on any thread.
struct ProgramHooks {
  // Lines that a program printed and that are not for us.
  std::function<void(absl::string_view lines)> print;
  // OK when all that was printed is where it belongs. Asked before a
  // checkpoint.
  std::function<absl::Status()> flush;
  std::function<void(absl::string_view shard_id, const std::string& message)>
      tell;
  std::function<void(uint64_t records)> on_acknowledged;
  // The shard is given up and so many records that were acknowledged are not
  // checkpointed: they are given again.
  std::function<void(uint64_t records)> on_not_checkpointed;
  std::function<void()> on_restart;
  // The worker is to end, for this reason.
  std::function<void(const absl::Status& reason)> give_up;
};

// {"SequenceNumber": "49…", "SubSequenceNumber": 3}, or the number alone.
struct Acknowledgement {
  std::string sequence_number;
  std::optional<uint64_t> sub_sequence_number;
};
// None: the line is something else.
std::optional<Acknowledgement> ParseAcknowledgement(absl::string_view line);

class ShardProgram : public client::RecordProcessor {
 public:
  // Options and hooks must outlive it.
  ShardProgram(const ProgramOptions& options, const ProgramHooks& hooks,
               const client::ShardLease& lease);

  // Returns when all is written.
  absl::Status Process(const client::RecordBatch& batch,
                       client::Checkpointer& checkpointer) override;
  absl::Time NextWakeUp() const override;
  // Returns when all is acknowledged and the program has ended.
  absl::Status OnShardEnd(client::Checkpointer& checkpointer) override;
  void OnHandOff(client::Checkpointer& checkpointer) override;
  void OnLeaseLost() override;

 private:
  enum class Phase {
    kRunning,
    kShardEnd,  // Nothing more comes for the program.
    kLeaving,   // Nor is it started again.
  };
  // One that is not acknowledged.
  struct Given {
    client::RecordPosition position;
    std::string line;
  };

  // One step, with `wait` at most to wait in it. False: it is time to return.
  bool Turn(client::Checkpointer& checkpointer, absl::Duration wait);
  void Pump(absl::Duration wait, bool may_write);
  bool StartProgram(absl::Duration wait);
  void WriteSome();
  void ReadSome();
  void TakeLine(absl::string_view line);
  void Acknowledge(const Acknowledgement& ack);
  void AcknowledgeRead();
  void AcknowledgeFirst(size_t count);
  void OnEnd(const ProcessEnd& end);
  void Restart(const std::string& why);
  void MaybeCheckpoint(client::Checkpointer& checkpointer, absl::Time when);
  void TellNotCheckpointed();
  void EndProgram(absl::Time by, client::Checkpointer* checkpointer);
  void GiveUp(const absl::Status& reason);

  bool HasRoomFor(size_t bytes) const;
  // How many of the records given may be written to the program now.
  size_t WritableEnd() const;
  bool HasUnwritten() const { return written_ < WritableEnd(); }

  // Set at construction.
  const ProgramOptions& options_;
  const ProgramHooks& hooks_;
  const std::string shard_id_;
  const std::vector<std::string> environment_;

  Phase phase_ = Phase::kRunning;
  client::Cancellation gave_up_;
  std::deque<Given> given_;
  size_t given_bytes_ = 0;
  std::optional<client::RecordPosition> acknowledged_;
  std::optional<client::RecordPosition> checkpointed_;
  uint64_t not_checkpointed_ = 0;  // Of what is acknowledged.
  absl::Time next_checkpoint_;
  std::string checkpoint_error_;  // That was told; empty: it works.

  // Of the program that runs now; null: none.
  std::unique_ptr<ChildProcess> program_;
  size_t written_ = 0;        // Of given_, wholly.
  size_t offset_ = 0;         // Bytes of the one behind these.
  uint64_t input_bytes_ = 0;  // All that it was written.
  uint64_t done_bytes_ = 0;   // Of these, what is not in given_ any more.
  std::string output_;        // A line that is not complete.
  bool told_unknown_ = false;

  absl::Time start_at_;
  client::Backoff pause_;
  int restarts_ = 0;  // In a row.
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_SHARD_PROGRAM_H_
