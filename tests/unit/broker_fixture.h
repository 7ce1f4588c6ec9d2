// What tests of the server share: one node without a network whose groups
// commit at once, over a real state machine; a clock that only moves when
// told; pools and timers that run when told.
#ifndef TRIREME_TESTS_UNIT_BROKER_FIXTURE_H_
#define TRIREME_TESTS_UNIT_BROKER_FIXTURE_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "replication/rate_ledger.h"
#include "replication/shard_rates.h"
#include "server/applied_fanout.h"
#include "server/broker.h"
#include "server/limits_profile.h"
#include "server/stream_lifecycle.h"
#include "storage/errors.h"
#include "storage/stream_name.h"
#include "tests/unit/state_fixture.h"
#include "trireme/v1/records.pb.h"

namespace trireme {

class ManualClock : public Clock {
 public:
  absl::Time WallNow() const override {
    absl::MutexLock lock(&mu_);
    return absl::FromUnixMillis(1'700'000'000'000) + passed_ + jumped_;
  }
  absl::Duration MonotonicNow() const override {
    absl::MutexLock lock(&mu_);
    return passed_;
  }
  void Advance(absl::Duration duration) {
    absl::MutexLock lock(&mu_);
    passed_ += duration;
  }
  // The wall clock is set; no time passes.
  void JumpWall(absl::Duration by) {
    absl::MutexLock lock(&mu_);
    jumped_ += by;
  }

 private:
  mutable absl::Mutex mu_;
  absl::Duration passed_ ABSL_GUARDED_BY(mu_);
  absl::Duration jumped_ ABSL_GUARDED_BY(mu_);
};

// Commits and applies what is proposed before Propose returns, unless told to
// refuse or to hold it.
class InstantReplicas : public Replicas {
 public:
  InstantReplicas(StateMachine* state, AppliedObserver* observer, Clock* clock)
      : state_(state), observer_(observer), clock_(clock) {}

  NodeId self() const override { return NodeId(1); }
  NodeId LeaderOf(GroupId) const override { return leader; }
  std::vector<KnownNode> KnownNodes() const override { return known; }

  void Propose(Proposal proposal) override {
    if (!proposal.body->charges.empty()) return Charge(std::move(proposal));
    {
      absl::MutexLock lock(&mu_);
      if (holding) {
        held.push_back(std::move(proposal));
        return;
      }
    }
    Commit(std::move(proposal));
  }
  // As the leader counts; a refusal that was asked for comes first.
  void Charge(Proposal proposal) {
    ProposalOutcome outcome;
    {
      absl::MutexLock lock(&mu_);
      ++charged;
      if (!refuse_with.empty()) {
        outcome.status = refuse_with.front();
        refuse_with.pop_front();
      } else {
        const absl::Duration wait =
            ledger_.Take(proposal.body->charges, clock_->MonotonicNow());
        if (wait > absl::ZeroDuration()) outcome.status = RateExceeded(wait);
      }
    }
    proposal.done(std::move(outcome));
  }
  void LimitPuts(std::optional<PutLimits> limits) {
    if (limits.has_value()) shard_rates_.emplace(*std::move(limits));
  }
  void ReadBarrier(Barrier barrier) override {
    ++barriers;
    if (at_barrier) at_barrier(barrier.group);
    barrier.done(barrier_status);
  }

  void Commit(Proposal proposal) {
    ProposalOutcome outcome;
    {
      absl::MutexLock lock(&mu_);
      if (refuse_with.empty() || commit_first > 0) {
        if (commit_first > 0) --commit_first;
        proposals.push_back(proposal.body);
        outcome = ApplyWithin(proposal.group, *proposal.body);
      } else {
        outcome.status = refuse_with.front();
        refuse_with.pop_front();
      }
    }
    proposal.done(std::move(outcome));
  }
  void CommitHeld() {
    std::vector<Proposal> all = std::exchange(held, {});
    for (Proposal& proposal : all) Commit(std::move(proposal));
  }

  // Waits until `count` are held, and commits the newest first.
  void CommitHeldBackwards(size_t count) {
    std::vector<Proposal> all;
    {
      absl::MutexLock lock(&mu_);
      const auto enough = [&] { return held.size() >= count; };
      mu_.Await(absl::Condition(&enough));
      all.swap(held);
    }
    while (!all.empty()) {
      Commit(std::move(all.back()));
      all.pop_back();
    }
  }

  // Set by tests.
  NodeId leader = NodeId(1);
  std::vector<KnownNode> known;
  bool holding = false;
  std::deque<absl::Status> refuse_with;  // One a proposal,
  int commit_first = 0;                  // after so many were committed.
  absl::Status barrier_status;
  std::function<void(GroupId)> at_barrier;
  std::function<void()> when_applied;  // And the observers not told yet.
  // Seen by tests.
  std::vector<Proposal> held;
  std::vector<std::shared_ptr<const ProposalBody>> proposals;
  std::atomic<int> barriers = 0;
  int charged = 0;

 private:
  // What the shards' rates allow of it.
  ProposalOutcome ApplyWithin(GroupId group, const ProposalBody& body) {
    if (!shard_rates_.has_value()) return Apply(group, body);
    const auto cut = shard_rates_->Take(body, clock_->MonotonicNow());
    if (!cut.has_value()) return Apply(group, body);
    if (!cut->body->puts.empty()) {
      return cut->Complete(Apply(group, *cut->body));
    }
    ProposalOutcome outcome;
    outcome.status = RateExceeded(cut->wait);
    return outcome;
  }
  ProposalOutcome Apply(GroupId group, const ProposalBody& body) {
    ProposalOutcome outcome;
    outcome.stamp_ms = absl::ToUnixMillis(clock_->WallNow());
    std::vector<ShardBatch> pieces;
    for (const PutBatch& put : body.puts) {
      ShardBatch& piece = pieces.emplace_back(
          ShardBatch{put.shard, put.record_count, put.batch});
      if (put.stamp != nullptr) piece.stamped.push_back({0, put.stamp});
    }
    Payload payload = MakePayload(
        body.puts.empty() ? EncodeCommandPayload(outcome.stamp_ms, body.command)
                          : EncodeRecordsPayload(outcome.stamp_ms, pieces));
    const LogIndex index = state_->Applied(group).index + 1;
    const CommittedEntry entry = Entry(group.value(), index, payload);
    const auto result = state_->Apply(entry);
    EXPECT_OK(result);
    if (when_applied) when_applied();
    observer_->OnApplied(entry, *result);
    outcome.status = result->status;
    outcome.reply = result->reply;
    for (const AppliedBatch& batch : result->batches) {
      outcome.places.push_back(
          {batch.status, MakeCounter(index, 0), 0, batch.fates});
    }
    return outcome;
  }

  StateMachine* const state_;
  AppliedObserver* const observer_;
  Clock* const clock_;
  absl::Mutex mu_;
  RateLedger ledger_;
  std::optional<ShardRates> shard_rates_;
};

// A node's server side, all but the transport.
class TestNode {
 public:
  explicit TestNode(int threads = 0, uint64_t tail_bytes = 64 << 20,
                    const BrokerOptions& options = Options())
      : read_pool("reads", threads, 64),
        wake_pool("wakes", threads, 64),
        timers(&clock),
        tails(tail_bytes, &wake_pool),
        claims(&wake_pool),
        replicas(&replica.state(), &observers, &clock),
        lifecycle(
            &replica.state().catalog(),
            [this](GroupId group, ShardKey shard) {
              return replica.state().ProducersOf(group, shard);
            },
            &replicas, &timers, &clock),
        broker(options, {&replicas, &replica.state(), &tails, &claims,
                         &read_pool, &timers, &clock}) {
    observers.Add(&tails);
    observers.Add(&claims);
    observers.Add(&lifecycle);
    replicas.LimitPuts(PutLimitsOf(options.limits, &replica.state().catalog()));
  }
  ~TestNode() {
    timers.Stop();
    wake_pool.Stop();
    read_pool.Stop();
  }

  static BrokerOptions Options() {
    BrokerOptions options;
    options.cluster = "test";
    options.group_count = 3;
    options.members = {{NodeId(1), "a"}, {NodeId(2), "b"}, {NodeId(3), "c"}};
    return options;
  }

  // Runs everything that can run without time passing.
  void Settle() {
    while (read_pool.RunOne() || wake_pool.RunOne() || timers.RunDue()) {
    }
  }
  void Advance(absl::Duration duration) {
    clock.Advance(duration);
    Settle();
  }

  // A callback that keeps what it is called with.
  template <typename T>
  struct Answer {
    std::shared_ptr<std::optional<absl::StatusOr<T>>> value =
        std::make_shared<std::optional<absl::StatusOr<T>>>();
    Done<T> Callback() {
      return [value = value](absl::StatusOr<T> got) {
        EXPECT_FALSE(value->has_value()) << "answered twice";
        value->emplace(std::move(got));
      };
    }
    bool answered() const { return value->has_value(); }
  };
  template <typename T>
  absl::StatusOr<T> Take(Answer<T> answer) {
    Settle();
    if (!answer.answered()) return absl::InternalError("not answered");
    return std::move(**answer.value);
  }

  absl::Status Create(const std::string& name, int shards, int record_kib = 0) {
    absl::Status status = absl::InternalError("not answered");
    broker.CreateStream({name, shards, record_kib}, kTimeout,
                        [&](absl::Status got) { status = got; });
    Settle();
    return status;
  }
  // Creates the stream and waits until it is ACTIVE.
  StreamPtr CreateActive(const std::string& name, int shards) {
    EXPECT_OK(Create(name, shards));
    lifecycle.RunOnce();
    Settle();
    StreamPtr stream = replica.state().catalog().Find(name);
    EXPECT_TRUE(stream != nullptr && stream->status == StreamStatus::kActive);
    return stream;
  }
  absl::Status Split(const std::string& stream, const std::string& shard,
                     const std::string& new_start) {
    absl::Status status = absl::InternalError("not answered");
    broker.SplitShard({{stream, ""}, shard, new_start}, kTimeout,
                      [&](absl::Status got) { status = got; });
    Settle();
    return status;
  }
  absl::StatusOr<PutResult> Put(const std::string& stream,
                                const std::string& key, const std::string& data,
                                const std::string& ordering = "") {
    Answer<PutResult> answer;
    PutRecordRequest request;
    request.stream.name = stream;
    request.record = {data, key, ""};
    request.sequence_number_for_ordering = ordering;
    broker.PutRecord(request, kTimeout, answer.Callback());
    return Take(answer);
  }
  absl::StatusOr<PutRecordsResponse> PutAll(
      const std::string& stream, const std::vector<PutEntry>& records) {
    Answer<PutRecordsResponse> answer;
    PutRecordsRequest request;
    request.stream.name = stream;
    request.records = records;
    broker.PutRecords(request, kTimeout, answer.Callback());
    return Take(answer);
  }
  absl::StatusOr<std::string> Iterator(
      const std::string& stream, const std::string& shard,
      ShardIteratorType type, const std::string& number = "",
      std::optional<absl::Time> time = std::nullopt) {
    Answer<GetShardIteratorResponse> answer;
    GetShardIteratorRequest request{{stream, ""}, shard, {type, number, time}};
    broker.GetShardIterator(request, kTimeout, answer.Callback());
    auto response = Take(answer);
    if (!response.ok()) return response.status();
    return response->shard_iterator;
  }
  absl::StatusOr<GetRecordsResponse> Get(const std::string& iterator,
                                         int limit = 0) {
    Answer<GetRecordsResponse> answer;
    broker.GetRecords({iterator, limit, ""}, kTimeout, answer.Callback());
    return Take(answer);
  }

  static constexpr absl::Duration kTimeout = absl::Seconds(10);

  Replica replica;
  ManualClock clock;
  AppliedFanout observers;
  WorkPool read_pool;
  WorkPool wake_pool;
  Timers timers;
  ShardTails tails;
  ShardClaims claims;
  InstantReplicas replicas;
  StreamLifecycle lifecycle;
  Broker broker;
};

// The wire bytes of a run.
inline std::string BytesOf(const RecordRun& run) {
  std::string bytes;
  for (const EncodedSpan& span : run.spans) bytes += std::string(span.bytes);
  return bytes;
}

// What the records of a read hold.
inline std::vector<std::string> DataOf(const RecordRun& run) {
  v1::GetRecordsResponse message;
  EXPECT_TRUE(message.ParseFromString(BytesOf(run)));
  std::vector<std::string> data;
  for (const v1::Record& record : message.records()) {
    data.push_back(record.data());
  }
  return data;
}

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_BROKER_FIXTURE_H_
