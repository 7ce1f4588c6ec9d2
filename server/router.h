// Router finds streams: in this node's catalogue, or, because this replica of
// it may lag, there again after a read barrier on the meta group (design.md
// D8: any node takes any request).
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_ROUTER_H_
#define TRIREME_SERVER_ROUTER_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/resource_names.h"
#include "server/work_pool.h"
#include "storage/catalog.h"
#include "storage/hash_key.h"

namespace trireme {

using StreamPtr = std::shared_ptr<const Stream>;
using FoundStream = absl::AnyInvocable<void(absl::StatusOr<StreamPtr>)>;

class Router {
 public:
  // All pointers must outlive the router.
  Router(const Account& account, const Catalog* catalog, Replicas* replicas,
         WorkPool* pool)
      : account_(account),
        catalog_(catalog),
        replicas_(replicas),
        pool_(pool) {}

  const Account& account() const { return account_; }
  const Catalog& catalog() const { return *catalog_; }

  // Null when it is not known here (yet).
  StreamPtr FindHere(absl::string_view name) const;
  // The same when it is not what the reference says.
  StreamPtr FindHere(const StreamRef& ref) const;

  // Finds a stream by one of its shards. Calls `found` once: on this thread
  // when the stream is known here with the shard, else on the pool, after a
  // barrier.
  // ResourceNotFoundException when the stream does not exist; the shard may
  // still be none of it.
  void Find(const StreamRef& ref, absl::string_view shard_id,
            absl::Duration timeout, FoundStream found);
  void Find(ShardKey shard, absl::Duration timeout, FoundStream found);
  // By its name or number alone, always after a barrier: nothing acknowledged
  // anywhere is missed. InvalidArgumentException for a reference whose name is
  // not that of its id.
  void FindFresh(const StreamRef& ref, absl::Duration timeout,
                 FoundStream found);
  void FindFresh(absl::string_view name, absl::Duration timeout,
                 FoundStream found);
  void FindFresh(StreamId id, absl::Duration timeout, FoundStream found);

  // Calls `done` on the pool once the catalogue here is fresh.
  void Refresh(absl::Duration timeout,
               absl::AnyInvocable<void(absl::Status)> done);

 private:
  absl::StatusOr<StreamPtr> Lookup(absl::string_view name) const;
  absl::StatusOr<StreamPtr> Lookup(StreamId id) const;
  absl::StatusOr<StreamPtr> Lookup(const StreamRef& ref) const;

  // Set at construction.
  const Account account_;
  const Catalog* const catalog_;
  Replicas* const replicas_;
  WorkPool* const pool_;
};

// The open shard that owns the record: by the explicit hash key when there is
// one, else by the key's MD5. InvalidArgumentException for a hash key out of
// range. The stream must have shards.
absl::StatusOr<const Shard*> ShardOf(const Stream& stream,
                                     absl::string_view partition_key,
                                     absl::string_view explicit_hash_key);

// The shard a request names; ResourceNotFoundException otherwise.
absl::StatusOr<const Shard*> FindShard(const Stream& stream,
                                       absl::string_view shard_id,
                                       const Account& account);

}  // namespace trireme

#endif  // TRIREME_SERVER_ROUTER_H_
