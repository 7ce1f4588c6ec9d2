#include "server/read_operations.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/dry_run.h"
#include "server/limits.h"
#include "server/read_checks.h"
#include "storage/errors.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

// The least room a read is worth starting with.
constexpr uint64_t kReadBytesMin = 1u << 20;

absl::Status TooManyReads() {
  return MakeError(ErrorReason::kOverloaded,
                   "too many reads wait for this node's disk; retry later");
}

}  // namespace

struct ReadOperations::PositionCall {
  GetShardIteratorRequest request;
  const PositionNames* names = nullptr;
  absl::Duration deadline;  // Monotonic.
  ShardPosition position;
  Done<ShardPosition> done;
};

struct ReadOperations::ReadCall {
  ShardIterator iterator;
  StreamAddress address;  // May be empty.
  bool dry_run = false;
  RunLimits limits;
  absl::Duration deadline;  // Monotonic.
  StreamPtr stream;
  const Shard* shard = nullptr;
  Done<GetRecordsResponse> done;
};

void ReadOperations::GetShardIterator(const GetShardIteratorRequest& request,
                                      absl::Duration timeout,
                                      Done<GetShardIteratorResponse> done) {
  FindPosition(
      request, kGetShardIteratorNames, timeout,
      [this, timeout, dry_run = request.dry_run,
       done = std::move(done)](absl::StatusOr<ShardPosition> found) mutable {
        if (!found.ok()) return done(found.status());
        if (dry_run) return done(DryRunSucceeded());
        const ShardPosition& position = *found;
        const ShardKey key{position.stream->id, position.shard->index};
        rates_->EnterGetShardIterator(
            *position.stream, *position.shard, timeout,
            [this, key, next = position.next,
             done = std::move(done)](absl::Status admitted) mutable {
              if (!admitted.ok()) return done(std::move(admitted));
              done(GetShardIteratorResponse{EncodeShardIterator(
                  *signer_, {key, next}, clock_->WallNow())});
            });
      });
}

void ReadOperations::FindPosition(const GetShardIteratorRequest& request,
                                  const PositionNames& names,
                                  absl::Duration timeout,
                                  Done<ShardPosition> done) {
  absl::Status checked = CheckPosition(request, names, clock_->WallNow());
  if (!checked.ok()) return done(std::move(checked));
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(request.stream, router_->account());
  if (!ref.ok()) return done(ref.status());

  auto call = std::make_shared<PositionCall>();
  call->request = request;
  call->names = &names;
  call->deadline = clock_->MonotonicNow() + timeout;
  call->done = std::move(done);
  router_->Find(*ref, request.shard_id, timeout,
                [this, call](absl::StatusOr<StreamPtr> stream) mutable {
                  if (!stream.ok()) return call->done(stream.status());
                  FindPositionIn(std::move(call), *std::move(stream));
                });
}

void ReadOperations::FindPositionIn(std::shared_ptr<PositionCall> call,
                                    StreamPtr stream) {
  const Account& account = router_->account();
  if (stream->status == StreamStatus::kCreating) {
    return call->done(StreamNotFound(stream->name, account));
  }
  ShardPosition& position = call->position;
  position.stream = std::move(stream);
  const absl::StatusOr<const Shard*> shard =
      FindShard(*position.stream, call->request.shard_id, account);
  if (!shard.ok()) return call->done(shard.status());
  position.shard = *shard;

  const ShardIteratorType type = call->request.position.type;
  if (!call->request.position.sequence_number.empty()) {
    const absl::StatusOr<Counter> next =
        PositionOfNumber(call->request.position, *position.stream, **shard,
                         account, *call->names);
    if (!next.ok()) return call->done(next.status());
    position.next = *next;
  }
  // A position that does not depend on what is there needs no barrier, so
  // that subscriptions are made and renewed while a group has no leader.
  const bool depends = type == ShardIteratorType::kLatest ||
                       type == ShardIteratorType::kAtTimestamp;
  if (!depends && reader_->StateOf(*position.stream, **shard).exists) {
    return call->done(std::move(position));
  }
  const absl::Duration left = call->deadline - clock_->MonotonicNow();
  replicas_->ReadBarrier(
      {(*shard)->group, left, [this, call](absl::Status status) mutable {
         if (!status.ok()) return call->done(std::move(status));
         WorkPool::Job job = [this, call] { Locate(call); };
         if (!pool_->TrySchedule(job)) call->done(TooManyReads());
       }});
}

// On the pool, after a barrier.
void ReadOperations::Locate(std::shared_ptr<PositionCall> call) {
  ShardPosition& position = call->position;
  const ShardState state = reader_->StateOf(*position.stream, *position.shard);
  if (!state.exists) {
    return call->done(ShardNotFound(ShardIdToString(position.shard->index),
                                    position.stream->name, router_->account()));
  }
  switch (call->request.position.type) {
    case ShardIteratorType::kLatest:
      position.next = state.next;
      break;
    case ShardIteratorType::kAtTimestamp: {
      const absl::StatusOr<Counter> next = reader_->FindTime(
          *position.stream, *position.shard, *call->request.position.timestamp);
      if (!next.ok()) return call->done(next.status());
      position.next = *next;
      break;
    }
    default:
      break;  // By number, or the horizon: known already.
  }
  call->done(std::move(position));
}

void ReadOperations::GetRecords(const GetRecordsRequest& request,
                                absl::Duration timeout,
                                Done<GetRecordsResponse> done) {
  absl::Status checked = CheckGetRecords(request);
  if (!checked.ok()) return done(std::move(checked));
  const absl::StatusOr<ShardIterator> iterator =
      DecodeShardIterator(*signer_, request.shard_iterator, clock_->WallNow());
  if (!iterator.ok()) return done(iterator.status());

  auto call = std::make_shared<ReadCall>();
  call->iterator = *iterator;
  call->address = {"", request.stream_arn, /*is_resource=*/false,
                   request.stream_id};
  call->dry_run = request.dry_run;
  call->limits.records_max = static_cast<uint32_t>(
      request.limit == 0 ? kGetRecordsMax : request.limit);
  call->deadline = clock_->MonotonicNow() + timeout;
  call->done = std::move(done);
  router_->Find(iterator->shard, timeout,
                [this, call](absl::StatusOr<StreamPtr> stream) mutable {
                  if (!stream.ok()) return call->done(stream.status());
                  call->stream = *std::move(stream);
                  BeginRead(std::move(call));
                });
}

void ReadOperations::BeginRead(std::shared_ptr<ReadCall> call) {
  const Account& account = router_->account();
  if (!call->address.arn.empty() || !call->address.id.empty()) {
    const absl::StatusOr<StreamRef> ref = ResolveStream(call->address, account);
    if (!ref.ok()) return call->done(ref.status());
    const bool names_other =
        !ref->name.empty() && ref->name != call->stream->name;
    if (names_other || ref->id.value_or(call->stream->id) != call->stream->id) {
      return call->done(MakeError(
          ErrorReason::kInvalidArgument,
          absl::StrCat("The ShardIterator belongs to stream ",
                       call->stream->name, ", not to the ",
                       names_other ? "StreamARN's." : "StreamId's.")));
    }
  }
  call->shard = call->stream->FindShard(call->iterator.shard.shard);
  if (call->shard == nullptr) {
    return call->done(ShardNotFound(ShardIdToString(call->iterator.shard.shard),
                                    call->stream->name, account));
  }
  if (call->dry_run) return call->done(DryRunSucceeded());
  const absl::Duration left = call->deadline - clock_->MonotonicNow();
  rates_->EnterGetRecords(*call->stream, *call->shard, left,
                          [this, call](absl::Status admitted) {
                            if (!admitted.ok()) return call->done(admitted);
                            AwaitFresh(call);
                          });
}

void ReadOperations::AwaitFresh(std::shared_ptr<ReadCall> call) {
  const bool here = reader_->StateOf(*call->stream, *call->shard).exists;
  if (read_from_ == ReadFrom::kNearest && here) {
    return ScheduleRead(std::move(call));
  }
  const absl::Duration left = call->deadline - clock_->MonotonicNow();
  replicas_->ReadBarrier(
      {call->shard->group, left, [this, call](absl::Status status) mutable {
         if (!status.ok()) return call->done(status);
         ScheduleRead(std::move(call));
       }});
}

void ReadOperations::ScheduleRead(std::shared_ptr<ReadCall> call) {
  WorkPool::Job job = [this, call] { call->done(Read(*call)); };
  if (!pool_->TrySchedule(job)) call->done(TooManyReads());
}

absl::StatusOr<GetRecordsResponse> ReadOperations::Read(const ReadCall& call) {
  ASSIGN_OR_RETURN(Ticket ticket,
                   admission_->AdmitUpTo(call.stream->name, kGetRecordsBytesMax,
                                         kReadBytesMin));
  RunLimits limits = call.limits;
  limits.bytes_max = ticket.bytes();
  ASSIGN_OR_RETURN(ShardRead read, ReadShard(call, limits));
  ticket.ShrinkTo(read.run.bytes);
  rates_->CountRead(*call.stream, *call.shard, CountedBytes(read.run));

  GetRecordsResponse response;
  response.millis_behind_latest = read.millis_behind_latest;
  if (read.at_end) {
    // The newest catalogue here: children are made after the reader's lookup.
    const StreamPtr stream = router_->catalog().Find(call.stream->id);
    if (stream != nullptr) {
      response.child_shards = ChildrenOf(*stream, call.shard->index);
    }
  }
  if (response.child_shards.empty()) {
    response.next_shard_iterator = EncodeShardIterator(
        *signer_,
        {call.iterator.shard, read.run.next, call.iterator.generation + 1},
        clock_->WallNow());
  }
  response.records = std::move(read.run);
  response.encrypted = IsEncrypted(*call.stream);
  response.ticket = std::move(ticket);
  return response;
}

absl::StatusOr<ShardRead> ReadOperations::ReadShard(const ReadCall& call,
                                                    const RunLimits& limits) {
  ASSIGN_OR_RETURN(std::optional<ShardRead> read,
                   reader_->ReadMemory(*call.stream, *call.shard,
                                       call.iterator.next, limits));
  if (read.has_value()) return *std::move(read);
  return reader_->ReadLog(*call.stream, *call.shard, call.iterator.next,
                          limits);
}

}  // namespace trireme
