// Where puts go without a forward: which replication groups the shards of a
// stream belong to, and who leads them. Asked of the cluster while puts are
// made, never for longer than their deadlines allow; what is not known, or out
// of date, costs a forward and nothing else. Shards are asked for again every
// minute, and when their stream was not found; leaders every few seconds.
// Holds a bounded number of streams. Owned by Client. Any thread.
#ifndef TRIREME_CLIENT_TOPOLOGY_H_
#define TRIREME_CLIENT_TOPOLOGY_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/shard_map.h"
#include "trireme/v1/streams.pb.h"

namespace trireme::client {

class Topology {
 public:
  static constexpr size_t kStreamsMax = 128;
  static constexpr absl::Duration kShardsPeriod = absl::Minutes(1);
  static constexpr absl::Duration kLeadersPeriod = absl::Seconds(5);
  // After nobody could tell a stream's shards.
  static constexpr absl::Duration kRetryPeriod = absl::Seconds(5);
  // Asking takes no longer than this, nor more than half of a put's time.
  static constexpr absl::Duration kAskingMax = absl::Seconds(3);

  // How the cluster is asked, until a deadline.
  struct Source {
    std::function<absl::StatusOr<v1::ListShardsResponse>(
        absl::string_view stream, absl::Time deadline)>
        list_shards;  // All of them.
    std::function<void(absl::Time deadline)> learn_leaders;
  };
  explicit Topology(Source source) : source_(std::move(source)) {}

  // The stream's shards, for a put that is made at `now` and ends by
  // `deadline`. Asks for them and for the leaders when that is due, unless
  // another caller does just now. Null: not known.
  std::shared_ptr<const ShardMap> ShardsOf(absl::string_view stream,
                                           absl::Time now, absl::Time deadline);
  // Asks for the shards, due or not. Null: nobody could tell.
  std::shared_ptr<const ShardMap> LearnShards(absl::string_view stream,
                                              absl::Time now,
                                              absl::Time deadline);
  // The next ShardsOf would ask for shards, or tell others than `have` (null:
  // none).
  bool IsDue(absl::string_view stream, absl::Time now,
             const ShardMap* have) const;
  // Takes note that the stream is put to; true for the first time.
  bool Add(absl::string_view stream, absl::Time now);
  // The stream was not found: its shards are asked for when it is put to again.
  void Forget(absl::string_view stream);
  // Asks who leads, due or not.
  void LearnLeaders(absl::Time now, absl::Time deadline);

 private:
  struct Stream {
    std::shared_ptr<const ShardMap> shards;  // Null: not known.
    absl::Time ask_at;
  };

  Stream& Entry(absl::string_view stream, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  const Source source_;

  mutable absl::Mutex mu_;
  absl::flat_hash_map<std::string, Stream> streams_ ABSL_GUARDED_BY(mu_);
  absl::Time leaders_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_TOPOLOGY_H_
