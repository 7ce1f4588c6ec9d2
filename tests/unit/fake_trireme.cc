#include "tests/unit/fake_trireme.h"

#include <grpcpp/server_builder.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "google/rpc/error_details.pb.h"

namespace trireme::testing {
namespace {

using grpc::Status;
using grpc::StatusCode;

google::protobuf::Timestamp Now() {
  google::protobuf::Timestamp time;
  const int64_t ms = absl::ToUnixMillis(absl::Now());
  time.set_seconds(ms / 1000);
  time.set_nanos(ms % 1000 * 1'000'000);
  return time;
}

std::string SequenceNumber(uint64_t counter) {
  return absl::StrFormat("49%054d", counter);
}

std::string HashKeyText(double share) {
  if (share >= 1) return "340282366920938463463374607431768211455";
  return absl::StrFormat("%.0f", std::ldexp(share, 128));
}

Status NotFound(const std::string& what) {
  return TypedError(StatusCode::NOT_FOUND, "ResourceNotFoundException",
                    absl::StrCat(what, " not found."));
}

}  // namespace

Status TypedError(StatusCode code, const std::string& reason,
                  const std::string& message, absl::Duration retry_delay) {
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("trireme.dev");
  details.add_details()->PackFrom(info);
  if (retry_delay > absl::ZeroDuration()) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_nanos(
        static_cast<int>(absl::ToInt64Nanoseconds(retry_delay)));
    details.add_details()->PackFrom(retry);
  }
  return Status(code, message, details.SerializeAsString());
}

// --- streams ---

class FakeTrireme::StreamsService : public v1::Streams::Service {
 public:
  explicit StreamsService(FakeTrireme& fake) : fake_(fake) {}

  Status CreateStream(grpc::ServerContext*, const v1::CreateStreamRequest* in,
                      v1::CreateStreamResponse*) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("CreateStream"); !s.ok()) return s;
    if (fake_.streams_.contains(in->stream_name())) {
      return TypedError(
          StatusCode::ALREADY_EXISTS, "ResourceInUseException",
          absl::StrCat("Stream ", in->stream_name(), " already exists."));
    }
    Stream& stream = fake_.streams_[in->stream_name()];
    v1::StreamDescription& description = stream.description;
    description.set_stream_name(in->stream_name());
    description.set_stream_arn(absl::StrCat(
        "arn:aws:kinesis:local:000000000000:stream/", in->stream_name()));
    description.set_stream_status(v1::CREATING);
    description.set_retention_period_hours(24);
    *description.mutable_stream_creation_timestamp() = Now();
    const double count = in->shard_count();
    for (int i = 0; i < in->shard_count(); ++i) {
      fake_.AddShard(stream, i / count, (i + 1) / count);
    }
    return Status::OK;
  }

  Status DeleteStream(grpc::ServerContext*, const v1::DeleteStreamRequest* in,
                      v1::DeleteStreamResponse*) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DeleteStream"); !s.ok()) return s;
    Stream* stream = fake_.Find(in->stream_name());
    if (stream == nullptr) return NotFound("Stream " + in->stream_name());
    stream->description.set_stream_status(v1::DELETING);
    return Status::OK;
  }

  Status DescribeStream(grpc::ServerContext*,
                        const v1::DescribeStreamRequest* in,
                        v1::DescribeStreamResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DescribeStream"); !s.ok()) return s;
    Stream* stream = fake_.Find(in->stream_name());
    if (stream == nullptr) return NotFound("Stream " + in->stream_name());
    *out->mutable_stream_description() = stream->description;
    for (const Shard& shard : stream->shards) {
      if (shard.description.shard_id() <= in->exclusive_start_shard_id()) {
        continue;
      }
      v1::StreamDescription* page = out->mutable_stream_description();
      if (page->shards_size() == fake_.shards_per_page_) {
        page->set_has_more_shards(true);
        break;
      }
      *page->add_shards() = shard.description;
    }
    return Status::OK;
  }

  // Asking is what moves time here: the answer after CREATING is ACTIVE.
  Status DescribeStreamSummary(
      grpc::ServerContext*, const v1::DescribeStreamSummaryRequest* in,
      v1::DescribeStreamSummaryResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("DescribeStreamSummary"); !s.ok()) return s;
    Stream* stream = fake_.Find(in->stream_name());
    if (stream == nullptr) return NotFound("Stream " + in->stream_name());
    v1::StreamDescriptionSummary* summary =
        out->mutable_stream_description_summary();
    summary->set_stream_name(in->stream_name());
    summary->set_stream_status(stream->description.stream_status());
    summary->set_open_shard_count(static_cast<int>(stream->shards.size()));
    if (stream->description.stream_status() == v1::CREATING) {
      stream->description.set_stream_status(v1::ACTIVE);
    } else if (stream->description.stream_status() == v1::DELETING) {
      fake_.streams_.erase(in->stream_name());
    }
    return Status::OK;
  }

  Status ListStreams(grpc::ServerContext*, const v1::ListStreamsRequest* in,
                     v1::ListStreamsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("ListStreams"); !s.ok()) return s;
    for (const auto& [name, stream] : fake_.streams_) {
      if (name <= in->exclusive_start_stream_name()) continue;
      if (out->stream_names_size() == fake_.streams_per_page_) {
        out->set_has_more_streams(true);
        break;
      }
      out->add_stream_names(name);
      v1::StreamSummary* summary = out->add_stream_summaries();
      summary->set_stream_name(name);
      summary->set_stream_arn(stream.description.stream_arn());
      summary->set_stream_status(stream.description.stream_status());
      *summary->mutable_stream_creation_timestamp() =
          stream.description.stream_creation_timestamp();
    }
    return Status::OK;
  }

  Status ListShards(grpc::ServerContext*, const v1::ListShardsRequest* in,
                    v1::ListShardsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("ListShards"); !s.ok()) return s;
    if (!in->stream_name().empty() && !in->next_token().empty()) {
      return TypedError(StatusCode::INVALID_ARGUMENT,
                        "InvalidArgumentException", "name and token");
    }
    std::string name = in->stream_name();
    size_t first = 0;
    if (!in->next_token().empty()) {
      const std::vector<std::string> parts =
          absl::StrSplit(in->next_token(), '/');
      name = parts[0];
      if (!absl::SimpleAtoi(parts[1], &first)) return NotFound("token");
    }
    Stream* stream = fake_.Find(name);
    if (stream == nullptr) return NotFound("Stream " + name);
    for (size_t i = first; i < stream->shards.size(); ++i) {
      if (out->shards_size() == fake_.shards_per_page_) {
        out->set_next_token(absl::StrCat(name, "/", i));
        break;
      }
      *out->add_shards() = stream->shards[i].description;
    }
    return Status::OK;
  }

 private:
  FakeTrireme& fake_;
};

// --- records ---

class FakeTrireme::RecordsService : public v1::Records::Service {
 public:
  explicit RecordsService(FakeTrireme& fake) : fake_(fake) {}

  Status PutRecord(grpc::ServerContext*, const v1::PutRecordRequest* in,
                   v1::PutRecordResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("PutRecord"); !s.ok()) return s;
    Stream* stream = fake_.Find(in->stream_name());
    if (stream == nullptr) return NotFound("Stream " + in->stream_name());
    v1::PutRecordsEntry entry;
    entry.set_data(in->data());
    entry.set_partition_key(in->partition_key());
    entry.set_explicit_hash_key(in->explicit_hash_key());
    v1::PutRecordsResult result;
    fake_.PutOne(*stream, entry, &result);
    out->set_shard_id(result.shard_id());
    out->set_sequence_number(result.sequence_number());
    return Status::OK;
  }

  Status PutRecords(grpc::ServerContext*, const v1::PutRecordsRequest* in,
                    v1::PutRecordsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("PutRecords"); !s.ok()) return s;
    return fake_.PutAll(*in, out);
  }

  Status PutRecordsStream(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::PutRecordsResponse, v1::PutRecordsRequest>*
          stream) override {
    {
      absl::MutexLock lock(&fake_.mu_);
      if (Status s = fake_.Enter("PutRecordsStream"); !s.ok()) return s;
    }
    v1::PutRecordsRequest request;
    for (int number = 0; stream->Read(&request); ++number) {
      v1::PutRecordsResponse response;
      {
        absl::MutexLock lock(&fake_.mu_);
        if (Status s = fake_.Enter("PutRecordsStream request"); !s.ok()) {
          return s;
        }
        const auto plan = fake_.break_put_stream_;
        const bool breaks = plan.has_value() && plan->first == number;
        if (breaks) fake_.break_put_stream_.reset();
        if (!breaks || plan->second) {
          const Status status = fake_.PutAll(request, &response);
          if (!status.ok()) return status;
        }
        if (breaks) return Status(StatusCode::UNAVAILABLE, "Socket closed");
      }
      stream->Write(response);
    }
    return Status::OK;
  }

  Status GetShardIterator(grpc::ServerContext*,
                          const v1::GetShardIteratorRequest* in,
                          v1::GetShardIteratorResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("GetShardIterator"); !s.ok()) return s;
    Shard* shard = fake_.FindShard(in->stream_name(), in->shard_id());
    if (shard == nullptr) return NotFound("Shard " + in->shard_id());
    v1::StartingPosition from;
    from.set_type(in->shard_iterator_type());
    from.set_sequence_number(in->starting_sequence_number());
    *from.mutable_timestamp() = in->timestamp();
    out->set_shard_iterator(Iterator(in->stream_name(), in->shard_id(),
                                     fake_.Position(*shard, from)));
    return Status::OK;
  }

  Status GetRecords(grpc::ServerContext*, const v1::GetRecordsRequest* in,
                    v1::GetRecordsResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("GetRecords"); !s.ok()) return s;
    const std::vector<std::string> parts =
        absl::StrSplit(in->shard_iterator(), '/');
    if (parts[3] != absl::StrCat(fake_.iterator_generation_)) {
      return TypedError(StatusCode::INVALID_ARGUMENT,
                        "ExpiredIteratorException", "Iterator expired.");
    }
    Shard* shard = fake_.FindShard(parts[0], parts[1]);
    if (shard == nullptr) return NotFound("Shard " + parts[1]);
    size_t from = 0;
    if (!absl::SimpleAtoi(parts[2], &from)) return NotFound("position");
    const size_t limit = in->limit() == 0
                             ? fake_.records_per_page_
                             : std::min(in->limit(), fake_.records_per_page_);
    const size_t to = std::min(shard->records.size(), from + limit);
    fake_.CopyRecords(*shard, from, to, out->mutable_records());
    out->set_millis_behind_latest(to < shard->records.size() ? 1 : 0);
    if (to == shard->records.size() && shard->closed) {
      for (const auto& child : shard->children)
        *out->add_child_shards() = child;
    } else {
      out->set_next_shard_iterator(Iterator(parts[0], parts[1], to));
    }
    return Status::OK;
  }

  Status SubscribeToShard(
      grpc::ServerContext* context, const v1::SubscribeToShardRequest* in,
      grpc::ServerWriter<v1::SubscribeToShardEvent>* writer) override {
    size_t next = 0;
    int events_left = 0;
    {
      absl::MutexLock lock(&fake_.mu_);
      if (Status s = fake_.Enter("SubscribeToShard"); !s.ok()) return s;
      Shard* shard = fake_.FindShard(in->stream_name(), in->shard_id());
      if (shard == nullptr) return NotFound("Shard " + in->shard_id());
      next = fake_.Position(*shard, in->starting_position());
      events_left = fake_.events_per_subscription_;
    }
    // The first event comes at once, to say where the reader stands.
    for (bool first = true; !context->IsCancelled(); first = false) {
      v1::SubscribeToShardEvent event;
      const Next what = TakeEvent(*in, first, next, event);
      if (what == Next::kGone) return NotFound("Shard " + in->shard_id());
      if (what == Next::kWait) continue;
      if (!writer->Write(event)) return Status::OK;
      if (what == Next::kEnd) return Status::OK;
      if (!event.records().empty() && --events_left == 0) return Status::OK;
    }
    return Status::CANCELLED;
  }

 private:
  enum class Next { kSend, kWait, kEnd, kGone };

  std::string Iterator(const std::string& stream, const std::string& shard,
                       size_t position)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mu_) {
    return absl::StrCat(stream, "/", shard, "/", position, "/",
                        fake_.iterator_generation_);
  }

  // Waits a moment for records; the sync API gives no sign of cancellation, so
  // the caller looks for it in between.
  Next TakeEvent(const v1::SubscribeToShardRequest& in, bool first,
                 size_t& next, v1::SubscribeToShardEvent& event) {
    absl::MutexLock lock(&fake_.mu_);
    const auto ready = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(fake_.mu_) {
      if (fake_.shutting_down_) return true;
      if (fake_.silent_) return false;
      const Shard* shard = fake_.FindShard(in.stream_name(), in.shard_id());
      return shard == nullptr || shard->closed || next < shard->records.size();
    };
    const bool stirred = fake_.mu_.AwaitWithTimeout(absl::Condition(&ready),
                                                    absl::Milliseconds(20));
    if (fake_.shutting_down_) return Next::kEnd;
    if (fake_.silent_ || (!stirred && !first)) return Next::kWait;
    Shard* shard = fake_.FindShard(in.stream_name(), in.shard_id());
    if (shard == nullptr) return Next::kGone;
    const size_t to =
        std::min(shard->records.size(),
                 next + static_cast<size_t>(fake_.records_per_page_));
    fake_.CopyRecords(*shard, next, to, event.mutable_records());
    next = to;
    if (shard->closed && to == shard->records.size()) {
      for (const auto& child : shard->children) {
        *event.add_child_shards() = child;
      }
      return Next::kEnd;
    }
    event.set_continuation_sequence_number(
        to == 0 ? SequenceNumber(0) : shard->records[to - 1].sequence_number());
    return Next::kSend;
  }

  FakeTrireme& fake_;
};

class FakeTrireme::ClusterService : public v1::Cluster::Service {
 public:
  explicit ClusterService(FakeTrireme& fake) : fake_(fake) {}

  Status GetClusterStatus(grpc::ServerContext*,
                          const v1::GetClusterStatusRequest*,
                          v1::GetClusterStatusResponse* out) override {
    absl::MutexLock lock(&fake_.mu_);
    if (Status s = fake_.Enter("GetClusterStatus"); !s.ok()) return s;
    for (int i = 1; i <= 3; ++i) {
      v1::NodeStatus* node = out->add_nodes();
      node->set_node_id(i);
      node->set_zone(absl::StrCat("zone-", std::string(1, 'a' + i - 1)));
      node->set_address("127.0.0.1:7420");
      node->set_health(fake_.unhealthy_ && i == 3 ? v1::UNREACHABLE
                                                  : v1::HEALTHY);
      node->set_uptime_ms(90'061'000);
      node->set_groups_led(i == 1 ? 2 : 0);
      node->set_disk_free_bytes(3ull << 30);
      node->set_version("0.1.0");
    }
    for (int i = 0; i < 2; ++i) {
      v1::GroupStatus* group = out->add_groups();
      group->set_group_id(i);
      group->set_leader(fake_.unhealthy_ && i == 1 ? 0 : 1);
      group->set_term(2);
      group->set_commit_index(1000);
      for (int node = 1; node <= 3; ++node) {
        v1::ReplicaStatus* replica = group->add_replicas();
        replica->set_node_id(node);
        replica->set_match_index(node == 3 ? 993 : 1001);
      }
    }
    out->set_stream_count(static_cast<int>(fake_.streams_.size()));
    return Status::OK;
  }

 private:
  FakeTrireme& fake_;
};

// --- state ---

FakeTrireme::FakeTrireme()
    : streams_service_(std::make_unique<StreamsService>(*this)),
      records_service_(std::make_unique<RecordsService>(*this)),
      cluster_service_(std::make_unique<ClusterService>(*this)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port_);
  builder.SetMaxReceiveMessageSize(32 << 20);
  builder.RegisterService(streams_service_.get());
  builder.RegisterService(records_service_.get());
  builder.RegisterService(cluster_service_.get());
  server_ = builder.BuildAndStart();
}

FakeTrireme::~FakeTrireme() { Shutdown(); }

std::string FakeTrireme::address() const {
  return absl::StrCat("127.0.0.1:", port_);
}

void FakeTrireme::Shutdown() {
  {
    absl::MutexLock lock(&mu_);
    shutting_down_ = true;
  }
  server_->Shutdown(std::chrono::system_clock::now());
}

Status FakeTrireme::Enter(const std::string& call) {
  ++calls_[call];
  Planned& planned = planned_[call];
  if (planned.times == 0) return Status::OK;
  --planned.times;
  return planned.status;
}

void FakeTrireme::FailNext(const std::string& call, Status status, int times) {
  absl::MutexLock lock(&mu_);
  planned_[call] = {std::move(status), times};
}

void FakeTrireme::FailKey(const std::string& key, const std::string& error_code,
                          int times) {
  absl::MutexLock lock(&mu_);
  key_failures_[key] = {error_code, times};
}

void FakeTrireme::RefuseKey(const std::string& key) {
  absl::MutexLock lock(&mu_);
  refused_key_ = key;
}

void FakeTrireme::BreakPutStreamAt(int request, bool written) {
  absl::MutexLock lock(&mu_);
  break_put_stream_ = {request, written};
}

void FakeTrireme::EndSubscriptionsAfter(int events) {
  absl::MutexLock lock(&mu_);
  events_per_subscription_ = events;
}

void FakeTrireme::SetSilent(bool silent) {
  absl::MutexLock lock(&mu_);
  silent_ = silent;
}

void FakeTrireme::SetReadFault(Fault fault) {
  absl::MutexLock lock(&mu_);
  fault_ = fault;
}

void FakeTrireme::ExpireIterators() {
  absl::MutexLock lock(&mu_);
  ++iterator_generation_;
}

void FakeTrireme::SetPageSizes(int shards, int streams, int records) {
  absl::MutexLock lock(&mu_);
  shards_per_page_ = shards;
  streams_per_page_ = streams;
  records_per_page_ = records;
}

void FakeTrireme::SetUnhealthy(bool unhealthy) {
  absl::MutexLock lock(&mu_);
  unhealthy_ = unhealthy;
}

void FakeTrireme::CloseShard(const std::string& stream,
                             const std::string& shard,
                             const std::vector<std::string>& children) {
  absl::MutexLock lock(&mu_);
  Stream& found = streams_.at(stream);
  for (const std::string& child : children) {
    AddShard(found, 0, 1);
    found.shards.back().description.set_shard_id(child);
    found.shards.back().description.set_parent_shard_id(shard);
  }
  Shard* parent = FindShard(stream, shard);
  parent->closed = true;
  parent->description.mutable_sequence_number_range()
      ->set_ending_sequence_number(SequenceNumber(next_counter_++));
  for (const std::string& child : children) {
    v1::ChildShard& named = parent->children.emplace_back();
    named.set_shard_id(child);
    named.add_parent_shards(shard);
  }
}

int FakeTrireme::calls(const std::string& call) const {
  absl::MutexLock lock(&mu_);
  const auto it = calls_.find(call);
  return it == calls_.end() ? 0 : it->second;
}

bool FakeTrireme::AwaitCall(const std::string& call) const {
  absl::MutexLock lock(&mu_);
  const auto made = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return calls_.contains(call);
  };
  return mu_.AwaitWithTimeout(absl::Condition(&made), absl::Seconds(20));
}

std::vector<v1::Record> FakeTrireme::records(const std::string& stream) const {
  absl::MutexLock lock(&mu_);
  std::vector<v1::Record> all;
  for (const Shard& shard : streams_.at(stream).shards) {
    all.insert(all.end(), shard.records.begin(), shard.records.end());
  }
  return all;
}

bool FakeTrireme::HasStream(const std::string& stream) const {
  absl::MutexLock lock(&mu_);
  const auto it = streams_.find(stream);
  return it != streams_.end() &&
         it->second.description.stream_status() != v1::DELETING;
}

FakeTrireme::Stream* FakeTrireme::Find(const std::string& name) {
  const auto it = streams_.find(name);
  return it == streams_.end() ? nullptr : &it->second;
}

FakeTrireme::Shard* FakeTrireme::FindShard(const std::string& stream,
                                           const std::string& shard) {
  Stream* found = Find(stream);
  if (found == nullptr) return nullptr;
  for (Shard& candidate : found->shards) {
    if (candidate.description.shard_id() == shard) return &candidate;
  }
  return nullptr;
}

void FakeTrireme::AddShard(Stream& stream, double from, double to) {
  v1::Shard& shard = stream.shards.emplace_back().description;
  shard.set_shard_id(
      absl::StrFormat("shardId-%012d", stream.shards.size() - 1));
  shard.mutable_hash_key_range()->set_starting_hash_key(HashKeyText(from));
  shard.mutable_hash_key_range()->set_ending_hash_key(HashKeyText(to));
  shard.mutable_sequence_number_range()->set_starting_sequence_number(
      SequenceNumber(0));
}

Status FakeTrireme::PutAll(const v1::PutRecordsRequest& request,
                           v1::PutRecordsResponse* response) {
  Stream* stream = Find(request.stream_name());
  if (stream == nullptr) return NotFound("Stream " + request.stream_name());
  for (const v1::PutRecordsEntry& entry : request.records()) {
    if (entry.partition_key().empty() ||
        entry.partition_key() == refused_key_) {
      return TypedError(StatusCode::INVALID_ARGUMENT, "ValidationException",
                        "a record is malformed");
    }
  }
  // As the server does, all records of a key in a request share their fate.
  std::map<std::string, std::string> failing;
  for (const v1::PutRecordsEntry& entry : request.records()) {
    const auto failure = key_failures_.find(entry.partition_key());
    if (failure == key_failures_.end() || failure->second.second == 0) continue;
    if (failing.emplace(entry.partition_key(), failure->second.first).second) {
      --failure->second.second;
    }
  }
  for (const v1::PutRecordsEntry& entry : request.records()) {
    v1::PutRecordsResult* result = response->add_records();
    if (failing.contains(entry.partition_key())) {
      result->set_error_code(failing[entry.partition_key()]);
      result->set_error_message("as planned");
      response->set_failed_record_count(response->failed_record_count() + 1);
      continue;
    }
    PutOne(*stream, entry, result);
  }
  return Status::OK;
}

void FakeTrireme::PutOne(Stream& stream, const v1::PutRecordsEntry& entry,
                         v1::PutRecordsResult* result) {
  std::vector<Shard*> open;
  for (Shard& shard : stream.shards) {
    if (!shard.closed) open.push_back(&shard);
  }
  size_t index = absl::HashOf(entry.partition_key()) % open.size();
  if (!entry.explicit_hash_key().empty()) {
    double hash = 0;
    if (absl::SimpleAtod(entry.explicit_hash_key(), &hash)) {
      index = std::min<size_t>(
          open.size() - 1,
          static_cast<size_t>(std::ldexp(hash, -128) * open.size()));
    }
  }
  v1::Record& record = open[index]->records.emplace_back();
  record.set_sequence_number(SequenceNumber(next_counter_++));
  *record.mutable_approximate_arrival_timestamp() = Now();
  record.set_partition_key(entry.partition_key());
  record.set_data(entry.data());
  result->set_shard_id(open[index]->description.shard_id());
  result->set_sequence_number(record.sequence_number());
}

size_t FakeTrireme::Position(const Shard& shard,
                             const v1::StartingPosition& from) {
  const auto first_if = [&](const auto& matches) {
    return std::find_if(shard.records.begin(), shard.records.end(), matches) -
           shard.records.begin();
  };
  switch (from.type()) {
    case v1::LATEST:
      return shard.records.size();
    case v1::AT_SEQUENCE_NUMBER:
      return first_if([&](const v1::Record& record) {
        return record.sequence_number() >= from.sequence_number();
      });
    case v1::AFTER_SEQUENCE_NUMBER:
      return first_if([&](const v1::Record& record) {
        return record.sequence_number() > from.sequence_number();
      });
    case v1::AT_TIMESTAMP:
      return first_if([&](const v1::Record& record) {
        const auto& time = record.approximate_arrival_timestamp();
        return std::make_pair(time.seconds(), time.nanos()) >=
               std::make_pair(from.timestamp().seconds(),
                              from.timestamp().nanos());
      });
    default:
      return 0;
  }
}

void FakeTrireme::CopyRecords(
    const Shard& shard, size_t from, size_t to,
    google::protobuf::RepeatedPtrField<v1::Record>* out) {
  for (size_t i = from; i < to; ++i) {
    if (fault_ == Fault::kLose && i == 3) continue;
    *out->Add() = shard.records[i];
    if (fault_ == Fault::kDuplicate && i == 3) *out->Add() = shard.records[i];
  }
  if (fault_ == Fault::kSwap && out->size() > 1) out->SwapElements(0, 1);
}

}  // namespace trireme::testing
