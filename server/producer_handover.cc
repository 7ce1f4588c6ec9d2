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

}  // namespace

struct ProducerHandover::Call {
  Call(std::shared_ptr<const Stream> of, ShardSet from, Done then)
      : stream(std::move(of)),
        parents(std::move(from)),
        done(std::move(then)) {}

  // Something else is asked for.
  void Expect() {
    absl::MutexLock lock(&mu);
    ++due;
  }
  // One is answered; true: the last.
  bool Answer(const absl::Status& status, const ShardSet& of) {
    absl::MutexLock lock(&mu);
    outcome.status.Update(status);
    if (!status.ok()) outcome.untold.insert(of.begin(), of.end());
    return --due == 0;
  }
  bool IsUntold(ShardIndex parent) {
    absl::MutexLock lock(&mu);
    return outcome.untold.contains(parent);
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
  const ShardSet parents;
  Done done;

  absl::Mutex mu;
  int due ABSL_GUARDED_BY(mu) = 1;  // Whoever asks counts until all is asked.
  Outcome outcome ABSL_GUARDED_BY(mu);
};

void ProducerHandover::Run(std::shared_ptr<const Stream> stream,
                           ShardSet parents, Done done) {
  const auto call = std::make_shared<Call>(std::move(stream),
                                           std::move(parents), std::move(done));
  absl::btree_map<GroupId, ShardSet> by_group;
  for (const ShardIndex parent : call->parents)
    by_group[call->stream->FindShard(parent)->group].insert(parent);
  // Not on a thread of the replica: it reads the store.
  const auto tell = [this, call] {
    timers_->After(absl::ZeroDuration(), [this, call] { Tell(call); });
  };
  for (const auto& [group, shards] : by_group) {
    call->Expect();
    replicas_->ReadBarrier(
        {group, kTimeout, [call, tell, shards = shards](absl::Status status) {
           if (call->Answer(status, shards)) tell();
         }});
  }
  if (call->Answer(absl::OkStatus(), {})) tell();
}

void ProducerHandover::Tell(const CallPtr& call) {
  call->Expect();
  for (const Reshard& reshard : call->stream->reshards) {
    const auto with_producers = [&](ShardIndex parent) {
      return call->parents.contains(parent);
    };
    const auto untold = [&](ShardIndex parent) {
      return call->IsUntold(parent);
    };
    const std::vector<ShardIndex>& parents = reshard.parents;
    if (std::none_of(parents.begin(), parents.end(), with_producers)) continue;
    if (std::any_of(parents.begin(), parents.end(), untold)) continue;
    const auto rows = ReadParents(*call, reshard);
    if (!rows.ok()) {
      call->Expect();
      call->Answer(rows.status(), {parents.begin(), parents.end()});
      continue;
    }
    TellChildren(call, reshard, *rows);
  }
  if (call->Answer(absl::OkStatus(), {})) call->Finish();
}

absl::StatusOr<std::vector<ProducerRow>> ProducerHandover::ReadParents(
    const Call& call, const Reshard& reshard) const {
  std::vector<ProducerRow> rows;
  for (const ShardIndex parent : reshard.parents) {
    const GroupId group = call.stream->FindShard(parent)->group;
    ASSIGN_OR_RETURN(std::vector<ProducerRow> read,
                     read_(group, {call.stream->id, parent}));
    std::move(read.begin(), read.end(), std::back_inserter(rows));
  }
  return rows;
}

void ProducerHandover::TellChildren(const CallPtr& call, const Reshard& reshard,
                                    const std::vector<ProducerRow>& rows) {
  for (const Shard& child : reshard.children) {
    v1::Command command;
    v1::ImportProducersCommand& import = *command.mutable_import_producers();
    import.set_stream_id(call->stream->id.value());
    import.set_shard(child.index.value());
    for (const ProducerRow& row : rows)
      EncodeProducerRow(row, import.add_rows());
    call->Expect();
    const ShardSet parents(reshard.parents.begin(), reshard.parents.end());
    replicas_->Propose(
        ProposalOfCommand(child.group, command.SerializeAsString(), kTimeout,
                          [call, parents](const ProposalOutcome& outcome) {
                            if (call->Answer(outcome.status, parents))
                              call->Finish();
                          }));
  }
}

}  // namespace trireme
