// FakeTrireme's data plane.
#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/unit/fake_answers.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::testing {
namespace {

using grpc::Status;
using grpc::StatusCode;

}  // namespace

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
        const auto may_answer = [&]() ABSL_SHARED_LOCKS_REQUIRED(fake_.mu_) {
          return !fake_.holding_put_streams_ || fake_.shutting_down_;
        };
        fake_.mu_.Await(absl::Condition(&may_answer));
        if (fake_.ending_put_streams_) return Status::OK;
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
    --fake_.awaited_readers_;
    const auto all_there = [&]() ABSL_SHARED_LOCKS_REQUIRED(fake_.mu_) {
      return fake_.awaited_readers_ <= 0;
    };
    if (!fake_.mu_.AwaitWithTimeout(absl::Condition(&all_there),
                                    absl::Seconds(20))) {
      return Status(StatusCode::INTERNAL, "the other readers did not come");
    }
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
      fake_.subscribed_by_ = in->consumer_arn();
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
      if (!event.records().empty() && --events_left == 0) return PlannedEnd();
    }
    return Status::CANCELLED;
  }

 private:
  Status PlannedEnd() {
    absl::MutexLock lock(&fake_.mu_);
    return fake_.taken_over_
               ? TypedError(StatusCode::FAILED_PRECONDITION,
                            "ResourceInUseException", "taken over")
               : Status::OK;
  }

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
        to == 0 ? FakeSequenceNumber(0)
                : shard->records[to - 1].sequence_number());
    return Next::kSend;
  }

  FakeTrireme& fake_;
};

std::unique_ptr<grpc::Service> FakeTrireme::MakeRecords() {
  return std::make_unique<RecordsService>(*this);
}

}  // namespace trireme::testing
