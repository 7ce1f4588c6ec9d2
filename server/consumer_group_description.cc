#include "server/consumer_group_description.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "server/barriers.h"
#include "server/limits.h"
#include "server/page_size.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// What its workers have.
void SumLoads(DescribeGroupResponse* response) {
  for (const auto& [shard, lease] : response->group.leases) {
    if (lease.owner == 0) continue;
    DescribeGroupResponse::Load& load = response->loads[lease.owner];
    ++load.lease_count;
    load.bytes_per_second += lease.bytes_per_second;
  }
}

}  // namespace

const std::pair<const ConsumerGroupId, ConsumerGroup>* FindGroup(
    const ConsumerGroups& groups, StreamId stream, absl::string_view name) {
  for (auto at = groups.lower_bound({stream, 0});
       at != groups.end() && at->first.stream == stream; ++at) {
    if (at->second.name == name) return &*at;
  }
  return nullptr;
}

absl::Status ConsumerGroupNotFound(absl::string_view name,
                                   absl::string_view stream,
                                   const Account& account) {
  return MakeError(ErrorReason::kResourceNotFound,
                   absl::StrCat("Consumer group ", name, " of stream ", stream,
                                " under account ", account.id, " not found."));
}

struct ConsumerGroupDescription::Call {
  std::string name;
  std::optional<ShardIndex> after;  // Nothing: the first page.
  size_t page = 0;
  absl::Duration deadline;  // Monotonic.
  DescribeGroupResponse response;
  Done<DescribeGroupResponse> done;
};

void ConsumerGroupDescription::Describe(const DescribeGroupRequest& request,
                                        absl::Duration timeout,
                                        Done<DescribeGroupResponse> done) {
  Violations violations;
  CheckResourceName("groupName", request.group.name, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  const absl::StatusOr<size_t> page =
      PageSize("maxResults", request.max_results, kDescribeGroupPage);
  if (!page.ok()) return done(page.status());
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(request.group.stream, router_->account());
  if (!ref.ok()) return done(ref.status());
  auto call = std::make_shared<Call>();
  std::optional<ListPosition> from;
  if (!request.next_token.empty()) {
    absl::StatusOr<ListPosition> position =
        DecodeNextToken(*signer_, ListOperation::kDescribeConsumerGroup,
                        request.next_token, clock_->WallNow());
    if (!position.ok()) return done(position.status());
    from = *std::move(position);
    call->after = from->shard;
  }
  call->name = std::string(request.group.name);
  call->page = *page;
  call->deadline = clock_->MonotonicNow() + timeout;
  call->done = std::move(done);
  router_->FindFresh(
      *ref, timeout,
      [this, call, from = std::move(from)](absl::StatusOr<StreamPtr> stream) {
        if (!stream.ok()) return call->done(stream.status());
        if (from.has_value() &&
            (from->stream != (*stream)->id || from->name != call->name)) {
          return call->done(
              MakeError(ErrorReason::kInvalidArgument,
                        "The NextToken belongs to another consumer group."));
        }
        call->response.stream = *std::move(stream);
        if (ReadGroup(call.get())) return AwaitShards(call);
        call->done(ConsumerGroupNotFound(
            call->name, call->response.stream->name, router_->account()));
      });
}

bool ConsumerGroupDescription::ReadGroup(Call* call) const {
  DescribeGroupResponse& response = call->response;
  bool is_there = false;
  leases_->Read([&](const ConsumerGroups& groups) {
    const auto* const row = FindGroup(groups, response.stream->id, call->name);
    is_there = row != nullptr;
    if (is_there) response.group = row->second.WithoutPending();
    if (!is_there) return;
    for (auto& [shard, lease] : row->second.leases) {
      // That there is one, not what it holds.
      if (lease.pending.has_value()) {
        response.group.leases[shard].pending =
            PendingCheckpoint{lease.pending->position, ""};
      }
    }
  });
  if (!is_there) return false;
  SumLoads(&response);
  FillPage(call);
  return true;
}

void ConsumerGroupDescription::FillPage(Call* call) const {
  DescribeGroupResponse& response = call->response;
  response.first_page = !call->after.has_value();
  const std::vector<Shard>& shards = response.stream->shards;
  auto shard = shards.begin();
  if (call->after.has_value()) {
    shard = std::find_if(shards.begin(), shards.end(), [&](const Shard& one) {
      return one.index > *call->after;
    });
  }
  for (; shard != shards.end(); ++shard) {
    if (response.rows.size() == call->page) {
      ListPosition last;
      last.stream = response.stream->id;
      last.shard = response.rows.back().found.shard->index;
      last.name = call->name;
      response.next_token =
          EncodeNextToken(*signer_, ListOperation::kDescribeConsumerGroup, last,
                          clock_->WallNow());
      return;
    }
    DescribeGroupResponse::Row& row = response.rows.emplace_back();
    row.found.shard = &*shard;
    const auto lease = response.group.leases.find(shard->index);
    if (lease != response.group.leases.end()) row.found.lease = lease->second;
  }
}

void ConsumerGroupDescription::AwaitShards(std::shared_ptr<Call> call) {
  absl::btree_set<GroupId> groups;
  for (const auto& row : call->response.rows) {
    if (row.found.lease.has_value()) groups.insert(row.found.shard->group);
  }
  AwaitBarriers(groups, call->deadline - clock_->MonotonicNow(), replicas_,
                [this, call](absl::Status fresh) {
                  if (!fresh.ok()) return call->done(std::move(fresh));
                  // It reads the disk.
                  pool_->Schedule([this, call] {
                    absl::Status read = ReadLags(call.get());
                    if (!read.ok()) return call->done(std::move(read));
                    call->done(std::move(call->response));
                  });
                });
}

absl::Status ConsumerGroupDescription::ReadLags(Call* call) const {
  for (DescribeGroupResponse::Row& row : call->response.rows) {
    if (!row.found.lease.has_value()) continue;
    absl::StatusOr<std::optional<int64_t>> behind =
        MillisBehind(*call->response.stream, row.found);
    // It was forgotten just now.
    if (ReasonOf(behind.status()) == ErrorReason::kResourceNotFound) continue;
    RETURN_IF_ERROR(behind.status());
    row.millis_behind = *behind;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<int64_t>> ConsumerGroupDescription::MillisBehind(
    const Stream& stream, const FoundLease& found) const {
  const LeasePosition& checkpoint = found.lease->checkpoint;
  Counter next = 0;
  switch (checkpoint.kind) {
    case LeasePositionKind::kTrimHorizon:
      break;
    case LeasePositionKind::kAtTimestamp: {
      ASSIGN_OR_RETURN(
          next,
          reader_->FindTime(stream, *found.shard,
                            absl::FromUnixMillis(checkpoint.timestamp_ms)));
      break;
    }
    case LeasePositionKind::kSequenceNumber:
      next = checkpoint.counter + 1;
      break;
    case LeasePositionKind::kLatest:
    case LeasePositionKind::kShardEnd:
      return std::nullopt;
  }
  constexpr RunLimits kOneRecord = {1, 1};
  ASSIGN_OR_RETURN(std::optional<ShardRead> read,
                   reader_->ReadMemory(stream, *found.shard, next, kOneRecord));
  if (!read.has_value()) {
    ASSIGN_OR_RETURN(read,
                     reader_->ReadLog(stream, *found.shard, next, kOneRecord));
  }
  if (read->run.record_count == 0) return 0;
  const int64_t now_ms = absl::ToUnixMillis(clock_->WallNow());
  return std::max<int64_t>(1, now_ms - read->run.last_arrival_ms);
}

}  // namespace trireme
