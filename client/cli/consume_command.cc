// trireme consume: a program as a worker of a consumer group.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/cli/child_process.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/progress.h"
#include "client/cli/shard_program.h"
#include "client/consumer.h"
#include "client/error.h"

namespace trireme::cli {
namespace {

constexpr std::chrono::milliseconds kProgressInterval(200);
// So that the lag and the rate of a slow program are those of a moment ago.
constexpr int kRecordsPerBatch = 100;
constexpr absl::Duration kUpToDate = absl::Seconds(1);

std::string BehindText(const client::ConsumerMetrics& metrics) {
  if (metrics.shards.empty()) return "";
  absl::Duration behind;
  for (const client::ShardProgress& shard : metrics.shards) {
    behind = std::max(behind, shard.behind_latest);
  }
  if (behind == absl::InfiniteDuration()) return ", lag not known yet";
  return behind < kUpToDate ? ", up to date"
                            : ", " + DurationText(behind) + " behind";
}

// Of a group that is there, its own count.
struct NewGroupOptions {
  CLI::Option* from = nullptr;
  CLI::Option* lease_duration = nullptr;
  CLI::Option* hand_off_timeout = nullptr;
};

struct Options {
  client::ConsumerOptions consumer;
  NewGroupOptions of_new_group;
  ProgramOptions program;
  std::string from = "trim-horizon";
  std::string ack = "lines";
  int restarts_max = -1;  // -1: without end.
  bool poll = false;
  bool raw = false;
};

// The worker's console and its counts. Shards tell on their threads, the main
// thread draws.
class Consumption {
 public:
  Consumption(Session& session, const Options& options)
      : session_(session),
        options_(options),
        hooks_{.print = [this](absl::string_view lines) { Print(lines); },
               .flush = [this] { return Flush(); },
               .tell =
                   [this](absl::string_view shard, const std::string& message) {
                     Tell(shard, message);
                   },
               .on_acknowledged =
                   [this](uint64_t records) { acknowledged_ += records; },
               .on_not_checkpointed =
                   [this](uint64_t records) { OnNotCheckpointed(records); },
               .on_restart = [this] { ++restarts_; },
               .give_up = [this](const absl::Status& why) { GiveUp(why); }},
        progress_(session.console(), "consume", 0) {}

  int Run(client::Client& client) {
    const absl::Time start = absl::Now();
    client::ConsumerOptions options = options_.consumer;
    options.on_error = [this](absl::string_view shard,
                              const absl::Status& status) {
      OnError(shard, status);
    };
    client::Consumer consumer(client, std::move(options),
                              [this](const client::ShardLease& lease) {
                                return std::make_unique<ShardProgram>(
                                    options_.program, hooks_, lease);
                              });
    absl::Status result;
    {
      const auto stop = [&consumer] { consumer.RequestStop(); };
      const client::Cancellation::Hook on_interrupt(session_.interrupt(), stop);
      const client::Cancellation::Hook on_give_up(gave_up_, stop);
      result = Follow(consumer);
    }
    absl::MutexLock lock(&mu_);
    if (!why_.ok()) result = why_;
    const client::ConsumerMetrics metrics = consumer.metrics();
    // One that could not join has nothing to tell but why.
    if (result.ok() || metrics.leases_gained > 0) {
      Summarize(metrics, absl::Now() - start);
    }
    // Told by shard.
    if (result.ok() && not_checkpointed_at_end_ > 0) return kExitFailed;
    return result.ok() ? static_cast<int>(kExitOk) : session_.Fail(result);
  }

 private:
  absl::Status Follow(client::Consumer& consumer) {
    auto over =
        std::async(std::launch::async, [&consumer] { return consumer.Wait(); });
    while (session_.console().err_is_terminal &&
           over.wait_for(kProgressInterval) != std::future_status::ready) {
      const client::ConsumerMetrics metrics = consumer.metrics();
      absl::MutexLock lock(&mu_);
      progress_.Update(acknowledged_,
                       absl::StrCat(Counted(acknowledged_, "record"), ", ",
                                    Counted(metrics.shards.size(), "shard"),
                                    BehindText(metrics)));
    }
    absl::Status result = over.get();
    absl::MutexLock lock(&mu_);
    progress_.Finish();
    return result;
  }

  void Print(absl::string_view lines) {
    absl::MutexLock lock(&mu_);
    session_.console().out << lines;
  }
  absl::Status Flush() {
    absl::MutexLock lock(&mu_);
    session_.console().out.flush();
    if (session_.console().out.good()) return absl::OkStatus();
    return absl::AbortedError(
        "standard output takes nothing any more; what was printed there is not "
        "checkpointed");
  }
  void Tell(absl::string_view shard, const std::string& message) {
    absl::MutexLock lock(&mu_);
    Write(shard, message);
  }
  // What is tried again until it works is told once.
  void OnError(absl::string_view shard, const absl::Status& status) {
    if (absl::IsCancelled(status)) return;
    // What ends the worker is told when it has ended.
    const std::string reason = client::Reason(status);
    if (shard.empty() &&
        client::Classify(status) == client::Failure::kRefused &&
        reason != "WorkerExpiredException" &&
        reason != "ResourceInUseException") {
      return;
    }
    absl::MutexLock lock(&mu_);
    std::string& told = told_[std::string(shard)];
    if (told == status.message()) return;
    told = std::string(status.message());
    Write(shard, told + "; trying again");
  }
  void Write(absl::string_view shard, const std::string& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    progress_.Finish();
    session_.console().err << "trireme: " << TimeText(absl::Now()) << " "
                           << shard << (shard.empty() ? "" : ": ") << message
                           << std::endl;
  }
  void OnNotCheckpointed(uint64_t records) {
    not_checkpointed_ += records;
    // Else others have them again by now.
    if (session_.interrupt().cancelled() || gave_up_.cancelled()) {
      not_checkpointed_at_end_ += records;
    }
  }
  void GiveUp(const absl::Status& why) {
    {
      absl::MutexLock lock(&mu_);
      if (why_.ok()) why_ = why;
    }
    gave_up_.Cancel();
  }

  void Summarize(const client::ConsumerMetrics& metrics, absl::Duration took)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    std::ostream& err = session_.console().err;
    if (session_.json()) {
      err << Dump({{"WorkerId", metrics.worker_id},
                   {"AcknowledgedRecords", acknowledged_.load()},
                   {"NotCheckpointedRecords", not_checkpointed_.load()},
                   {"LeasesGained", metrics.leases_gained},
                   {"LeasesLost", metrics.leases_lost},
                   {"ProgramRestarts", restarts_.load()},
                   {"Seconds", absl::ToDoubleSeconds(took)}},
                  false)
          << std::endl;
      return;
    }
    err << "trireme: worker " << metrics.worker_id
        << " is done: " << Counted(acknowledged_, "record")
        << " acknowledged in " << DurationText(took);
    if (not_checkpointed_ > 0) {
      err << " (" << not_checkpointed_ << " of them not checkpointed)";
    }
    err << ", " << Counted(metrics.leases_gained, "lease") << " gained, "
        << metrics.leases_lost << " lost, " << Counted(restarts_, "restart")
        << std::endl;
  }

  // Set at construction.
  Session& session_;
  const Options& options_;
  const ProgramHooks hooks_;
  client::Cancellation gave_up_;  // Has a lock of its own.

  std::atomic<uint64_t> acknowledged_ = 0;
  std::atomic<uint64_t> not_checkpointed_ = 0;  // Of these.
  std::atomic<uint64_t> not_checkpointed_at_end_ = 0;
  std::atomic<uint64_t> restarts_ = 0;

  absl::Mutex mu_;  // The console too.
  Progress progress_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::string> told_ ABSL_GUARDED_BY(mu_);  // By shard.
  absl::Status why_ ABSL_GUARDED_BY(mu_);
};

// What was asked for and the group has otherwise is not to be missed.
void WarnOfIgnored(const Options& options, client::Client& client,
                   std::ostream& err) {
  const NewGroupOptions& asked = options.of_new_group;
  if (asked.from->empty() && asked.lease_duration->empty() &&
      asked.hand_off_timeout->empty()) {
    return;
  }
  const client::ConsumerOptions& wanted = options.consumer;
  const auto group =
      client.DescribeConsumerGroup(wanted.stream_name, wanted.group_name);
  if (!group.ok()) return;  // It is new; what else is wrong, joining will tell.
  const v1::ConsumerGroupSettings& has = group->settings();
  const auto warn = [&](absl::string_view option, absl::string_view instead) {
    err << "trireme: " << option << " is of a new group, and ignored: group "
        << wanted.group_name << " " << instead << std::endl;
  };
  const auto check = [&](const CLI::Option* option, absl::Duration wants,
                         int64_t has_ms) {
    if (option->empty() || wants == absl::Milliseconds(has_ms)) return;
    warn(option->get_name(), "has " + DurationText(absl::Milliseconds(has_ms)));
  };
  check(asked.lease_duration, wanted.lease_duration, has.lease_duration_ms());
  check(asked.hand_off_timeout, wanted.hand_off_timeout,
        has.hand_off_timeout_ms());
  if (!asked.from->empty() &&
      wanted.from.type() != has.starting_position().type()) {
    warn(asked.from->get_name(),
         "goes on from its checkpoints (trireme group reset changes them)");
  }
}

int Consume(Session& session, Options& options) {
  if (session.program.empty()) {
    return session.FailUsage(
        "the program is missing: trireme consume STREAM --group GROUP -- "
        "PROGRAM ...");
  }
  const auto program = FindProgram(session.program.front());
  if (!program.ok()) {
    return session.FailUsage(std::string(program.status().message()));
  }
  const auto from = ParseFrom(options.from);
  if (!from.ok()) return session.Fail(from.status());
  options.program.command = session.program;
  options.program.command.front() = *program;
  options.program.hand_off_timeout = options.consumer.hand_off_timeout;
  if (options.ack == "read") options.program.ack = AckMode::kRead;
  if (options.restarts_max >= 0) {
    options.program.restarts_max = options.restarts_max;
  }
  options.consumer.from = *from;
  client::ReadingOptions& reading = options.consumer.reading;
  reading.unpack = !options.raw;
  reading.checkpoint = client::CheckpointMode::kExplicit;
  reading.records_max = kRecordsPerBatch;
  if (options.poll) reading.mode = client::ReadMode::kPoll;
  // A worker waits for its stream's nodes; whoever starts one wants to know.
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  const auto stream =
      (*client)->DescribeStreamSummary(options.consumer.stream_name);
  if (!stream.ok()) return session.Fail(stream.status());
  WarnOfIgnored(options, **client, session.console().err);
  // What Ctrl-C begins needs one that it does not cancel.
  const auto own = session.NewClient();
  if (!own.ok()) return session.Fail(own.status());
  // Then a closed standard output is an error that is seen.
  signal(SIGPIPE, SIG_IGN);
  return Consumption(session, options).Run(**own);
}

constexpr char kFooter[] = R"(
trireme consume STREAM --group GROUP [OPTIONS] -- PROGRAM [ARGUMENTS...]

Runs PROGRAM as a worker of the group, once for each shard that the group gives
it. The records of the shard come on its standard input, a JSON object a line:
  {"ShardId":"…","SequenceNumber":"…","ApproximateArrivalTimestamp":"…",
   "Data":"BASE64","PartitionKey":"…"}
with SubSequenceNumber for those that a producer aggregated. PROGRAM prints the
SequenceNumber of what it has processed, alone on a line, or as
{"SequenceNumber":"…","SubSequenceNumber":N}: all up to that record is done, and
nobody gets it again. Its other lines go to standard output. It should end when
its input ends; should it end before, it is started again, and gets what it had
not acknowledged. TRIREME_STREAM, TRIREME_GROUP, TRIREME_WORKER_ID and
TRIREME_SHARD_ID are in its environment.

With --ack read all that PROGRAM has read counts as processed, and all that it
prints goes to standard output.

Ctrl-C lets the programs finish and gives their shards to other workers; a
second one ends at once. docs/consumer-groups.md tells the whole story.

Examples:
  trireme consume orders --group billing -- ./worker.py
  trireme consume orders --group copy --ack read -- cat
  trireme consume orders --group audit --from 1h --worker-id audit-1 -- ./audit
)";

}  // namespace

void AddConsumeCommand(CLI::App& app, Session& session) {
  CLI::App* consume = app.add_subcommand(
      "consume", "process records with a program, as a worker of a group");
  consume->footer(kFooter);
  const auto options = std::make_shared<Options>();
  client::ConsumerOptions& consumer = options->consumer;
  consume->add_option("STREAM", consumer.stream_name, "the stream's name")
      ->required();
  consume
      ->add_option("--group", consumer.group_name,
                   "the group's name; its first worker makes it")
      ->required();
  consume->add_option("--worker-id", consumer.worker_id,
                      "one process's at a time [default: a random one]");
  NewGroupOptions& of_new_group = options->of_new_group;
  of_new_group.from =
      AddGroupFromOption(*consume, options->from,
                         "where a new group begins, unless at trim-horizon");
  of_new_group.lease_duration = AddDurationOption(
      *consume, "--lease-duration", consumer.lease_duration,
      "of a new group: a worker that is not heard for so long loses its "
      "shards; 1s to 1h [default: 10s]",
      {absl::Seconds(1), absl::Hours(1)});
  of_new_group.hand_off_timeout = AddDurationOption(
      *consume, "--hand-off-timeout", consumer.hand_off_timeout,
      "how long a program may take to finish when its shard is given up; of a "
      "new group, too; up to 1h [default: 30s]",
      {absl::Milliseconds(1), absl::Hours(1)});
  consume
      ->add_option("--ack", options->ack,
                   "lines: the program prints what it has processed; read: "
                   "what it has read [default: lines]")
      ->check(CLI::IsMember({"lines", "read"}));
  consume
      ->add_option("--batch", options->program.records_max,
                   "records a program is given before it acknowledges any "
                   "[default: 1000]")
      ->check(InRange(1, 1'000'000));
  consume
      ->add_option("--max-restarts", options->restarts_max,
                   "give up when a program ends after so many restarts in a "
                   "row without acknowledging anything [default: never]")
      ->check(InRange(0, 1'000'000));
  consume->add_flag("--poll", options->poll,
                    "ask for records every second, instead of having them "
                    "pushed");
  consume->add_flag("--raw", options->raw,
                    "records as they are stored: neither decompressed nor "
                    "taken apart");
  consume->callback([&session, options] {
    session.command = [&session, options] {
      return Consume(session, *options);
    };
  });
}

}  // namespace trireme::cli
