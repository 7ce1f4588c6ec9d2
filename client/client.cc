#include "client/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/backoff.h"
#include "client/error.h"
#include "client/status_macros.h"

namespace trireme::client {
namespace {

// How long a silent address may take before the next one is tried.
constexpr absl::Duration kConnectAttempt = absl::Seconds(1);
// Of one attempt of what the topology asks.
constexpr absl::Duration kAskAttempt = absl::Seconds(1);

absl::Status Cancelled(absl::string_view call) {
  return MakeError(absl::StatusCode::kCancelled, kCancelled, call,
                   "the client was cancelled");
}

bool IsUnreachable(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(ClientOptions options) {
  if (options.credentials == nullptr) {
    options.credentials = grpc::InsecureChannelCredentials();
  }
  CLIENT_ASSIGN_OR_RETURN(
      auto endpoints,
      Endpoints::Create(options.endpoints, options.credentials));
  return std::unique_ptr<Client>(
      new Client(std::move(options), std::move(endpoints)));
}

Client::Client(ClientOptions options, std::unique_ptr<Endpoints> endpoints)
    : options_(std::move(options)),
      endpoints_(std::move(endpoints)),
      topology_({
          .list_shards =
              [this](absl::string_view stream, absl::Time deadline) {
                v1::ListShardsRequest request;
                request.set_stream_name(std::string(stream));
                return ListShards(std::move(request), Repeat::kOnceEach,
                                  deadline);
              },
          .learn_leaders =
              [this](absl::Time deadline) {
                const auto status =
                    GetClusterStatus(Repeat::kOnceEach, deadline);
                if (status.ok()) endpoints_->Learn(*status, deadline);
              },
      }) {}

absl::Time Client::Deadline() const { return absl::Now() + options_.timeout; }

absl::Status Client::CallOnce(absl::string_view name, Repeat repeat,
                              const Endpoint& endpoint, absl::Time deadline,
                              Attempt attempt) {
  CLIENT_RETURN_IF_ERROR(endpoint.Connect(
      name, std::min(kConnectAttempt, deadline - absl::Now())));
  grpc::ClientContext context;
  absl::Duration attempt_timeout = absl::InfiniteDuration();
  switch (repeat) {
    case Repeat::kFreely:
      attempt_timeout = options_.attempt_timeout;
      break;
    case Repeat::kWhenNotDone:
      // A write gets all the time there is: cutting it short would only turn a
      // slow success into an unknown outcome.
      break;
    case Repeat::kOnceEach:
      attempt_timeout = kAskAttempt;
      break;
    case Repeat::kInTurn:
      attempt_timeout =
          std::max(kAskAttempt, (deadline - absl::Now()) /
                                    static_cast<double>(endpoints_->size()));
      break;
  }
  context.set_deadline(
      absl::ToChronoTime(std::min(deadline, absl::Now() + attempt_timeout)));
  Cancellation::Hook hook(cancellation_, [&] { context.TryCancel(); });
  return FromGrpc(attempt(endpoint, &context), name);
}

absl::Status Client::Call(absl::string_view name, Repeat repeat,
                          Attempt attempt) {
  return CallUntil(Deadline(), name, repeat, attempt);
}

absl::Status Client::CallUntil(absl::Time deadline, absl::string_view name,
                               Repeat repeat, Attempt attempt,
                               std::optional<uint32_t> group) {
  const absl::Time start = absl::Now();
  Backoff to_next(absl::Milliseconds(10), absl::Milliseconds(100));
  Backoff backoff;
  bool all_refuse = true;
  for (size_t attempts = 1;; ++attempts) {
    if (cancellation_.cancelled()) return Cancelled(name);
    const Endpoint& endpoint = endpoints_->LeaderOf(group);
    const absl::Status status =
        CallOnce(name, repeat, endpoint, deadline, attempt);
    if (status.ok()) return status;
    if (cancellation_.cancelled()) return Cancelled(name);
    const Failure failure = Classify(status);
    if (failure == Failure::kRefused) return status;
    if (failure == Failure::kUnknown && repeat == Repeat::kWhenNotDone) {
      return AsOutcomeUnknown(status);
    }
    all_refuse = all_refuse && endpoint.Refuses();
    if (Reason(status) == kNotConnected && attempts >= endpoints_->size() &&
        absl::Now() - start >= (all_refuse ? options_.refused_timeout
                                           : options_.connect_timeout)) {
      return status;
    }
    // One whose store is damaged says INTERNAL; the others have the records.
    if (IsUnreachable(status) || absl::IsInternal(status)) {
      endpoints_->Leave(endpoint);
    }
    const bool once = repeat == Repeat::kOnceEach || repeat == Repeat::kInTurn;
    if (once && attempts >= endpoints_->size()) {
      return status;
    }
    // The other endpoints are asked soon, one after the other, then all wait.
    const bool others_left =
        IsUnreachable(status) && attempts % endpoints_->size() != 0;
    const absl::Duration delay =
        others_left
            ? to_next.Next()
            : backoff.Next(RetryDelay(status).value_or(absl::ZeroDuration()));
    if (absl::Now() + delay >= deadline) return status;
    if (!cancellation_.WaitFor(delay)) return Cancelled(name);
  }
}

absl::Status Client::CreateStream(absl::string_view name, int shard_count) {
  v1::CreateStreamRequest request;
  request.set_stream_name(std::string(name));
  request.set_shard_count(shard_count);
  return CreateStream(request);
}

absl::Status Client::CreateStream(const v1::CreateStreamRequest& request) {
  v1::CreateStreamResponse response;
  return CallStreams("CreateStream", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::CreateStream, request, &response);
}

absl::Status Client::DeleteStream(absl::string_view name,
                                  bool enforce_consumer_deletion) {
  v1::DeleteStreamRequest request;
  request.set_stream_name(std::string(name));
  request.set_enforce_consumer_deletion(enforce_consumer_deletion);
  v1::DeleteStreamResponse response;
  return CallStreams("DeleteStream", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::DeleteStream, request, &response);
}

absl::Status Client::SplitShard(const v1::SplitShardRequest& request) {
  v1::SplitShardResponse response;
  return CallStreams("SplitShard", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::SplitShard, request, &response);
}

absl::Status Client::MergeShards(const v1::MergeShardsRequest& request) {
  v1::MergeShardsResponse response;
  return CallStreams("MergeShards", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::MergeShards, request, &response);
}

absl::StatusOr<v1::UpdateShardCountResponse> Client::UpdateShardCount(
    absl::string_view name, int target_shard_count) {
  v1::UpdateShardCountRequest request;
  request.set_stream_name(std::string(name));
  request.set_target_shard_count(target_shard_count);
  v1::UpdateShardCountResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams("UpdateShardCount", Repeat::kWhenNotDone,
                                     &v1::Streams::Stub::UpdateShardCount,
                                     request, &response));
  return response;
}

absl::Status Client::IncreaseRetentionPeriod(absl::string_view name,
                                             int hours) {
  v1::IncreaseStreamRetentionPeriodRequest request;
  request.set_stream_name(std::string(name));
  request.set_retention_period_hours(hours);
  v1::IncreaseStreamRetentionPeriodResponse response;
  return CallStreams("IncreaseStreamRetentionPeriod", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::IncreaseStreamRetentionPeriod, request,
                     &response);
}

absl::Status Client::DecreaseRetentionPeriod(absl::string_view name,
                                             int hours) {
  v1::DecreaseStreamRetentionPeriodRequest request;
  request.set_stream_name(std::string(name));
  request.set_retention_period_hours(hours);
  v1::DecreaseStreamRetentionPeriodResponse response;
  return CallStreams("DecreaseStreamRetentionPeriod", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::DecreaseStreamRetentionPeriod, request,
                     &response);
}

// What follows may be done twice.

absl::StatusOr<v1::StreamDescription> Client::DescribeStream(
    absl::string_view name) {
  v1::DescribeStreamRequest request;
  request.set_stream_name(std::string(name));
  v1::StreamDescription whole;
  for (;;) {
    v1::DescribeStreamResponse response;
    CLIENT_RETURN_IF_ERROR(CallStreams("DescribeStream", Repeat::kFreely,
                                       &v1::Streams::Stub::DescribeStream,
                                       request, &response));
    // Merging appends the shards and takes the rest from the newest page.
    whole.MergeFrom(response.stream_description());
    const v1::StreamDescription& page = response.stream_description();
    if (!page.has_more_shards() || page.shards().empty()) break;
    request.set_exclusive_start_shard_id(page.shards().rbegin()->shard_id());
  }
  whole.set_has_more_shards(false);
  return whole;
}

absl::StatusOr<v1::StreamDescriptionSummary> Client::DescribeStreamSummary(
    absl::string_view name) {
  v1::DescribeStreamSummaryRequest request;
  request.set_stream_name(std::string(name));
  v1::DescribeStreamSummaryResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams("DescribeStreamSummary", Repeat::kFreely,
                                     &v1::Streams::Stub::DescribeStreamSummary,
                                     request, &response));
  return std::move(*response.mutable_stream_description_summary());
}

absl::StatusOr<std::vector<v1::StreamSummary>> Client::ListStreams() {
  v1::ListStreamsRequest request;
  std::vector<v1::StreamSummary> all;
  for (;;) {
    v1::ListStreamsResponse response;
    CLIENT_RETURN_IF_ERROR(CallStreams("ListStreams", Repeat::kFreely,
                                       &v1::Streams::Stub::ListStreams, request,
                                       &response));
    all.insert(all.end(), response.stream_summaries().begin(),
               response.stream_summaries().end());
    if (!response.has_more_streams() || response.stream_names().empty()) break;
    request.set_exclusive_start_stream_name(*response.stream_names().rbegin());
  }
  return all;
}

absl::StatusOr<std::vector<v1::Shard>> Client::ListShards(
    absl::string_view name, const v1::ShardFilter& filter) {
  v1::ListShardsRequest request;
  request.set_stream_name(std::string(name));
  if (filter.type() != v1::ShardFilter::TYPE_UNSPECIFIED) {
    *request.mutable_shard_filter() = filter;
  }
  return ListShards(request);
}

absl::StatusOr<std::vector<v1::Shard>> Client::ListShards(
    const v1::ListShardsRequest& request) {
  CLIENT_ASSIGN_OR_RETURN(
      const v1::ListShardsResponse listed,
      ListShards(request, Repeat::kFreely, absl::InfiniteFuture()));
  return std::vector<v1::Shard>(listed.shards().begin(), listed.shards().end());
}

absl::StatusOr<v1::ListShardsResponse> Client::ListShards(
    v1::ListShardsRequest request, Repeat repeat, absl::Time deadline) {
  v1::ListShardsResponse all;
  for (;;) {
    v1::ListShardsResponse response;
    CLIENT_RETURN_IF_ERROR(CallUntil(
        std::min(deadline, Deadline()), "ListShards", repeat,
        [&](const Endpoint& endpoint, grpc::ClientContext* context) {
          return endpoint.streams->ListShards(context, request, &response);
        }));
    request.Clear();
    request.set_next_token(response.next_token());
    response.clear_next_token();
    all.MergeFrom(response);
    if (request.next_token().empty()) break;
  }
  return all;
}

absl::Status Client::WaitUntilActive(absl::string_view name,
                                     absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  Backoff backoff(absl::Milliseconds(20), absl::Milliseconds(500));
  for (;;) {
    CLIENT_ASSIGN_OR_RETURN(const auto summary, DescribeStreamSummary(name));
    if (summary.stream_status() == v1::ACTIVE) return absl::OkStatus();
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat(
          "stream ", name, " is ",
          v1::StreamStatus_Name(summary.stream_status()), " after ",
          absl::FormatDuration(timeout), ", not ACTIVE"));
    }
    if (!cancellation_.WaitFor(backoff.Next())) return Cancelled("wait");
  }
}

absl::Status Client::WaitUntilGone(absl::string_view name,
                                   absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  Backoff backoff(absl::Milliseconds(20), absl::Milliseconds(500));
  for (;;) {
    const auto summary = DescribeStreamSummary(name);
    if (absl::IsNotFound(summary.status())) return absl::OkStatus();
    CLIENT_RETURN_IF_ERROR(summary.status());
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("stream ", name, " is still there after ",
                       absl::FormatDuration(timeout)));
    }
    if (!cancellation_.WaitFor(backoff.Next())) return Cancelled("wait");
  }
}

absl::Status Client::Put(absl::string_view name, absl::string_view stream,
                         absl::string_view partition_key,
                         absl::string_view explicit_hash_key, Attempt attempt) {
  const absl::Time now = absl::Now();
  const absl::Time deadline = now + options_.timeout;
  std::optional<uint32_t> group;
  // A stream may be named by its ARN. A single put is not worth two questions.
  if (!stream.empty() && !topology_.Add(stream, now)) {
    const auto shards = topology_.ShardsOf(stream, now, deadline);
    if (shards != nullptr) {
      group = shards->GroupOf(partition_key, explicit_hash_key);
    }
  }
  const absl::Status status =
      CallUntil(deadline, name, OfWrites(), attempt, group);
  if (absl::IsNotFound(status)) topology_.Forget(stream);
  return status;
}

absl::StatusOr<v1::PutRecordResponse> Client::PutRecord(
    const v1::PutRecordRequest& request) {
  v1::PutRecordResponse response;
  CLIENT_RETURN_IF_ERROR(
      Put("PutRecord", request.stream_name(), request.partition_key(),
          request.explicit_hash_key(),
          [&](const Endpoint& endpoint, grpc::ClientContext* context) {
            return endpoint.records->PutRecord(context, request, &response);
          }));
  return response;
}

absl::StatusOr<v1::PutRecordsResponse> Client::PutRecords(
    const v1::PutRecordsRequest& request) {
  // The service says what is wrong with a request that has no record.
  const v1::PutRecordsEntry& first =
      request.records_size() > 0 ? request.records(0)
                                 : v1::PutRecordsEntry::default_instance();
  v1::PutRecordsResponse response;
  CLIENT_RETURN_IF_ERROR(
      Put("PutRecords", request.stream_name(), first.partition_key(),
          first.explicit_hash_key(),
          [&](const Endpoint& endpoint, grpc::ClientContext* context) {
            return endpoint.records->PutRecords(context, request, &response);
          }));
  return response;
}

absl::StatusOr<std::string> Client::GetShardIterator(
    absl::string_view stream, absl::string_view shard_id,
    const v1::StartingPosition& from) {
  v1::GetShardIteratorRequest request;
  request.set_stream_name(std::string(stream));
  request.set_shard_id(std::string(shard_id));
  request.set_shard_iterator_type(from.type());
  request.set_starting_sequence_number(from.sequence_number());
  if (from.has_timestamp()) *request.mutable_timestamp() = from.timestamp();
  v1::GetShardIteratorResponse response;
  CLIENT_RETURN_IF_ERROR(Call(
      "GetShardIterator", Repeat::kFreely,
      [&](const Endpoint& endpoint, grpc::ClientContext* context) {
        return endpoint.records->GetShardIterator(context, request, &response);
      }));
  return response.shard_iterator();
}

absl::StatusOr<v1::GetRecordsResponse> Client::GetRecords(
    absl::string_view iterator, int limit) {
  v1::GetRecordsRequest request;
  request.set_shard_iterator(std::string(iterator));
  request.set_limit(limit);
  v1::GetRecordsResponse response;
  CLIENT_RETURN_IF_ERROR(
      Call("GetRecords", Repeat::kFreely,
           [&](const Endpoint& endpoint, grpc::ClientContext* context) {
             return endpoint.records->GetRecords(context, request, &response);
           }));
  return response;
}

absl::StatusOr<v1::GetClusterStatusResponse> Client::GetClusterStatus() {
  return GetClusterStatus(Repeat::kFreely, Deadline());
}

absl::StatusOr<v1::GetClusterStatusResponse> Client::GetClusterStatus(
    Repeat repeat, absl::Time deadline) {
  const v1::GetClusterStatusRequest request;
  v1::GetClusterStatusResponse response;
  CLIENT_RETURN_IF_ERROR(CallUntil(
      deadline, "GetClusterStatus", repeat,
      [&](const Endpoint& endpoint, grpc::ClientContext* context) {
        return endpoint.cluster->GetClusterStatus(context, request, &response);
      }));
  return response;
}

v1::StartingPosition FromTrimHorizon() {
  v1::StartingPosition position;
  position.set_type(v1::TRIM_HORIZON);
  return position;
}

v1::StartingPosition FromLatest() {
  v1::StartingPosition position;
  position.set_type(v1::LATEST);
  return position;
}

v1::StartingPosition FromTime(absl::Time time) {
  v1::StartingPosition position;
  position.set_type(v1::AT_TIMESTAMP);
  const int64_t ms = absl::ToUnixMillis(time);
  position.mutable_timestamp()->set_seconds(ms / 1000);
  position.mutable_timestamp()->set_nanos(ms % 1000 * 1'000'000);
  return position;
}

v1::StartingPosition AtSequenceNumber(absl::string_view number) {
  v1::StartingPosition position;
  position.set_type(v1::AT_SEQUENCE_NUMBER);
  position.set_sequence_number(std::string(number));
  return position;
}

v1::StartingPosition AfterSequenceNumber(absl::string_view number) {
  v1::StartingPosition position;
  position.set_type(v1::AFTER_SEQUENCE_NUMBER);
  position.set_sequence_number(std::string(number));
  return position;
}

}  // namespace trireme::client
