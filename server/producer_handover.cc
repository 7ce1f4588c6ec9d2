#include "server/producer_handover.h"

#include <algorithm>
#include <iterator>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(10);
// What is told at the same time; one reshard's is, however much it is.
constexpr uint64_t kBytesInFlightMax = 4u << 20;

bool HasAny(const std::vector<ShardIndex>& shards, const ShardSet& of) {
  return std::any_of(shards.begin(), shards.end(),
                     [&of](ShardIndex shard) { return of.contains(shard); });
}

}  // namespace

struct ProducerHandover::Call {
  Call(std::shared_ptr<const Stream> of, const ShardSet& parents, Done then)
      : stream(std::move(of)), done(std::move(then)) {
    for (const Reshard& reshard : stream->reshards) {
      if (HasAny(reshard.parents, parents)) waiting.push_back(&reshard);
    }
  }

  void Expect(uint64_t more) {
    absl::MutexLock lock(&mu);
    bytes += more;
    ++due;
  }
  // What was told with so many bytes, or asked, is answered; true: nothing else
  // is under way.
  bool Answer(const absl::Status& status, const ShardSet& of,
              uint64_t bytes_told = 0) {
    absl::MutexLock lock(&mu);
    outcome.status.Update(status);
    if (!status.ok()) outcome.untold.insert(of.begin(), of.end());
    bytes -= bytes_told;
    return --due == 0;
  }
  // Counts as under way until it is answered.
  const Reshard* TakeNext() {
    absl::MutexLock lock(&mu);
    while (next < waiting.size() &&
           HasAny(waiting[next]->parents, outcome.untold)) {
      ++next;
    }
    if (next == waiting.size() || bytes >= kBytesInFlightMax) return nullptr;
    ++due;
    return waiting[next++];
  }
  bool ended() {
    absl::MutexLock lock(&mu);
    return next == waiting.size();
  }
  void Finish() {
    Outcome result;
    {
      absl::MutexLock lock(&mu);
      result = std::move(outcome);
    }
    done(std::move(result));
  }

  const std::shared_ptr<const Stream> stream;
  Done done;
  std::vector<const Reshard*> waiting;  // Set at construction.

  absl::Mutex mu;
  size_t next ABSL_GUARDED_BY(mu) = 0;     // Of `waiting`.
  int due ABSL_GUARDED_BY(mu) = 0;         // Answers.
  uint64_t bytes ABSL_GUARDED_BY(mu) = 0;  // Told and not answered.
  Outcome outcome ABSL_GUARDED_BY(mu);
};

void ProducerHandover::Run(std::shared_ptr<const Stream> stream,
                           const ShardSet& parents, Done done) {
  const auto call =
      std::make_shared<Call>(std::move(stream), parents, std::move(done));
  absl::btree_map<GroupId, ShardSet> by_group;
  for (const Reshard* reshard : call->waiting) {
    for (const ShardIndex parent : reshard->parents)
      by_group[call->stream->FindShard(parent)->group].insert(parent);
  }
  call->Expect(0);  // Whoever asks counts until all is asked.
  for (const auto& [group, shards] : by_group) {
    call->Expect(0);
    replicas_->ReadBarrier(
        {group, kTimeout,
         [this, call, shards = shards](const absl::Status& status) {
           if (call->Answer(status, shards)) TellSoon(call);
         }});
  }
  if (call->Answer(absl::OkStatus(), {})) TellSoon(call);
}

// Not on a thread of the replica: it reads the store.
void ProducerHandover::TellSoon(const CallPtr& call) {
  timers_->After(absl::ZeroDuration(), [this, call] { Tell(call); });
}

void ProducerHandover::Tell(const CallPtr& call) {
  call->Expect(0);
  while (const Reshard* const reshard = call->TakeNext()) {
    const auto rows = ReadParents(*call->stream, *reshard);
    if (rows.ok()) TellChildren(call, *reshard, *rows);
    OnAnswer(call, *reshard, rows.status(), 0);
  }
  if (call->Answer(absl::OkStatus(), {})) {
    call->ended() ? call->Finish() : TellSoon(call);
  }
}

absl::StatusOr<std::vector<ProducerRow>> ProducerHandover::ReadParents(
    const Stream& stream, const Reshard& reshard) const {
  std::vector<ProducerRow> rows;
  for (const ShardIndex parent : reshard.parents) {
    const GroupId group = stream.FindShard(parent)->group;
    ASSIGN_OR_RETURN(std::vector<ProducerRow> read,
                     read_(group, {stream.id, parent}));
    std::move(read.begin(), read.end(), std::back_inserter(rows));
  }
  return rows;
}

void ProducerHandover::TellChildren(const CallPtr& call, const Reshard& reshard,
                                    const std::vector<ProducerRow>& rows) {
  v1::Command command;
  v1::ImportProducersCommand& import = *command.mutable_import_producers();
  import.set_stream_id(call->stream->id.value());
  EncodeImport(rows, &import);
  for (const Shard& child : reshard.children) {
    import.set_shard(child.index.value());
    std::string bytes = command.SerializeAsString();
    const uint64_t size = bytes.size();
    call->Expect(size);
    replicas_->Propose(ProposalOfCommand(
        child.group, std::move(bytes), kTimeout,
        [this, call, &reshard, size](const ProposalOutcome& outcome) {
          OnAnswer(call, reshard, outcome.status, size);
        }));
  }
}

void ProducerHandover::OnAnswer(const CallPtr& call, const Reshard& reshard,
                                const absl::Status& status, uint64_t bytes) {
  const ShardSet parents(reshard.parents.begin(), reshard.parents.end());
  if (!call->Answer(status, parents, bytes)) return;
  call->ended() ? call->Finish() : TellSoon(call);
}

}  // namespace trireme
