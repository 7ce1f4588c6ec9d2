#include "tests/unit/fake_trireme.h"

#include <grpcpp/server_builder.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/hash_key.h"
#include "google/rpc/error_details.pb.h"
#include "tests/unit/fake_answers.h"

namespace trireme::testing {
namespace {

using grpc::Status;
using grpc::StatusCode;

// Of a share of all hash keys, 0 to 1: the first key behind it.
client::HashKey HashKeyAt(double share) {
  return share >= 1 ? absl::Uint128Max()
                    : static_cast<client::HashKey>(std::ldexp(share, 128));
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

FakeTrireme::FakeTrireme()
    : streams_service_(MakeStreams()),
      records_service_(MakeRecords()),
      cluster_service_(MakeCluster()),
      groups_service_(MakeGroups()) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port_);
  builder.SetMaxReceiveMessageSize(32 << 20);
  builder.RegisterService(streams_service_.get());
  builder.RegisterService(records_service_.get());
  builder.RegisterService(cluster_service_.get());
  builder.RegisterService(groups_service_.get());
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

void FakeTrireme::SetEndingPutStreams(bool ending) {
  absl::MutexLock lock(&mu_);
  ending_put_streams_ = ending;
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

void FakeTrireme::AwaitReadersOfRecords(int count) {
  absl::MutexLock lock(&mu_);
  awaited_readers_ = count;
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

void FakeTrireme::SetLeaders(
    const std::map<uint32_t, std::string>& addresses_by_group) {
  absl::MutexLock lock(&mu_);
  leaders_ = addresses_by_group;
}

void FakeTrireme::SplitShard(const std::string& stream,
                             const std::string& shard) {
  absl::MutexLock lock(&mu_);
  Stream& found = streams_.at(stream);
  const auto range = client::ParseHashKeyRange(
      FindShard(stream, shard)->description.hash_key_range());
  const client::HashKey middle =
      range->first + (range->last - range->first) / 2;
  for (const bool lower : {true, false}) {
    AddShard(found, 0, 1);
    v1::Shard& child = found.shards.back().description;
    child.set_parent_shard_id(shard);
    v1::HashKeyRange& part = *child.mutable_hash_key_range();
    if (lower) part.set_ending_hash_key(client::HashKeyText(middle));
    if (!lower) part.set_starting_hash_key(client::HashKeyText(middle + 1));
    if (lower) part.set_starting_hash_key(client::HashKeyText(range->first));
    if (!lower) part.set_ending_hash_key(client::HashKeyText(range->last));
    v1::ChildShard named;
    named.set_shard_id(child.shard_id());
    named.add_parent_shards(shard);
    *named.mutable_hash_key_range() = part;
    FindShard(stream, shard)->children.push_back(named);
  }
  Shard* const parent = FindShard(stream, shard);
  parent->closed = true;
  parent->description.mutable_sequence_number_range()
      ->set_ending_sequence_number(FakeSequenceNumber(next_counter_++));
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
      ->set_ending_sequence_number(FakeSequenceNumber(next_counter_++));
  for (const std::string& child : children) {
    v1::ChildShard& named = parent->children.emplace_back();
    named.set_shard_id(child);
    named.add_parent_shards(shard);
  }
}

void FakeTrireme::MergeShards(const std::string& stream,
                              const std::string& shard,
                              const std::string& adjacent,
                              const std::string& child) {
  CloseShard(stream, shard, {child});
  CloseShard(stream, adjacent, {});
  absl::MutexLock lock(&mu_);
  FindShard(stream, child)->description.set_adjacent_parent_shard_id(adjacent);
  v1::ChildShard& named = FindShard(stream, shard)->children.front();
  named.add_parent_shards(adjacent);
  FindShard(stream, adjacent)->children.push_back(named);
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

std::vector<v1::Record> FakeTrireme::records(const std::string& stream,
                                             const std::string& shard) const {
  absl::MutexLock lock(&mu_);
  for (const Shard& candidate : streams_.at(stream).shards) {
    if (candidate.description.shard_id() == shard) return candidate.records;
  }
  return {};
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
  shard.set_replication_group(static_cast<uint32_t>(stream.shards.size()));
  shard.mutable_hash_key_range()->set_starting_hash_key(
      client::HashKeyText(HashKeyAt(from)));
  shard.mutable_hash_key_range()->set_ending_hash_key(
      client::HashKeyText(HashKeyAt(to) - (to < 1 ? 1 : 0)));
  shard.mutable_sequence_number_range()->set_starting_sequence_number(
      FakeSequenceNumber(0));
}

Status FakeTrireme::PutAll(const v1::PutRecordsRequest& request,
                           v1::PutRecordsResponse* response) {
  Stream* stream = Find(request.stream_name());
  if (stream == nullptr ||
      (!request.stream_id().empty() && request.stream_id() != stream->id)) {
    return NotFound("Stream " + request.stream_name());
  }
  for (const v1::PutRecordsEntry& entry : request.records()) {
    if ((!refused_key_.empty() && entry.partition_key() == refused_key_) ||
        entry.data().size() > record_bytes_max_) {
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
    if (!request.has_producer()) {
      PutOne(*stream, entry, result);
      continue;
    }
    v1::PutRecordsResult& known =
        numbered_[{request.producer().producer_id(), entry.number()}];
    known.set_duplicate(!known.sequence_number().empty());
    if (!known.duplicate()) PutOne(*stream, entry, &known);
    *result = known;
  }
  return Status::OK;
}

void FakeTrireme::PutOne(Stream& stream, const v1::PutRecordsEntry& entry,
                         v1::PutRecordsResult* result) {
  const auto key =
      client::HashKeyOf(entry.partition_key(), entry.explicit_hash_key());
  std::vector<Shard*> open;
  for (Shard& shard : stream.shards) {
    const auto range =
        client::ParseHashKeyRange(shard.description.hash_key_range());
    if (!shard.closed && (ignores_hash_keys_ || range->Contains(key.value()))) {
      open.push_back(&shard);
    }
  }
  // Some tests have shards that overlap.
  const size_t index =
      (ignores_hash_keys_ ? next_counter_ : absl::HashOf(*key)) % open.size();
  v1::Record& record = open[index]->records.emplace_back();
  record.set_sequence_number(FakeSequenceNumber(next_counter_++));
  *record.mutable_approximate_arrival_timestamp() = TimestampNow();
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
