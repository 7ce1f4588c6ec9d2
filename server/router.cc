#include "server/router.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"

namespace trireme {

StreamPtr Router::FindHere(absl::string_view name) const {
  return catalog_->Find(name);
}

StreamPtr Router::FindHere(const StreamRef& ref) const {
  if (!ref.id.has_value()) return FindHere(ref.name);
  StreamPtr stream = catalog_->Find(*ref.id);
  if (stream != nullptr && CheckNamesAgree(ref, stream->name).ok()) {
    return stream;
  }
  return nullptr;
}

absl::StatusOr<StreamPtr> Router::Lookup(const StreamRef& ref) const {
  if (!ref.id.has_value()) return Lookup(ref.name);
  StreamPtr stream = catalog_->Find(*ref.id);
  if (stream == nullptr) {
    return MakeError(
        ErrorReason::kResourceNotFound,
        absl::StrCat("Stream with StreamId ", StreamIdToString(*ref.id),
                     " under account ", account_.id, " not found."));
  }
  RETURN_IF_ERROR(CheckNamesAgree(ref, stream->name));
  return stream;
}

absl::StatusOr<StreamPtr> Router::Lookup(absl::string_view name) const {
  StreamPtr stream = catalog_->Find(name);
  if (stream == nullptr) return StreamNotFound(name, account_);
  return stream;
}

absl::StatusOr<StreamPtr> Router::Lookup(StreamId id) const {
  StreamPtr stream = catalog_->Find(id);
  if (stream == nullptr) {
    return MakeError(ErrorReason::kResourceNotFound,
                     absl::StrCat("The stream this was issued for does not "
                                  "exist any more under account ",
                                  account_.id, "."));
  }
  return stream;
}

void Router::Find(const StreamRef& ref, absl::string_view shard_id,
                  absl::Duration timeout, FoundStream found) {
  StreamPtr stream = FindHere(ref);
  const absl::StatusOr<ShardIndex> shard = ParseShardId(shard_id);
  // What is no id of a shard is none after a barrier either.
  const bool known = stream != nullptr &&
                     (!shard.ok() || stream->FindShard(*shard) != nullptr);
  if (known) return found(std::move(stream));
  FindFresh(ref, timeout, std::move(found));
}

void Router::Find(ShardKey shard, absl::Duration timeout, FoundStream found) {
  StreamPtr stream = catalog_->Find(shard.stream);
  if (stream != nullptr && stream->FindShard(shard.shard) != nullptr) {
    return found(std::move(stream));
  }
  FindFresh(shard.stream, timeout, std::move(found));
}

void Router::FindFresh(const StreamRef& ref, absl::Duration timeout,
                       FoundStream found) {
  Refresh(timeout, [this, name = std::string(ref.name), id = ref.id,
                    found = std::move(found)](absl::Status status) mutable {
    if (!status.ok()) return found(std::move(status));
    found(Lookup(StreamRef{name, id}));
  });
}

void Router::FindFresh(absl::string_view name, absl::Duration timeout,
                       FoundStream found) {
  Refresh(timeout, [this, name = std::string(name),
                    found = std::move(found)](absl::Status status) mutable {
    if (!status.ok()) return found(std::move(status));
    found(Lookup(name));
  });
}

void Router::FindFresh(StreamId id, absl::Duration timeout, FoundStream found) {
  Refresh(timeout,
          [this, id, found = std::move(found)](absl::Status status) mutable {
            if (!status.ok()) return found(std::move(status));
            found(Lookup(id));
          });
}

void Router::Refresh(absl::Duration timeout,
                     absl::AnyInvocable<void(absl::Status)> done) {
  // Off the node's own threads: what follows may format a page of shards.
  replicas_->ReadBarrier(
      {kMetaGroup, timeout,
       [this, done = std::move(done)](absl::Status status) mutable {
         pool_->Schedule(
             [done = std::move(done), status = std::move(status)]() mutable {
               done(std::move(status));
             });
       }});
}

absl::StatusOr<const Shard*> ShardOf(const Stream& stream,
                                     absl::string_view partition_key,
                                     absl::string_view explicit_hash_key) {
  if (explicit_hash_key.empty()) {
    return &stream.ShardFor(HashPartitionKey(partition_key));
  }
  ASSIGN_OR_RETURN(const HashKey key, ParseExplicitHashKey(explicit_hash_key));
  return &stream.ShardFor(key);
}

absl::StatusOr<const Shard*> FindShard(const Stream& stream,
                                       absl::string_view shard_id,
                                       const Account& account) {
  const absl::StatusOr<ShardIndex> index = ParseShardId(shard_id);
  if (!index.ok()) {
    if (ReasonOf(index.status()) != ErrorReason::kResourceNotFound) {
      return index.status();
    }
    return MakeError(
        ErrorReason::kResourceNotFound,
        absl::StrCat("Could not find shard ", shard_id, " in stream ",
                     stream.name, " under account ", account.id, "."));
  }
  const Shard* shard = stream.FindShard(*index);
  if (shard == nullptr) {
    return ShardNotFound(ShardIdToString(*index), stream.name, account);
  }
  return shard;
}

}  // namespace trireme
