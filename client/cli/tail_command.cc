// trireme tail: records of a stream as they are pushed.
#include <algorithm>
#include <list>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/record_printer.h"
#include "client/cli/tail.h"
#include "client/cli/user_records.h"
#include "client/error.h"
#include "client/subscriber.h"

namespace trireme::cli {
namespace {

// What a tail begins with.
struct Shards {
  std::vector<std::string> first;  // To subscribe to at once.
  std::set<std::string> to_come;   // These and their descendants there are.
  std::string newest;              // Of all there are.
};

// One subscriber per shard prints here; the main thread starts subscribers,
// also of shards that others split into, and decides about the end.
class Tail {
 public:
  Tail(Session& session, client::Client& client, const TailOptions& options,
       std::string consumer_arn, UserRecords user_records)
      : session_(session),
        client_(client),
        options_(options),
        consumer_arn_(std::move(consumer_arn)),
        user_records_(std::move(user_records)),
        printer_(session),
        on_interrupt_(session.interrupt(), [this] { Interrupt(); }) {}

  absl::Status Run(const Shards& shards, const v1::StartingPosition& from) {
    {
      absl::MutexLock lock(&mu_);
      to_come_ = shards.to_come;
      newest_listed_ = shards.newest;
    }
    for (const std::string& shard : shards.first) Follow(shard, from);
    for (;;) {
      std::set<std::string> children;
      {
        absl::MutexLock lock(&mu_);
        const bool stirred =
            mu_.AwaitWithDeadline(absl::Condition(this, &Tail::HasWorkOrEnds),
                                  last_record_ + options_.idle_exit);
        if (ends_ || !error_.ok()) break;
        const bool idle = absl::Now() >= last_record_ + options_.idle_exit;
        if (!stirred && idle) break;
        children = std::exchange(to_follow_, {});
        if (children.empty() && following_ == 0) break;
      }
      for (const std::string& child : children) {
        Follow(child, client::FromTrimHorizon());
      }
    }
    subscribers_.clear();  // No callback runs any more.
    absl::MutexLock lock(&mu_);
    return error_;
  }

 private:
  bool HasWorkOrEnds() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return ends_ || !error_.ok() || !to_follow_.empty() || following_ == 0;
  }

  void Follow(const std::string& shard, const v1::StartingPosition& from) {
    {
      absl::MutexLock lock(&mu_);
      if (!followed_.insert(shard).second) return;
      ++following_;
    }
    client::SubscriberOptions options;
    options.stream_name = options_.stream;
    options.consumer_arn = consumer_arn_;
    options.shard_id = shard;
    options.from = from;
    options.on_event = [this, shard](const auto& event) {
      OnEvent(shard, event);
    };
    options.on_interruption = [this, shard](const absl::Status& status) {
      OnInterruption(shard, status);
    };
    options.on_end = [this, shard](const absl::Status& status) {
      OnEnd(shard, status);
    };
    subscribers_.emplace_back(client_, std::move(options));
  }

  void OnEvent(const std::string& shard,
               const v1::SubscribeToShardEvent& event) {
    absl::MutexLock lock(&mu_);
    OnConnected(shard);
    for (const v1::Record& record : event.records()) {
      if (!options_.deaggregate) {
        PrintOne(shard, record);
        continue;
      }
      for (const auto& user_record : user_records_.In(shard, record)) {
        PrintOne(shard, user_record);
      }
    }
    printer_.Flush();
    if (!options_.shard.empty() || event.child_shards().empty()) return;
    ended_.insert(shard);
    for (const v1::ChildShard& child : event.child_shards()) {
      user_records_.Learn(child);
      // Else the end of the other parent will name it again.
      if (ParentsEnded(child)) to_follow_.insert(child.shard_id());
    }
  }

  template <typename Record>
  void PrintOne(const std::string& shard, const Record& record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (ends_) return;
    printer_.Print(shard, record);
    last_record_ = absl::Now();
    ends_ = ++printed_ == options_.limit;
  }

  // No record of a child before the ends of both its parents, also of one that
  // has not been reached yet.
  bool ParentsEnded(const v1::ChildShard& child) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return std::all_of(
        child.parent_shards().begin(), child.parent_shards().end(),
        [this](const std::string& parent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
          return ended_.contains(parent) || !Comes(parent);
        });
  }
  // Whether the shard is followed now, or will be.
  bool Comes(const std::string& shard) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return to_come_.contains(shard) || shard > newest_listed_;
  }

  void OnInterruption(const std::string& shard, const absl::Status& status) {
    if (status.ok()) return;  // After 5 minutes, as planned.
    absl::MutexLock lock(&mu_);
    if (interrupted_.empty()) {
      session_.console().err << "trireme: " << shard << ": interrupted, trying "
                             << "again: " << std::string(status.message())
                             << std::endl;
    }
    interrupted_.insert(shard);
  }

  void OnConnected(const std::string& shard)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (interrupted_.erase(shard) == 0 || !interrupted_.empty()) return;
    session_.console().err << "trireme: subscribed again" << std::endl;
  }

  void OnEnd(const std::string& shard, const absl::Status& status) {
    absl::MutexLock lock(&mu_);
    ended_.insert(shard);
    interrupted_.erase(shard);
    --following_;
    if (!status.ok() && !absl::IsCancelled(status) && error_.ok()) {
      error_ = status;
    }
  }

  void Interrupt() {
    absl::MutexLock lock(&mu_);
    ends_ = true;
  }

  // Set at construction.
  Session& session_;
  client::Client& client_;
  const TailOptions& options_;
  const std::string consumer_arn_;

  absl::Mutex mu_;
  UserRecords user_records_ ABSL_GUARDED_BY(mu_);
  RecordPrinter printer_ ABSL_GUARDED_BY(mu_);
  absl::Time last_record_ ABSL_GUARDED_BY(mu_) = absl::Now();
  uint64_t printed_ ABSL_GUARDED_BY(mu_) = 0;
  int following_ ABSL_GUARDED_BY(mu_) = 0;  // Subscribers not ended.
  // Of the shards there were at the beginning, those that are followed sooner
  // or later. Ids are of one length: newer ones are greater.
  std::set<std::string> to_come_ ABSL_GUARDED_BY(mu_);
  std::string newest_listed_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> followed_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> ended_ ABSL_GUARDED_BY(mu_);
  // Shards without a subscription: an outage is told once, and its end.
  std::set<std::string> interrupted_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> to_follow_ ABSL_GUARDED_BY(mu_);
  absl::Status error_ ABSL_GUARDED_BY(mu_);
  bool ends_ ABSL_GUARDED_BY(mu_) = false;  // Limit reached or interrupted.

  client::Cancellation::Hook on_interrupt_;
  std::list<client::Subscriber> subscribers_;  // Main thread's.
};

// The shards to begin with: those whose parents are not in the list too, when
// all is read from the oldest record on; the children follow at their ends.
Shards FirstShards(const std::vector<v1::Shard>& listed, bool latest) {
  std::set<std::string> all;
  for (const v1::Shard& shard : listed) all.insert(shard.shard_id());
  Shards shards;
  if (!all.empty()) shards.newest = *all.rbegin();
  for (const v1::Shard& shard : listed) {
    const bool open =
        shard.sequence_number_range().ending_sequence_number().empty();
    const bool has_parent = all.contains(shard.parent_shard_id()) ||
                            all.contains(shard.adjacent_parent_shard_id());
    if (latest ? open : !has_parent) shards.first.push_back(shard.shard_id());
  }
  shards.to_come =
      latest ? std::set<std::string>(shards.first.begin(), shards.first.end())
             : all;
  return shards;
}

}  // namespace

int RunTail(Session& session, const TailOptions& options) {
  const auto from = ParseFrom(options.from);
  if (!from.ok()) return session.Fail(from.status());
  if (!from->sequence_number().empty() && options.shard.empty()) {
    return session.FailUsage(
        "a sequence number belongs to one shard: name it with --shard");
  }
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  Shards shards;
  shards.first = {options.shard};
  std::vector<v1::Shard> listed;
  if (options.shard.empty() || options.deaggregate) {
    auto answer = (*client)->ListShards(options.stream);
    if (!answer.ok()) return session.Fail(answer.status());
    listed = *std::move(answer);
  }
  if (options.shard.empty()) {
    shards = FirstShards(listed, from->type() == v1::LATEST);
  }
  std::string consumer_arn;
  if (!options.consumer.empty()) {
    const auto consumer =
        (*client)->DescribeStreamConsumer(options.stream, options.consumer);
    if (!consumer.ok()) return session.Fail(consumer.status());
    consumer_arn = consumer->consumer_arn();
  }
  UserRecords user_records(session.console());
  if (options.deaggregate) {
    const absl::Status learned =
        user_records.Learn(**client, options.stream, listed);
    if (!learned.ok()) return session.Fail(learned);
  }
  Tail tail(session, **client, options, std::move(consumer_arn),
            std::move(user_records));
  const absl::Status status = tail.Run(shards, *from);
  return status.ok() ? static_cast<int>(kExitOk) : session.Fail(status);
}

void AddTailCommand(CLI::App& app, Session& session) {
  CLI::App* tail = app.add_subcommand(
      "tail", "print records as they are pushed, until Ctrl-C");
  tail->footer(R"(
Subscribes to every shard, or to one; comes back by itself after a broken
connection, where it was. Shards that split or merge are followed into their
children. With --consumer it takes the shards over from another that has them
for this consumer, which ends. Ctrl-C is a normal end: the exit code is 0.

Examples:
  trireme tail orders
  trireme tail orders --from 10m --limit 100
  trireme tail orders --consumer billing
  trireme tail orders --from trim-horizon --idle-exit 5s --output json
)");
  const auto options = std::make_shared<TailOptions>();
  tail->add_option("STREAM", options->stream, "the stream's name")->required();
  tail->add_option("--consumer", options->consumer,
                   "as this registered consumer, named by its name or ARN: the "
                   "one that tails a shard for it ends when another begins");
  AddShardOption(*tail, "--shard", options->shard, "only this one");
  AddFromOption(*tail, options->from);
  AddLimitOption(*tail, options->limit, "end after so many records");
  AddDeaggregateFlag(*tail, options->deaggregate);
  AddDurationOption(*tail, "--idle-exit", options->idle_exit,
                    "end when no record came for so long");
  tail->callback([&session, options] {
    session.command = [&session, options] {
      return RunTail(session, *options);
    };
  });
}

}  // namespace trireme::cli
