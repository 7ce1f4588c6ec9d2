#include "tests/bench/load.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstring>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "tests/bench/tally.h"
#include "trireme/v1/records.grpc.pb.h"

namespace trireme::bench {
namespace {

constexpr int kKeys = 997;  // Spread over the shards by their MD5.
constexpr size_t kPreparedRequests = 8;

std::string Key(int number) { return absl::StrCat("key-", number % kKeys); }

v1::PutRecordsRequest MakeRequest(const std::string& stream, int first_key,
                                  int records, uint32_t record_bytes) {
  v1::PutRecordsRequest request;
  request.set_stream_name(stream);
  for (int i = 0; i < records; ++i) {
    v1::PutRecordsEntry* const entry = request.add_records();
    entry->set_partition_key(Key(first_key + i));
    entry->set_data(std::string(record_bytes, 'd'));
  }
  return request;
}

// The producer's `number`-th request, the oldest of whose unanswered ones is
// `unanswered` before it.
void NumberRequest(const std::string& producer, uint64_t number,
                   uint64_t unanswered, v1::PutRecordsRequest* request) {
  const auto records = static_cast<uint64_t>(request->records_size());
  request->mutable_producer()->set_producer_id(producer);
  request->mutable_producer()->set_epoch(1);
  request->mutable_producer()->set_oldest_number(
      (number - unanswered) * records + 1);
  uint64_t next = number * records;
  for (v1::PutRecordsEntry& entry : *request->mutable_records())
    entry.set_number(++next);
}

// One place for a PutRecord call: makes the next when the last is answered.
class UnarySlot {
 public:
  UnarySlot(const std::shared_ptr<grpc::Channel>& channel,
            const std::string& stream, uint32_t record_bytes, int number,
            Tally& tally, absl::BlockingCounter& running)
      : stub_(v1::Records::NewStub(channel)),
        number_(number),
        tally_(tally),
        running_(running) {
    request_.set_stream_name(stream);
    request_.set_data(std::string(record_bytes, 'd'));
  }

  void Next() {
    if (tally_.over()) {
      running_.DecrementCount();
      return;
    }
    context_.emplace();
    request_.set_partition_key(Key(number_++));
    sent_at_ = SteadyNow();
    stub_->async()->PutRecord(
        &*context_, &request_, &response_, [this](const grpc::Status& status) {
          tally_.Add(sent_at_, status.ok() ? 1 : 0, status.ok() ? 0 : 1);
          Next();
        });
  }

 private:
  const std::unique_ptr<v1::Records::Stub> stub_;
  int number_;
  Tally& tally_;
  absl::BlockingCounter& running_;
  std::optional<grpc::ClientContext> context_;
  v1::PutRecordRequest request_;
  v1::PutRecordResponse response_;
  int64_t sent_at_ = 0;
};

// One PutRecordsStream call with a window of requests.
class StreamCall : public grpc::ClientBidiReactor<v1::PutRecordsRequest,
                                                  v1::PutRecordsResponse> {
 public:
  StreamCall(const std::shared_ptr<grpc::Channel>& channel,
             std::vector<v1::PutRecordsRequest> requests, std::string producer,
             int in_flight, Tally& tally, absl::BlockingCounter& running)
      : stub_(v1::Records::NewStub(channel)),
        requests_(std::move(requests)),
        producer_(std::move(producer)),
        in_flight_(static_cast<size_t>(in_flight)),
        tally_(tally),
        running_(running) {
    stub_->async()->PutRecordsStream(&context_, this);
    StartRead(&response_);
    Write();
    StartCall();
  }

  void OnWriteDone(bool ok) override {
    {
      absl::MutexLock lock(&mu_);
      writing_ = false;
    }
    if (ok) Write();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    int64_t sent_at = 0;
    {
      absl::MutexLock lock(&mu_);
      sent_at = sent_.front();
      sent_.pop_front();
    }
    const auto failed = static_cast<uint64_t>(response_.failed_record_count());
    tally_.Add(sent_at,
               static_cast<uint64_t>(response_.records_size()) - failed,
               failed);
    StartRead(&response_);
    Write();
  }

  void OnDone(const grpc::Status& status) override {
    if (!status.ok()) tally_.Add(SteadyNow(), 0, 1);
    running_.DecrementCount();
  }

 private:
  // The next request if the window has room; the end when the time is over.
  void Write() {
    const bool over = tally_.over();
    v1::PutRecordsRequest* request = nullptr;
    grpc::WriteOptions options;
    {
      absl::MutexLock lock(&mu_);
      if (writing_ || ended_) return;
      if (over) {
        if (!sent_.empty()) return;
        ended_ = true;
      } else {
        if (sent_.size() >= in_flight_) return;
        writing_ = true;
        sent_.push_back(SteadyNow());
        request = &requests_[next_ % requests_.size()];
        if (!producer_.empty())
          NumberRequest(producer_, next_, sent_.size() - 1, request);
        ++next_;
        // Requests that follow one another leave in one packet.
        if (sent_.size() < in_flight_) options.set_buffer_hint();
      }
    }
    if (request != nullptr) {
      StartWrite(request, options);
    } else {
      StartWritesDone();
    }
  }

  // Set at construction.
  const std::unique_ptr<v1::Records::Stub> stub_;
  std::vector<v1::PutRecordsRequest> requests_;  // Owned by whoever writes.
  const std::string producer_;                   // Empty: it numbers nothing.
  const size_t in_flight_;
  Tally& tally_;
  absl::BlockingCounter& running_;

  grpc::ClientContext context_;
  v1::PutRecordsResponse response_;  // Owned by the read that is started.

  absl::Mutex mu_;
  std::deque<int64_t> sent_ ABSL_GUARDED_BY(mu_);
  size_t next_ ABSL_GUARDED_BY(mu_) = 0;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

// One call of a paced load.
struct PacedCall {
  grpc::ClientContext context;
  v1::PutRecordsRequest request;
  v1::PutRecordsResponse response;
  int64_t sent_at = 0;
};

void Stamp(v1::PutRecordsRequest& request, int64_t now) {
  for (v1::PutRecordsEntry& entry : *request.mutable_records()) {
    std::memcpy(entry.mutable_data()->data(), &now, sizeof(now));
  }
}

}  // namespace

int64_t SteadyNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int64_t SentAt(const std::string& data) {
  int64_t sent_at = 0;
  if (data.size() >= sizeof(sent_at)) {
    std::memcpy(&sent_at, data.data(), sizeof(sent_at));
  }
  return sent_at;
}

Channels Connect(const std::string& address, int count) {
  Channels channels;
  for (int i = 0; i < count; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    channels.push_back(grpc::CreateCustomChannel(
        address, grpc::InsecureChannelCredentials(), arguments));
    channels.back()->WaitForConnected(std::chrono::system_clock::now() +
                                      std::chrono::seconds(30));
  }
  return channels;
}

LoadResult RunUnary(const Channels& channels, const std::string& stream,
                    uint32_t record_bytes, int in_flight, LoadTimes times) {
  Tally tally(times);
  absl::BlockingCounter running(in_flight);
  std::vector<std::unique_ptr<UnarySlot>> slots;
  for (int i = 0; i < in_flight; ++i) {
    slots.push_back(std::make_unique<UnarySlot>(
        channels[static_cast<size_t>(i) % channels.size()], stream,
        record_bytes, i * 7, tally, running));
  }
  for (const auto& slot : slots) slot->Next();
  running.Wait();
  return tally.Take();
}

LoadResult RunStream(const Channels& channels, const StreamLoad& load,
                     LoadTimes times) {
  std::vector<v1::PutRecordsRequest> requests;
  const size_t prepared =
      load.records == 1 ? static_cast<size_t>(kKeys) : kPreparedRequests;
  for (size_t i = 0; i < prepared; ++i) {
    requests.push_back(MakeRequest(load.stream,
                                   static_cast<int>(i) * load.records,
                                   load.records, load.record_bytes));
  }
  Tally tally(times);
  absl::BlockingCounter running(load.calls);
  std::vector<std::unique_ptr<StreamCall>> calls;
  for (int i = 0; i < load.calls; ++i) {
    calls.push_back(std::make_unique<StreamCall>(
        channels[static_cast<size_t>(i) % channels.size()], requests,
        load.exactly_once ? absl::StrCat("bench-", SteadyNow(), "-", i) : "",
        load.in_flight, tally, running));
  }
  running.Wait();
  return tally.Take();
}

LoadResult RunPaced(const Channels& channels, const PacedLoad& load,
                    double seconds) {
  Tally tally({.warm_up_s = 0, .measured_s = seconds + 10});
  const auto stub = v1::Records::NewStub(channels[0]);
  const int64_t start = SteadyNow();
  const auto count =
      static_cast<int>(seconds * static_cast<double>(load.calls_per_s));
  absl::BlockingCounter running(count);
  for (int i = 0; i < count; ++i) {
    const int64_t due =
        start + static_cast<int64_t>(i) * 1'000'000'000 / load.calls_per_s;
    std::this_thread::sleep_until(
        std::chrono::steady_clock::time_point(std::chrono::nanoseconds(due)));
    auto* const call = new PacedCall;
    call->request = MakeRequest(load.stream, i * load.records, load.records,
                                load.record_bytes);
    call->sent_at = SteadyNow();
    Stamp(call->request, call->sent_at);
    stub->async()->PutRecords(
        &call->context, &call->request, &call->response,
        [call, &tally, &running](const grpc::Status& status) {
          const auto all = static_cast<uint64_t>(call->request.records_size());
          const auto failed =
              status.ok()
                  ? static_cast<uint64_t>(call->response.failed_record_count())
                  : all;
          tally.Add(call->sent_at, all - failed, failed);
          delete call;
          running.DecrementCount();
        });
  }
  running.Wait();
  LoadResult result = tally.Take();
  result.seconds = static_cast<double>(SteadyNow() - start) / 1e9;
  return result;
}

}  // namespace trireme::bench
