#include "tests/bench/call_load.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "storage/check.h"
#include "tests/bench/tally.h"
#include "trireme/v1/records.grpc.pb.h"

namespace trireme::bench {
namespace {

constexpr int kKeys = 997;  // As in load.cc.
constexpr int kPreparedRequests = 8;

// One place for a PutRecords call: makes the next when the last is answered.
class PutSlot {
 public:
  PutSlot(const std::shared_ptr<grpc::Channel>& channel,
          std::vector<v1::PutRecordsRequest> requests, Tally& tally,
          absl::BlockingCounter& running)
      : stub_(v1::Records::NewStub(channel)),
        requests_(std::move(requests)),
        tally_(tally),
        running_(running) {}

  void Next() {
    if (tally_.over()) {
      running_.DecrementCount();
      return;
    }
    context_.emplace();
    const v1::PutRecordsRequest& request =
        requests_[next_++ % requests_.size()];
    sent_at_ = SteadyNow();
    stub_->async()->PutRecords(
        &*context_, &request, &response_,
        [this, &request](const grpc::Status& status) {
          const auto all = static_cast<uint64_t>(request.records_size());
          const auto failed =
              status.ok()
                  ? static_cast<uint64_t>(response_.failed_record_count())
                  : all;
          tally_.Add(sent_at_, all - failed, failed);
          Next();
        });
  }

 private:
  const std::unique_ptr<v1::Records::Stub> stub_;
  const std::vector<v1::PutRecordsRequest> requests_;
  Tally& tally_;
  absl::BlockingCounter& running_;
  std::optional<grpc::ClientContext> context_;
  v1::PutRecordsResponse response_;
  size_t next_ = 0;
  int64_t sent_at_ = 0;
};

// One place for a GetRecords call of a shard.
class GetSlot {
 public:
  GetSlot(const std::shared_ptr<grpc::Channel>& channel,
          const std::string& stream, const std::string& shard, int records_max,
          Tally& tally, absl::BlockingCounter& running)
      : stub_(v1::Records::NewStub(channel)), tally_(tally), running_(running) {
    v1::GetShardIteratorRequest request;
    request.set_stream_name(stream);
    request.set_shard_id(shard);
    request.set_shard_iterator_type(v1::TRIM_HORIZON);
    v1::GetShardIteratorResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        stub_->GetShardIterator(&context, request, &response);
    CHECK(status.ok(), "GetShardIterator: " + status.error_message());
    oldest_ = response.shard_iterator();
    request_.set_shard_iterator(oldest_);
    request_.set_limit(records_max);
  }

  void Next() {
    if (tally_.over()) {
      running_.DecrementCount();
      return;
    }
    context_.emplace();
    sent_at_ = SteadyNow();
    stub_->async()->GetRecords(
        &*context_, &request_, &response_, [this](const grpc::Status& status) {
          const auto count = static_cast<uint64_t>(response_.records_size());
          tally_.Add(sent_at_, count, status.ok() ? 0 : 1);
          request_.set_shard_iterator(
              count == 0 ? oldest_ : response_.next_shard_iterator());
          Next();
        });
  }

 private:
  const std::unique_ptr<v1::Records::Stub> stub_;
  Tally& tally_;
  absl::BlockingCounter& running_;
  std::string oldest_;  // The iterator at the oldest record.
  std::optional<grpc::ClientContext> context_;
  v1::GetRecordsRequest request_;
  v1::GetRecordsResponse response_;
  int64_t sent_at_ = 0;
};

std::vector<v1::PutRecordsRequest> Prepare(const std::string& stream,
                                           int first_key, int records,
                                           uint32_t record_bytes) {
  std::vector<v1::PutRecordsRequest> requests(kPreparedRequests);
  int key = first_key;
  for (v1::PutRecordsRequest& request : requests) {
    request.set_stream_name(stream);
    for (int i = 0; i < records; ++i) {
      v1::PutRecordsEntry* const entry = request.add_records();
      entry->set_partition_key(absl::StrCat("key-", key++ % kKeys));
      entry->set_data(std::string(record_bytes, 'd'));
    }
  }
  return requests;
}

}  // namespace

LoadResult RunPutRecords(const Channels& channels, const std::string& stream,
                         int in_flight, int records, uint32_t record_bytes,
                         LoadTimes times) {
  Tally tally(times);
  absl::BlockingCounter running(in_flight);
  std::vector<std::unique_ptr<PutSlot>> slots;
  for (int i = 0; i < in_flight; ++i) {
    slots.push_back(std::make_unique<PutSlot>(
        channels[static_cast<size_t>(i) % channels.size()],
        Prepare(stream, i * 7, records, record_bytes), tally, running));
  }
  for (const auto& slot : slots) slot->Next();
  running.Wait();
  return tally.Take();
}

LoadResult RunGetRecords(const Channels& channels, const std::string& stream,
                         const std::vector<std::string>& shards,
                         int records_max, LoadTimes times) {
  Tally tally(times);
  absl::BlockingCounter running(static_cast<int>(shards.size()));
  std::vector<std::unique_ptr<GetSlot>> slots;
  for (const std::string& shard : shards) {
    slots.push_back(
        std::make_unique<GetSlot>(channels[slots.size() % channels.size()],
                                  stream, shard, records_max, tally, running));
  }
  for (const auto& slot : slots) slot->Next();
  running.Wait();
  return tally.Take();
}

}  // namespace trireme::bench
