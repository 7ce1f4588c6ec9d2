#include "tests/cluster/load.h"

#include <deque>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/backoff.h"
#include "client/error.h"
#include "client/producer.h"
#include "client/shard_reader.h"
#include "storage/check.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr int kKeysPerWriter = 16;
constexpr size_t kProducerQueueMax = 200;
constexpr absl::Duration kWriteTimeout = absl::Seconds(8);
// Then another one through another node.
constexpr absl::Duration kStreamTime = absl::Seconds(2);
constexpr size_t kRequestsInFlight = 8;

std::string Decimal(absl::uint128 value) {
  std::string digits;
  do {
    digits.insert(digits.begin(),
                  static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return digits;
}

std::string KeyOf(int writer, int number) {
  return absl::StrCat("w", writer, "-k", number % kKeysPerWriter);
}

void Tell(History& history, uint64_t id, const absl::Status& status) {
  if (client::Classify(status) == client::Failure::kUnknown) {
    history.Unknown(id);
  } else {
    history.Refused(id);
  }
}

void Tell(History& history, uint64_t id, const v1::PutRecordsResult& result) {
  if (result.error_code().empty()) {
    history.Acked(id, {result.shard_id(), result.sequence_number()});
  } else if (result.error_code() == "InternalFailure") {
    history.Unknown(id);
  } else {
    history.Refused(id);
  }
}

// Lets a producer run ahead of its answers by a bounded number of records.
class Slots {
 public:
  void Acquire() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &Slots::HasRoom));
    ++used_;
  }
  void Release() {
    absl::MutexLock lock(&mu_);
    --used_;
  }

 private:
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return used_ < kProducerQueueMax;
  }

  absl::Mutex mu_;
  size_t used_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace

Load::Load(const ClusterProcess& cluster, LoadOptions options, History* history)
    : cluster_(cluster), options_(std::move(options)), history_(*history) {
  int writer = 0;
  for (int shard = 0; shard < options_.shards; ++shard, ++writer) {
    threads_.emplace_back(
        [this, writer, shard] { PutOneByOne(writer, shard); });
  }
  for (int i = 0; i < options_.batchers; ++i, ++writer) {
    threads_.emplace_back([this, writer] { PutBatches(writer); });
  }
  for (int i = 0; i < options_.producers; ++i, ++writer) {
    threads_.emplace_back([this, writer] { Produce(writer); });
  }
  for (int i = 0; i < options_.streamers; ++i, ++writer) {
    threads_.emplace_back([this, writer] { Stream(writer); });
  }
}

Load::~Load() { Stop(); }

void Load::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::unique_ptr<client::Client> Load::MakeClient(int writer) const {
  client::ClientOptions options;
  options.endpoints = cluster_.addresses(writer % ClusterProcess::kNodes);
  options.timeout = kWriteTimeout;
  auto client = client::Client::Create(options);
  CHECK(client.ok(), "client");
  return *std::move(client);
}

std::string Load::ExplicitHashKey(int shard) const {
  const absl::uint128 width =
      absl::Uint128Max() / static_cast<absl::uint128>(options_.shards);
  return Decimal(width * static_cast<absl::uint128>(shard) + width / 2);
}

void Load::PutOneByOne(int writer, int shard) {
  const std::unique_ptr<client::Client> client = MakeClient(writer);
  client::Backoff backoff;
  for (int number = 0; !stopping_; ++number) {
    const uint64_t id =
        history_.Invoke(writer, KeyOf(writer, number), options_.data_bytes);
    v1::PutRecordRequest request;
    request.set_stream_name(options_.stream);
    request.set_partition_key(history_.key(id));
    request.set_data(history_.data(id));
    request.set_explicit_hash_key(ExplicitHashKey(shard));
    history_.Sent(id);
    const auto response = client->PutRecord(request);
    if (response.ok()) {
      history_.Acked(id, {response->shard_id(), response->sequence_number()});
      backoff.Reset();
      continue;
    }
    Tell(history_, id, response.status());
    client->cancellation().WaitFor(backoff.Next());
  }
}

v1::PutRecordsRequest Load::NextBatch(int writer, int* number,
                                      std::vector<uint64_t>* ids) {
  v1::PutRecordsRequest request;
  request.set_stream_name(options_.stream);
  for (int i = 0; i < options_.batch_records; ++i, ++*number) {
    ids->push_back(
        history_.Invoke(writer, KeyOf(writer, *number), options_.data_bytes));
    v1::PutRecordsEntry* const entry = request.add_records();
    entry->set_partition_key(history_.key(ids->back()));
    entry->set_data(history_.data(ids->back()));
    history_.Sent(ids->back());
  }
  return request;
}

void Load::PutBatches(int writer) {
  const std::unique_ptr<client::Client> client = MakeClient(writer);
  client::Backoff backoff;
  for (int number = 0; !stopping_;) {
    std::vector<uint64_t> ids;
    const v1::PutRecordsRequest request = NextBatch(writer, &number, &ids);
    const auto response = client->PutRecords(request);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (response.ok()) {
        Tell(history_, ids[i], response->records(static_cast<int>(i)));
      } else {
        Tell(history_, ids[i], response.status());
      }
    }
    const bool all_failed = !response.ok() || response->failed_record_count() ==
                                                  response->records_size();
    if (!all_failed) {
      backoff.Reset();
    } else {
      client->cancellation().WaitFor(backoff.Next());
    }
  }
}

void Load::Produce(int writer) {
  const std::unique_ptr<client::Client> client = MakeClient(writer);
  Slots slots;
  client::ProducerOptions options;
  options.stream_name = options_.stream;
  options.request_records_max = options_.batch_records;
  // What the order of a key needs (client/producer.h).
  options.requests_in_flight_max = 1;
  options.delivery_timeout = kWriteTimeout;
  options.answer_timeout = kWriteTimeout;
  options.on_send = [this](uint64_t id) { history_.Sent(id); };
  client::Producer producer(*client, std::move(options));
  for (int number = 0; !stopping_; ++number) {
    slots.Acquire();
    const uint64_t id =
        history_.Invoke(writer, KeyOf(writer, number), options_.data_bytes);
    client::ProducerRecord record;
    record.partition_key = history_.key(id);
    record.data = history_.data(id);
    record.tag = id;
    const absl::Status status = producer.Put(
        std::move(record),
        [this, id, &slots](absl::StatusOr<client::PutOutcome> outcome) {
          if (outcome.ok()) {
            history_.Acked(id, {outcome->shard_id, outcome->sequence_number});
          } else {
            Tell(history_, id, outcome.status());
          }
          slots.Release();
        });
    CHECK(status.ok(), "Put");
  }
  producer.Close();
}

void Load::Stream(int writer) {
  const std::unique_ptr<client::Client> client = MakeClient(writer);
  client::Backoff backoff;
  for (int number = 0; !stopping_;) {
    const client::Endpoint& endpoint = client->endpoints().current();
    if (endpoint.Connect("PutRecordsStream", kStreamTime).ok()) {
      StreamOnce(*endpoint.records, writer, &number);
      backoff.Reset();
    } else {
      client->cancellation().WaitFor(backoff.Next());
    }
    client->endpoints().Leave(endpoint);
  }
}

// What was not answered when the call ends, for whatever reason, may or may not
// have been written. The rest keeps the order in which it was sent.
void Load::StreamOnce(v1::Records::Stub& stub, int writer, int* number) {
  const absl::Time end = absl::Now() + kStreamTime;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(end + kWriteTimeout));
  const auto stream = stub.PutRecordsStream(&context);
  std::deque<std::vector<uint64_t>> in_flight;
  const auto take_answer = [&] {
    v1::PutRecordsResponse response;
    if (!stream->Read(&response)) return false;
    for (size_t i = 0; i < in_flight.front().size(); ++i) {
      Tell(history_, in_flight.front()[i],
           response.records(static_cast<int>(i)));
    }
    in_flight.pop_front();
    return true;
  };
  for (bool alive = true; alive && !stopping_ && absl::Now() < end;) {
    in_flight.emplace_back();
    alive = stream->Write(NextBatch(writer, number, &in_flight.back()));
    if (alive && in_flight.size() == kRequestsInFlight) alive = take_answer();
  }
  stream->WritesDone();
  while (!in_flight.empty() && take_answer()) {
  }
  context.TryCancel();
  stream->Finish();
  for (const std::vector<uint64_t>& ids : in_flight) {
    for (const uint64_t id : ids) history_.Unknown(id);
  }
}

PushedReader::PushedReader(std::vector<std::string> endpoints,
                           std::string stream) {
  client::ClientOptions options;
  options.endpoints = std::move(endpoints);
  auto client = client::Client::Create(options);
  CHECK(client.ok(), "client");
  client_ = *std::move(client);
  const auto shards = client_->ListShards(stream);
  CHECK(shards.ok(), "ListShards");
  for (const v1::Shard& shard : *shards) {
    client::SubscriberOptions subscriber;
    subscriber.stream_name = stream;
    subscriber.shard_id = shard.shard_id();
    subscriber.from = client::FromTrimHorizon();
    subscriber.on_event =
        [this, id = shard.shard_id()](const v1::SubscribeToShardEvent& event) {
          absl::MutexLock lock(&mu_);
          ShardRecords& records = records_[id];
          records.insert(records.end(), event.records().begin(),
                         event.records().end());
          count_ += static_cast<size_t>(event.records_size());
        };
    subscribers_.push_back(
        std::make_unique<client::Subscriber>(*client_, std::move(subscriber)));
  }
}

PushedReader::~PushedReader() { subscribers_.clear(); }

size_t PushedReader::count() const {
  absl::MutexLock lock(&mu_);
  return count_;
}

absl::StatusOr<StreamRecords> PushedReader::Take(size_t count,
                                                 absl::Duration timeout) {
  bool enough = false;
  {
    absl::MutexLock lock(&mu_);
    wanted_ = count;
    enough = mu_.AwaitWithTimeout(absl::Condition(this, &PushedReader::Enough),
                                  timeout);
  }
  subscribers_.clear();
  absl::MutexLock lock(&mu_);
  if (!enough) {
    return absl::DeadlineExceededError(
        absl::StrCat("only ", count_, " of ", count, " records were pushed"));
  }
  return std::move(records_);
}

absl::Status MakeStream(const ClusterProcess& cluster,
                        const LoadOptions& options) {
  const std::unique_ptr<client::Client> client = cluster.ClientOfAll();
  RETURN_IF_ERROR(client->CreateStream(options.stream, options.shards));
  return client->WaitUntilActive(options.stream, absl::Seconds(10));
}

absl::StatusOr<StreamRecords> ReadAll(client::Client& client,
                                      const std::string& stream) {
  ASSIGN_OR_RETURN(const std::vector<v1::Shard> shards,
                   client.ListShards(stream));
  StreamRecords all;
  for (const v1::Shard& shard : shards) {
    ShardRecords& records = all[shard.shard_id()];
    client::ShardReader reader(client, stream, shard.shard_id(),
                               client::FromTrimHorizon());
    while (!reader.at_end() && !reader.caught_up()) {
      ASSIGN_OR_RETURN(const v1::GetRecordsResponse page, reader.Next());
      records.insert(records.end(), page.records().begin(),
                     page.records().end());
    }
    // Pushed readers know no empty shards either.
    if (records.empty()) all.erase(shard.shard_id());
  }
  return all;
}

absl::StatusOr<StreamRecords> CheckThroughEachNode(
    const ClusterProcess& cluster, const std::string& stream,
    const History& history) {
  StreamRecords last;
  std::string last_name = "nobody";
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    if (!cluster.running(node)) continue;
    std::string name = absl::StrCat("node ", node);
    const std::unique_ptr<client::Client> client = cluster.ClientOf(node);
    absl::StatusOr<StreamRecords> records = ReadAll(*client, stream);
    if (!records.ok()) {
      return absl::Status(records.status().code(),
                          absl::StrCat("reading through ", name, ": ",
                                       records.status().message()));
    }
    if (const absl::Status status = history.Check(*records); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat(name, ": ", status.message()));
    }
    RETURN_IF_ERROR(CheckContinues(last_name, last, name, *records));
    last = *std::move(records);
    last_name = std::move(name);
  }
  return last;
}

size_t CountOf(const StreamRecords& records) {
  size_t count = 0;
  for (const auto& [shard, of_shard] : records) count += of_shard.size();
  return count;
}

}  // namespace trireme
