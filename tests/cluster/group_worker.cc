// A worker of a consumer group that writes down what it processes, for tests
// that kill and pause it: one line a record, in the file of its own, written
// before the next one is begun.
//
//   group_worker ENDPOINTS STREAM GROUP WORKER_ID FILE LEASE_MS push|poll
//
// ENDPOINTS: HOST:PORT, comma-separated. A line: nanoseconds of the machine's
// monotonic clock, shard, sequence number. Ends with SIGTERM.
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/consumer.h"

namespace trireme {
namespace {

int64_t MonotonicNanos() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class Recorder : public client::RecordProcessor {
 public:
  Recorder(int file, std::string shard_id)
      : file_(file), shard_id_(std::move(shard_id)) {}

  absl::Status Process(const client::RecordBatch& batch,
                       client::Checkpointer& checkpointer) override {
    for (const client::UserRecord& record : batch.records) {
      // One that was paused for longer than its lease does nothing more.
      if (!checkpointer.holds_lease()) return absl::AbortedError("lease lost");
      const std::string line =
          absl::StrCat(MonotonicNanos(), " ", shard_id_, " ",
                       record.position.sequence_number, "\n");
      if (write(file_, line.data(), line.size()) !=
          static_cast<ssize_t>(line.size())) {
        return absl::InternalError("cannot write");
      }
    }
    return absl::OkStatus();
  }

 private:
  const int file_;
  const std::string shard_id_;
};

int Run(char** arguments) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  client::ClientOptions options;
  options.endpoints = absl::StrSplit(arguments[1], ',');
  auto client = client::Client::Create(options);
  const int file = open(arguments[5], O_WRONLY | O_APPEND | O_CREAT, 0644);
  if (!client.ok() || file < 0) return 1;
  client::ConsumerOptions consumer;
  consumer.stream_name = arguments[2];
  consumer.group_name = arguments[3];
  consumer.worker_id = arguments[4];
  consumer.lease_duration = absl::Milliseconds(atoi(arguments[6]));
  consumer.hand_off_timeout = absl::Seconds(5);
  consumer.reading.mode = std::string(arguments[7]) == "poll"
                              ? client::ReadMode::kPoll
                              : client::ReadMode::kPush;
  consumer.reading.poll_interval = absl::Milliseconds(100);
  consumer.on_error = [](absl::string_view shard, const absl::Status& status) {
    std::fprintf(stderr, "%s %s\n", std::string(shard).c_str(),
                 status.ToString().c_str());
  };
  client::Consumer running(
      **client, consumer, [file](const client::ShardLease& lease) {
        return std::make_unique<Recorder>(file, lease.shard_id);
      });
  int signal = 0;
  sigwait(&ends, &signal);
  running.Stop();
  return 0;
}

}  // namespace
}  // namespace trireme

int main(int count, char** arguments) {
  return count == 8 ? trireme::Run(arguments) : 2;
}
