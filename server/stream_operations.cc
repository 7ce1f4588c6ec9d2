#include "server/stream_operations.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/capacity_operations.h"
#include "server/limits.h"
#include "server/page_size.h"
#include "server/shard_limit.h"
#include "server/tags.h"
#include "server/validation.h"
#include "storage/errors.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"
#include "storage/tag_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

// The first shard a page may show, after the one that `member` names.
absl::StatusOr<uint32_t> FirstIndexAfter(absl::string_view member,
                                         absl::string_view shard_id) {
  if (shard_id.empty()) return 0;
  Violations violations;
  CheckResourceName(member, shard_id, &violations);
  RETURN_IF_ERROR(violations.ToStatus());
  const absl::StatusOr<ShardIndex> shard = ParseShardId(shard_id);
  if (!shard.ok()) {
    return MakeError(ErrorReason::kInvalidArgument,
                     absl::StrCat(member, " ", shard_id,
                                  " is not the id of a shard; one looks like ",
                                  ShardIdToString(ShardIndex(0))));
  }
  return shard->value() + 1;
}

// Up to `limit` unexpired shards of the window with index >= `first`; true:
// there are more.
bool PageOfShards(const Stream& stream, uint32_t first,
                  const ShardWindow& window, size_t limit, absl::Time now,
                  std::vector<const Shard*>* shards) {
  for (const Shard& shard : stream.shards) {
    if (shard.index.value() < first || !window.Has(shard) ||
        stream.IsExpired(shard, now)) {
      continue;
    }
    if (shards->size() == limit) return true;
    shards->push_back(&shard);
  }
  return false;
}

}  // namespace

void StreamOperations::CreateStream(const CreateStreamRequest& request,
                                    absl::Duration timeout, StatusDone done) {
  const bool on_demand = request.mode == StreamMode::kOnDemand;
  Violations violations;
  CheckResourceName("streamName", request.stream_name, &violations);
  if (request.shard_count < 1 && !on_demand) {
    violations.CheckRange("shardCount", request.shard_count, 1,
                          static_cast<int64_t>(kShardsMax));
  }
  const int record_kib = request.max_record_size_in_kib == 0
                             ? kStreamRecordKibMaxLow
                             : request.max_record_size_in_kib;
  violations.CheckRange("maxRecordSizeInKiB", record_kib,
                        kStreamRecordKibMaxLow, kStreamRecordKibMaxHigh);
  if (!request.tags.empty()) CheckTags(request.tags, &violations);
  CheckWarmThroughput(request.warm_mibps, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  absl::Status tagged = CheckTagKeysAreFree(request.tags);
  tagged.Update(CheckTagCount(request.tags.size(), "stream",
                              request.stream_name, router_->account()));
  if (!tagged.ok()) return done(std::move(tagged));

  const uint32_t shard_count = on_demand
                                   ? kOnDemandShardsAtFirst
                                   : static_cast<uint32_t>(request.shard_count);
  v1::Command command;
  v1::CreateStreamCommand& create = *command.mutable_create_stream();
  create.set_name(std::string(request.stream_name));
  create.set_shard_count(shard_count);
  create.set_retention_hours(kRetentionHoursDefault);
  create.set_record_bytes_max(static_cast<uint64_t>(record_kib) * 1024);
  create.set_streams_creating_max(kStreamsCreatingMax);
  create.set_shards_open_max(kShardsMax);
  AppendTags(request.tags, create.mutable_tags());
  create.set_mode(static_cast<uint32_t>(request.mode));
  create.set_distribution(static_cast<uint32_t>(request.distribution));
  if (request.warm_mibps.has_value()) {
    create.set_warm_mibps(static_cast<uint32_t>(*request.warm_mibps));
  }
  create.set_on_demand_streams_max(kOnDemandStreamsMax);
  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  router_->Refresh(
      timeout, [this, name = create.name(), shard_count, deadline,
                is_warm = request.warm_mibps.has_value() && on_demand,
                bytes = command.SerializeAsString(),
                done = std::move(done)](absl::Status status) mutable {
        if (status.ok()) status = CheckRoomFor(name, shard_count);
        if (status.ok() && is_warm) {
          status = CheckCommitment(router_->catalog(), clock_->WallNow());
        }
        if (!status.ok()) return done(std::move(status));
        ProposeToMeta(std::move(bytes), deadline - clock_->MonotonicNow(),
                      std::move(done));
      });
}

// The limits of the cluster, in the service's words. Creations at the same time
// meet them where they are applied (storage/catalog_commands.cc).
absl::Status StreamOperations::CheckRoomFor(const std::string& name,
                                            uint32_t shard_count) {
  const Account& account = router_->account();
  const Catalog& catalog = router_->catalog();
  if (catalog.Find(name) != nullptr) {
    return MakeError(ErrorReason::kResourceInUse,
                     absl::StrCat("Stream ", name, " under account ",
                                  account.id, " already exists."));
  }
  const auto streams = catalog.List("", catalog.stream_count());
  const auto creating = std::count_if(
      streams.begin(), streams.end(), [](const StreamPtr& stream) {
        return stream->status == StreamStatus::kCreating;
      });
  if (creating >= kStreamsCreatingMax) {
    return MakeError(
        ErrorReason::kLimitExceeded,
        absl::StrCat(creating,
                     " streams are being created; the "
                     "limit is ",
                     kStreamsCreatingMax, "; wait until one is ACTIVE"));
  }
  return CheckShardLimit(catalog, group_count_, shard_count, account);
}

void StreamOperations::DeleteStream(const DeleteStreamRequest& request,
                                    absl::Duration timeout, StatusDone done) {
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(request.stream, router_->account());
  if (!ref.ok()) return done(ref.status());
  if (!ref->id.has_value()) {
    return DeleteNamed(std::string(ref->name), StreamId(),
                       request.enforce_consumer_deletion, timeout,
                       std::move(done));
  }
  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  router_->FindFresh(
      *ref, timeout,
      [this, deadline, enforce = request.enforce_consumer_deletion,
       done = std::move(done)](absl::StatusOr<StreamPtr> found) mutable {
        if (!found.ok()) return done(found.status());
        DeleteNamed((*found)->name, (*found)->id, enforce,
                    deadline - clock_->MonotonicNow(), std::move(done));
      });
}

// Whatever stream has the name then, unless `id` says which one.
void StreamOperations::DeleteNamed(const std::string& name, StreamId id,
                                   bool enforce_consumer_deletion,
                                   absl::Duration timeout, StatusDone done) {
  v1::Command command;
  v1::DeleteStreamCommand& deletion = *command.mutable_delete_stream();
  deletion.set_name(name);
  deletion.set_stream_id(id.value());
  deletion.set_enforce_consumer_deletion(enforce_consumer_deletion);
  ProposeToMeta(
      command.SerializeAsString(), timeout,
      [this, name, done = std::move(done)](absl::Status status) mutable {
        done(InOurWords(std::move(status), name));
      });
}

// Why a deletion was refused, in the words that all operations use.
absl::Status StreamOperations::InOurWords(absl::Status refused,
                                          absl::string_view name) const {
  const Account& account = router_->account();
  if (ReasonOf(refused) == ErrorReason::kResourceNotFound) {
    return StreamNotFound(name, account);
  }
  const StreamPtr stream = router_->catalog().Find(name);
  if (ReasonOf(refused) != ErrorReason::kResourceInUse || stream == nullptr) {
    return refused;
  }
  if (stream->status == StreamStatus::kDeleting) {
    return StreamNotActive(name, StreamStatusName(stream->status), account);
  }
  return MakeError(
      ErrorReason::kResourceInUse,
      absl::StrCat(
          "Stream ", name, " under account ", account.id,
          " has registered consumers. Deregister them, or delete it with "
          "EnforceConsumerDeletion."));
}

void StreamOperations::ProposeToMeta(std::string command,
                                     absl::Duration timeout, StatusDone done) {
  replicas_->Propose(ProposalOfCommand(
      kMetaGroup, std::move(command), timeout,
      [done = std::move(done)](ProposalOutcome outcome) mutable {
        done(std::move(outcome.status));
      }));
}

void StreamOperations::DescribeStream(const DescribeStreamRequest& request,
                                      absl::Duration timeout,
                                      Done<DescribeStreamResponse> done) {
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(request.stream, router_->account());
  if (!ref.ok()) return done(ref.status());
  const absl::StatusOr<size_t> page =
      PageSize("limit", request.limit, kDescribeStreamPage);
  if (!page.ok()) return done(page.status());
  const absl::StatusOr<uint32_t> first = FirstIndexAfter(
      "exclusiveStartShardId", request.exclusive_start_shard_id);
  if (!first.ok()) return done(first.status());

  router_->FindFresh(
      *ref, timeout,
      [this, page = *page, first = *first,
       done = std::move(done)](absl::StatusOr<StreamPtr> stream) mutable {
        if (!stream.ok()) return done(stream.status());
        DescribeStreamResponse response;
        response.stream = *std::move(stream);
        if (response.stream->status != StreamStatus::kCreating) {
          response.has_more_shards =
              PageOfShards(*response.stream, first, ShardWindow(), page,
                           clock_->WallNow(), &response.shards);
        }
        done(std::move(response));
      });
}

void StreamOperations::DescribeStreamSummary(const StreamAddress& stream,
                                             absl::Duration timeout,
                                             Done<StreamPtr> done) {
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(stream, router_->account());
  if (!ref.ok()) return done(ref.status());
  router_->FindFresh(*ref, timeout, std::move(done));
}

void StreamOperations::ListStreams(const ListStreamsRequest& request,
                                   absl::Duration timeout,
                                   Done<ListStreamsResponse> done) {
  const absl::StatusOr<size_t> page =
      PageSize("limit", request.limit, kListStreamsPage);
  if (!page.ok()) return done(page.status());
  std::string after(request.exclusive_start_stream_name);
  if (!request.next_token.empty()) {
    absl::StatusOr<ListPosition> position =
        DecodeNextToken(*signer_, ListOperation::kListStreams,
                        request.next_token, clock_->WallNow());
    if (!position.ok()) return done(position.status());
    after = std::move(position->name);
  } else if (!after.empty()) {
    Violations violations;
    CheckResourceName("exclusiveStartStreamName", after, &violations);
    if (!violations.empty()) return done(violations.ToStatus());
  }
  router_->Refresh(timeout,
                   [this, after = std::move(after), page = *page,
                    done = std::move(done)](absl::Status status) mutable {
                     if (!status.ok()) return done(std::move(status));
                     done(ListFrom(after, page));
                   });
}

absl::StatusOr<ListStreamsResponse> StreamOperations::ListFrom(
    absl::string_view after, size_t limit) {
  ListStreamsResponse response;
  // One more than shown tells whether there are more.
  response.streams = router_->catalog().List(after, limit + 1);
  response.has_more_streams = response.streams.size() > limit;
  if (response.has_more_streams) {
    response.streams.resize(limit);
    ListPosition last;
    last.name = response.streams.back()->name;
    response.next_token = EncodeNextToken(*signer_, ListOperation::kListStreams,
                                          last, clock_->WallNow());
  }
  return response;
}

void StreamOperations::ListShards(const ListShardsRequest& request,
                                  absl::Duration timeout,
                                  Done<ListShardsResponse> done) {
  const absl::StatusOr<size_t> page =
      PageSize("maxResults", request.max_results, kListShardsPage);
  if (!page.ok()) return done(page.status());
  const bool has_name = !request.stream.name.empty() ||
                        !request.stream.arn.empty() ||
                        !request.stream.id.empty();
  if (!has_name && request.next_token.empty()) {
    return done(
        MakeError(ErrorReason::kInvalidArgument,
                  "Either NextToken or StreamName should be provided."));
  }
  if (!request.next_token.empty()) {
    if (has_name || !request.exclusive_start_shard_id.empty() ||
        request.filter.type != ShardFilterType::kUnspecified ||
        request.stream_creation_timestamp.has_value()) {
      return done(
          MakeError(ErrorReason::kInvalidArgument,
                    "NextToken and StreamName cannot be provided together."));
    }
    const absl::StatusOr<ListPosition> position =
        DecodeNextToken(*signer_, ListOperation::kListShards,
                        request.next_token, clock_->WallNow());
    if (!position.ok()) return done(position.status());
    return router_->FindFresh(
        position->stream, timeout,
        [this, first = position->shard.value() + 1, window = position->window,
         page = *page,
         done = std::move(done)](absl::StatusOr<StreamPtr> stream) mutable {
          if (!stream.ok()) return done(stream.status());
          done(ListShardsOf(*std::move(stream), first, window, page));
        });
  }
  ListFirstShards(request, *page, timeout, std::move(done));
}

void StreamOperations::ListFirstShards(const ListShardsRequest& request,
                                       size_t page, absl::Duration timeout,
                                       Done<ListShardsResponse> done) {
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(request.stream, router_->account());
  if (!ref.ok()) return done(ref.status());
  absl::Status checked = CheckShardFilter(request.filter);
  if (!checked.ok()) return done(std::move(checked));
  absl::StatusOr<uint32_t> first = FirstIndexAfter(
      "exclusiveStartShardId", request.exclusive_start_shard_id);
  if (first.ok() && !request.filter.shard_id.empty()) {
    const absl::StatusOr<uint32_t> filtered =
        FirstIndexAfter("shardFilter.shardId", request.filter.shard_id);
    first = filtered.ok() ? std::max(*first, *filtered) : filtered;
  }
  if (!first.ok()) return done(first.status());
  // The views of the filter are done with.
  const ShardFilter filter{request.filter.type, "", request.filter.timestamp};
  router_->FindFresh(
      *ref, timeout,
      [this, first = *first, filter, page,
       created = request.stream_creation_timestamp,
       done = std::move(done)](absl::StatusOr<StreamPtr> found) mutable {
        if (!found.ok()) return done(found.status());
        const Stream& stream = **found;
        if (created.has_value() && absl::ToUnixSeconds(*created) !=
                                       absl::ToUnixSeconds(stream.created)) {
          return done(StreamNotFound(stream.name, router_->account()));
        }
        const ShardWindow window = WindowOf(filter, stream, clock_->WallNow());
        done(ListShardsOf(*std::move(found), first, window, page));
      });
}

absl::StatusOr<ListShardsResponse> StreamOperations::ListShardsOf(
    StreamPtr stream, uint32_t first, const ShardWindow& window, size_t limit) {
  if (stream->status == StreamStatus::kCreating) {
    return StreamNotActive(stream->name, StreamStatusName(stream->status),
                           router_->account());
  }
  const absl::Time now = clock_->WallNow();
  ListShardsResponse response;
  response.stream = std::move(stream);
  if (PageOfShards(*response.stream, first, window, limit, now,
                   &response.shards)) {
    response.next_token = EncodeNextToken(
        *signer_, ListOperation::kListShards,
        {"", response.stream->id, response.shards.back()->index, window}, now);
  }
  return response;
}

}  // namespace trireme
