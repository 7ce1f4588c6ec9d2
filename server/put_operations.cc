#include "server/put_operations.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/auto_placement.h"
#include "server/dry_run.h"
#include "server/put_checks.h"
#include "server/rate_limits.h"
#include "storage/errors.h"
#include "storage/record.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// A record that meets a reshard is routed again: at once, then with pauses,
// because a shard is sealed a little before its children are known.
constexpr absl::Duration kPauseMin = absl::Milliseconds(5);
constexpr absl::Duration kPauseMax = absl::Milliseconds(100);

bool MustReroute(const absl::Status& status) {
  const ErrorReason reason = ReasonOf(status);
  return reason == ErrorReason::kShardSealed ||
         reason == ErrorReason::kResourceNotFound;
}

bool IsOfShardRate(const absl::Status& status) {
  return ReasonOf(status) == ErrorReason::kProvisionedThroughputExceeded;
}

}  // namespace

// One PutRecord or PutRecords on its way. Its fields are written by one thread
// at a time: the caller's, then each group's completion for its own records,
// then the last of those.
struct PutOperations::Call {
  // The batches proposed to one group.
  struct Plan {
    GroupId group;
    std::shared_ptr<ProposalBody> body;
    std::vector<const Shard*> shards;            // One a batch.
    std::vector<std::vector<uint32_t>> records;  // Of each batch, in order.
  };

  StreamAddress address;
  std::vector<PutEntry> records;
  std::vector<PutResult> results;
  std::vector<uint32_t> unplaced;  // Records to propose next, ascending.
  absl::string_view ordering;      // SequenceNumberForOrdering.
  std::optional<PutProducer> producer;
  bool is_batch = false;  // A PutRecords.
  bool dry_run = false;
  std::shared_ptr<PutSequence> sequence;  // Null: none.
  std::optional<uint64_t> number;         // In the sequence.
  Ticket ticket;
  absl::Duration deadline;  // Monotonic.
  int tries = 0;
  Done<PutRecordsResponse> done;

  StreamPtr stream;
  std::vector<Plan> plans;
  std::atomic<size_t> outcomes_due{0};

  void Finish(absl::StatusOr<PutRecordsResponse> response) {
    ticket = Ticket();
    if (number.has_value()) sequence->Leave(*number);
    done(std::move(response));
  }
  void FinishWithResults() {
    const bool encrypted = stream != nullptr && IsEncrypted(*stream);
    Finish(PutRecordsResponse{std::move(results), encrypted});
  }
  // The same error for every record not placed yet.
  void FailUnplaced(const absl::Status& status) {
    for (const uint32_t record : unplaced) results[record].status = status;
    FinishWithResults();
  }
  // Trouble with the request itself: the call fails as a whole, unless part
  // of it is written already.
  void FailRequest(const absl::Status& status) {
    if (unplaced.size() == records.size()) return Finish(status);
    FailUnplaced(status);
  }

  // What a put to the stream must fulfil.
  absl::Status CheckFor(const Stream& of) const;
  // `auto_turn`: of the put, if the stream is AUTO.
  absl::Status Route(uint32_t auto_turn);
  std::shared_ptr<const ProducerStamp> StampOf(
      const std::vector<uint32_t>& batch) const;
  void AddRecord(
      uint32_t record, const Shard& shard,
      absl::flat_hash_map<const Shard*, std::pair<size_t, size_t>>* places);
};

// Sorts `unplaced` into batches by shard and plans by group.
absl::Status PutOperations::Call::Route(uint32_t auto_turn) {
  plans.clear();
  const bool is_auto = stream->distribution == RecordDistribution::kAuto;
  AutoPlacement placement(*stream, auto_turn);
  absl::flat_hash_map<const Shard*, std::pair<size_t, size_t>> places;
  for (const uint32_t record : unplaced) {
    const PutEntry& entry = records[record];
    if (is_auto) {
      AddRecord(
          record,
          placement.Next(EncodedRecordBytes({entry.partition_key, entry.data})),
          &places);
      continue;
    }
    ASSIGN_OR_RETURN(const Shard* shard, ShardOf(*stream, entry.partition_key,
                                                 entry.explicit_hash_key));
    AddRecord(record, *shard, &places);
  }
  // Sizes are known now: every batch is allocated once.
  for (Plan& plan : plans) {
    for (size_t i = 0; i < plan.records.size(); ++i) {
      PutBatch& put = plan.body->puts[i];
      size_t bytes = 0;
      for (const uint32_t record : plan.records[i]) {
        bytes += EncodedRecordBytes(
            {records[record].partition_key, records[record].data});
      }
      put.batch.reserve(bytes);
      for (const uint32_t record : plan.records[i]) {
        AppendRecord({records[record].partition_key, records[record].data},
                     &put.batch);
      }
      put.record_count = static_cast<uint32_t>(plan.records[i].size());
      if (producer.has_value()) put.stamp = StampOf(plan.records[i]);
    }
  }
  return absl::OkStatus();
}

std::shared_ptr<const ProducerStamp> PutOperations::Call::StampOf(
    const std::vector<uint32_t>& batch) const {
  auto stamp = std::make_shared<ProducerStamp>();
  stamp->producer = std::string(producer->id);
  stamp->epoch = producer->epoch;
  stamp->oldest_number = producer->oldest_number;
  stamp->numbers.reserve(batch.size());
  for (const uint32_t record : batch) {
    stamp->numbers.push_back(records[record].number);
  }
  return stamp;
}

void PutOperations::Call::AddRecord(
    uint32_t record, const Shard& shard,
    absl::flat_hash_map<const Shard*, std::pair<size_t, size_t>>* places) {
  const auto [place, is_new] =
      places->try_emplace(&shard, std::make_pair(size_t{0}, size_t{0}));
  if (is_new) {
    auto plan = std::find_if(plans.begin(), plans.end(), [&](const Plan& p) {
      return p.group == shard.group;
    });
    if (plan == plans.end()) {
      plans.push_back({shard.group, std::make_shared<ProposalBody>(), {}, {}});
      plan = plans.end() - 1;
    }
    place->second = {static_cast<size_t>(plan - plans.begin()),
                     plan->records.size()};
    plan->shards.push_back(&shard);
    plan->records.emplace_back();
    PutBatch& put = plan->body->puts.emplace_back();
    put.shard = {stream->id, shard.index};
  }
  plans[place->second.first].records[place->second.second].push_back(record);
}

void PutOperations::PutRecord(const PutRecordRequest& request,
                              absl::Duration timeout, Done<PutResult> done) {
  if (absl::Status shape = CheckPutRecordShape(request); !shape.ok()) {
    return done(std::move(shape));
  }
  auto call = std::make_shared<Call>();
  call->address = request.stream;
  call->records = {request.record};
  call->ordering = request.sequence_number_for_ordering;
  call->producer = request.producer;
  call->dry_run = request.dry_run;
  call->deadline = clock_->MonotonicNow() + timeout;
  call->done = [done = std::move(done)](
                   absl::StatusOr<PutRecordsResponse> response) mutable {
    if (!response.ok()) return done(response.status());
    PutResult& result = response->records[0];
    if (!result.status.ok()) return done(std::move(result.status));
    result.encrypted = response->encrypted;
    done(std::move(result));
  };
  Begin(std::move(call));
}

bool PutOperations::PutRecords(const PutRecordsRequest& request,
                               absl::Duration timeout,
                               Done<PutRecordsResponse> done) {
  if (absl::Status shape = CheckPutRecordsShape(request); !shape.ok()) {
    done(std::move(shape));
    return true;
  }
  auto call = std::make_shared<Call>();
  call->address = request.stream;
  call->records = request.records;
  call->sequence = request.sequence;
  call->is_batch = true;
  call->producer = request.producer;
  call->dry_run = request.dry_run;
  call->deadline = clock_->MonotonicNow() + timeout;
  call->done = std::move(done);
  return Begin(std::move(call));
}

// True when the call went all the way to Propose, or ended.
bool PutOperations::Begin(CallPtr call) {
  if (call->sequence != nullptr) call->number = call->sequence->Enter();
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(call->address, router_->account());
  if (!ref.ok()) {
    call->Finish(ref.status());
    return true;
  }
  uint64_t bytes = 0;
  for (const PutEntry& entry : call->records) {
    bytes += EncodedRecordBytes({entry.partition_key, entry.data});
  }
  StreamPtr stream = router_->FindHere(*ref);
  // One that is named by its number and not known here shares with the like.
  absl::StatusOr<Ticket> ticket =
      admission_->Admit(stream == nullptr ? ref->name : stream->name, bytes);
  if (!ticket.ok()) {
    call->Finish(ticket.status());
    return true;
  }
  call->ticket = *std::move(ticket);
  call->results.resize(call->records.size());
  call->unplaced.resize(call->records.size());
  for (uint32_t i = 0; i < call->unplaced.size(); ++i) call->unplaced[i] = i;

  // What this node knows of the stream may be old: it takes a put by it, but
  // does not refuse one.
  if (stream != nullptr && stream->status != StreamStatus::kCreating &&
      !MayNameUnknownShard(call->ordering, *stream) &&
      call->CheckFor(*stream).ok()) {
    return BeginChecked(std::move(call), std::move(stream));
  }
  const absl::Duration left = TimeLeft(*call);
  router_->FindFresh(*ref, left, [this, call](absl::StatusOr<StreamPtr> found) {
    BeginWith(call, std::move(found));
  });
  return false;
}

absl::Status PutOperations::Call::CheckFor(const Stream& of) const {
  RETURN_IF_ERROR(CheckKeysGiven(of, records, is_batch));
  RETURN_IF_ERROR(CheckRecordSizes(of, records));
  return producer.has_value() ? CheckTakesNumbers(of) : absl::OkStatus();
}

bool PutOperations::BeginWith(CallPtr call, absl::StatusOr<StreamPtr> stream) {
  absl::Status refused = stream.status();
  if (refused.ok()) {
    refused = (*stream)->status == StreamStatus::kCreating
                  ? StreamNotFound((*stream)->name, router_->account())
                  : call->CheckFor(**stream);
  }
  if (!refused.ok()) {
    call->Finish(refused);
    return true;
  }
  return BeginChecked(std::move(call), *std::move(stream));
}

bool PutOperations::BeginChecked(CallPtr call, StreamPtr stream) {
  call->stream = std::move(stream);
  if (call->ordering.empty()) return ProposeInTurn(std::move(call));
  CheckOrdering(std::move(call));
  return true;
}

bool PutOperations::ProposeInTurn(CallPtr call) {
  if (!call->number.has_value()) {
    Propose(std::move(call));
    return true;
  }
  // The call outlives what it is told through the sequence.
  PutSequence& sequence = *call->sequence;
  return sequence.Propose(*call->number, RoutingOf(*call->stream),
                          [this, call] { Propose(call); });
}

void PutOperations::CheckOrdering(CallPtr call) {
  const Stream& stream = *call->stream;
  const Account& account = router_->account();
  if (stream.distribution == RecordDistribution::kAuto) {
    return call->Finish(MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("SequenceNumberForOrdering cannot be used with stream ",
                     stream.name, " under account ", account.id,
                     ": its record distribution strategy is AUTO")));
  }
  const absl::StatusOr<const Shard*> shard =
      ShardOf(stream, call->records[0].partition_key,
              call->records[0].explicit_hash_key);
  if (!shard.ok()) return call->Finish(shard.status());
  const absl::StatusOr<std::optional<Counter>> after = OrderingCounter(
      call->ordering, stream, **shard, clock_->WallNow(), account);
  if (!after.ok()) return call->Finish(after.status());
  const Counter counter = after->value_or(0);

  const ShardKey key{stream.id, (*shard)->index};
  const GroupId group = (*shard)->group;
  const bool known =
      counter == 0 || counter < state_->GetShardState(group, key).next;
  if (known) return Propose(std::move(call));
  // This replica may lag behind the record the number was given to; after a
  // barrier a number that is still ahead was never given to anyone.
  const absl::Duration left = TimeLeft(*call);
  replicas_->ReadBarrier(
      {group, left,
       [this, call, group, key, counter](absl::Status status) mutable {
         if (!status.ok()) return call->Finish(std::move(status));
         if (counter >= state_->GetShardState(group, key).next) {
           return call->Finish(BadOrderingNumber(call->ordering, *call->stream,
                                                 router_->account()));
         }
         Propose(std::move(call));
       }});
}

void PutOperations::Propose(CallPtr call) {
  ++call->tries;
  const uint32_t turn = auto_turn_.fetch_add(1, std::memory_order_relaxed);
  if (absl::Status routed = call->Route(turn); !routed.ok()) {
    return call->Finish(std::move(routed));
  }
  if (call->dry_run) return call->Finish(DryRunSucceeded());
  const size_t plans = call->plans.size();
  call->outcomes_due.store(plans);
  const absl::Duration left = TimeLeft(*call);
  for (size_t i = 0; i < plans; ++i) {
    // The last completion may end the call while this loop still runs: only
    // what this turn needs is touched.
    const Call::Plan& plan = call->plans[i];
    replicas_->Propose({plan.group, plan.body, left,
                        [this, call, i](ProposalOutcome outcome) mutable {
                          OnOutcome(call, i, std::move(outcome));
                          if (call->outcomes_due.fetch_sub(1) == 1) {
                            OnAllOutcomes(std::move(call));
                          }
                        }});
  }
}

void PutOperations::OnOutcome(const CallPtr& call, size_t plan_at,
                              ProposalOutcome outcome) {
  Call::Plan& plan = call->plans[plan_at];
  const auto arrival_s = static_cast<uint64_t>(outcome.stamp_ms / 1000);
  for (size_t batch = 0; batch < plan.records.size(); ++batch) {
    const Shard& shard = *plan.shards[batch];
    const PutPlace place = outcome.status.ok()
                               ? std::move(outcome.places[batch])
                               : PutPlace{outcome.status, 0, 0};
    const std::vector<uint32_t>& records = plan.records[batch];
    absl::Status status = place.status;
    if (IsOfShardRate(status)) status = RateRefusal(*call, shard, status);
    for (size_t i = 0; i < records.size(); ++i) {
      PutResult& result = call->results[records[i]];
      if (i + place.refused == records.size()) {
        status = RateRefusal(*call, shard, absl::OkStatus());
      }
      result.status = status;
      if (!status.ok()) continue;
      if (i < place.fates.size()) {
        const RecordFate& fate = place.fates[i];
        result = {fate.status, fate.number, fate.duplicate};
        continue;
      }
      result.sequence_number = {shard.created_s, shard.index, place.first + i,
                                arrival_s};
    }
  }
  plan.body.reset();
}

// The leader that counts knows no names. `why`, if it is an error, is its own.
absl::Status PutOperations::RateRefusal(const Call& call, const Shard& shard,
                                        const absl::Status& why) const {
  return ShardPutsExceeded(shard, call.stream->name, router_->account(),
                           RetryAfterOf(why));
}

void PutOperations::OnAllOutcomes(CallPtr call) {
  std::vector<uint32_t> unplaced;
  for (const uint32_t record : call->unplaced) {
    if (MustReroute(call->results[record].status)) unplaced.push_back(record);
  }
  call->unplaced = std::move(unplaced);
  if (call->unplaced.empty()) return call->FinishWithResults();
  if (call->number.has_value()) call->sequence->Recall(*call->number);
  Reroute(std::move(call));
}

void PutOperations::Reroute(CallPtr call) {
  const absl::Duration pause =
      call->tries == 1
          ? absl::ZeroDuration()
          : std::min(kPauseMin * (1 << std::min(call->tries - 2, 10)),
                     kPauseMax);
  if (TimeLeft(*call) <= pause) {
    return call->FailUnplaced(MakeError(
        ErrorReason::kNoLeader,
        absl::StrCat("the shards of stream ", call->stream->name,
                     " kept changing; nothing was written, retry later")));
  }
  if (call->tries == 1) return RerouteNow(std::move(call));
  timers_->After(pause, [this, call] { RerouteNow(call); });
}

void PutOperations::RerouteNow(CallPtr call) {
  const absl::Duration left = TimeLeft(*call);
  const std::string name = call->stream->name;
  router_->FindFresh(
      name, left, [this, call](absl::StatusOr<StreamPtr> found) mutable {
        if (!found.ok()) return call->FailRequest(found.status());
        const Stream& stream = **found;
        // A stream made again under its name is another one: a call that
        // named the old one by its id, or was partly written to it, must not go
        // on there.
        const bool is_bound = !call->address.id.empty() ||
                              call->unplaced.size() < call->records.size();
        const bool is_other = stream.id != call->stream->id && is_bound;
        if (is_other || stream.status == StreamStatus::kDeleting ||
            stream.status == StreamStatus::kCreating) {
          return call->FailRequest(
              StreamNotFound(stream.name, router_->account()));
        }
        call->stream = *std::move(found);
        ProposeInTurn(std::move(call));
      });
}

absl::Duration PutOperations::TimeLeft(const Call& call) const {
  return call.deadline - clock_->MonotonicNow();
}

}  // namespace trireme
