// ProducerHandover tells the children of sealed shards what those knew of their
// producers, before anything is put to them: so a record that is sent again
// after a reshard is still written once (docs/decisions/0009).
//
// Owned by a StreamLifecycle; keeps nothing between two runs. What is told
// again changes nothing.
#ifndef TRIREME_SERVER_PRODUCER_HANDOVER_H_
#define TRIREME_SERVER_PRODUCER_HANDOVER_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/replicas.h"
#include "server/timers.h"
#include "storage/catalog.h"
#include "storage/ids.h"
#include "storage/producer_row.h"

namespace trireme {

// What this node's replica knows of the producers of a shard.
using ReadProducers =
    std::function<absl::StatusOr<std::vector<ProducerRow>>(GroupId, ShardKey)>;
using ShardSet = absl::btree_set<ShardIndex>;

class ProducerHandover {
 public:
  // The pointers must outlive this, and this its runs.
  ProducerHandover(Replicas* replicas, Timers* timers, ReadProducers read)
      : replicas_(replicas), timers_(timers), read_(std::move(read)) {}

  struct Outcome {
    absl::Status status;  // The first reason for what follows.
    ShardSet untold;      // Parents one of whose children does not know.
  };
  using Done = absl::AnyInvocable<void(Outcome)>;
  // `parents` of the stream's reshards, which are sealed and have producers.
  // `done` is called once, on any thread.
  void Run(std::shared_ptr<const Stream> stream, const ShardSet& parents,
           Done done);

 private:
  struct Call;
  using CallPtr = std::shared_ptr<Call>;

  // Once this replica has applied the seals: one reshard after the other, as
  // many at a time as may be.
  void Tell(const CallPtr& call);
  void TellSoon(const CallPtr& call);
  // All that the parents of a reshard know.
  absl::StatusOr<std::vector<ProducerRow>> ReadParents(
      const Stream& stream, const Reshard& reshard) const;
  void TellChildren(const CallPtr& call, const Reshard& reshard,
                    const std::vector<ProducerRow>& rows);
  void OnAnswer(const CallPtr& call, const Reshard& reshard,
                const absl::Status& status, uint64_t bytes);

  // Set at construction.
  Replicas* const replicas_;
  Timers* const timers_;
  const ReadProducers read_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_PRODUCER_HANDOVER_H_
