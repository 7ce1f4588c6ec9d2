#include "tests/bench/kinesis_push.h"

#include <boost/asio/detached.hpp>
#include <memory>

#include "server/aws/event_stream.h"
#include "storage/check.h"
#include "tests/bench/http1_client.h"
#include "tests/bench/http_load.h"
#include "tests/bench/kinesis_servers.h"

namespace trireme::bench {
namespace {

namespace asio = boost::asio;

constexpr int kProducers = 8;  // A put waits only for the eighth before it.
constexpr int kPolledMax = 1000;
constexpr MessageFormat kJson = MessageFormat::kJson;
constexpr auto kConsumerLead = std::chrono::milliseconds(200);
constexpr auto kPatience = std::chrono::seconds(20);

KinesisRequest SubscribeToShard(const std::string& consumer_arn) {
  return {"SubscribeToShard", kJson,
          R"({"ConsumerARN":")" + consumer_arn + R"(","ShardId":")" +
              ShardIdOf(0) +
              R"(","StartingPosition":{"Type":"TRIM_HORIZON"}})"};
}

// The producers and the consumer of one measurement, on one thread.
class PushRun {
 public:
  PushRun(const PushLoad& load, double seconds)
      : load_(load),
        count_(static_cast<size_t>(seconds * load.records_per_s)),
        start_(std::chrono::steady_clock::now() + kConsumerLead),
        consumer_(context_, load.address) {
    for (int i = 0; i < kProducers; ++i) {
      producers_.push_back(
          std::make_unique<Http1Client>(context_, load.address));
    }
  }

  std::vector<double> Run() {
    Spawn(load_.consumer_arn.empty() ? Poll() : Subscribe());
    for (size_t i = 0; i < producers_.size(); ++i) Spawn(Produce(i));
    context_.run_until(start_ + kPatience +
                       std::chrono::seconds(
                           count_ / static_cast<size_t>(load_.records_per_s)));
    CHECK(Done(), "not every record came from " + load_.address);
    return latencies_ms_;
  }

 private:
  void Spawn(Awaitable<void> coroutine) {
    asio::co_spawn(context_.get_executor(), std::move(coroutine),
                   asio::detached);
  }

  bool Done() const { return latencies_ms_.size() >= count_; }

  Awaitable<void> Produce(size_t producer) {
    Timer timer(context_.get_executor());
    for (size_t i = producer; i < count_; i += kProducers) {
      timer.expires_at(start_ + i * std::chrono::nanoseconds(
                                        1'000'000'000 / load_.records_per_s));
      co_await timer.async_wait(kAwait);
      KinesisRequest request = MakePutRecord(
          kJson, load_.stream, static_cast<int>(i), load_.record_bytes);
      StampPutRecord(SteadyNow(), &request);
      const unsigned status = co_await producers_[producer]->Call(request);
      CHECK(status == 200, "a PutRecord failed");
    }
  }

  // What a consumer has got: the payload of an event, or an answer.
  void Take(absl::string_view json) {
    const int64_t now = SteadyNow();
    for (const int64_t sent_at : RecordStamps(load_.record_bytes, json)) {
      latencies_ms_.push_back(static_cast<double>(now - sent_at) / 1e6);
    }
    if (Done()) context_.stop();
  }

  Awaitable<void> Subscribe() {
    const KinesisRequest request = SubscribeToShard(load_.consumer_arn);
    absl::Cord received;
    const auto on_bytes = [&](absl::string_view bytes) {
      received.Append(bytes);
      for (;;) {
        auto message = TakeEventMessage(received);
        CHECK(message.ok(), message.status().ToString());
        if (!message->has_value()) return true;
        Take(std::string((*message)->payload));
      }
    };
    const unsigned status = co_await consumer_.CallStreaming(request, on_bytes);
    CHECK(status == 200, "SubscribeToShard failed");
  }

  Awaitable<void> Poll() {
    std::string iterator = StringMember(
        kJson, "ShardIterator",
        CallKinesis(load_.address,
                    MakeKinesisRequest("GetShardIterator", kJson,
                                       {{"StreamName", load_.stream},
                                        {"ShardId", ShardIdOf(0)},
                                        {"ShardIteratorType", "LATEST"}})));
    while (!Done()) {
      const KinesisRequest request =
          MakeGetRecords(kJson, iterator, kPolledMax);
      const unsigned status = co_await consumer_.Call(request);
      CHECK(status == 200, "a GetRecords failed");
      Take(consumer_.answer());
      iterator = StringMember(kJson, "NextShardIterator", consumer_.answer());
    }
  }

  // Set at construction.
  const PushLoad load_;
  const size_t count_;
  const SteadyTime start_;  // Of the producers.

  asio::io_context context_{1};  // Before what runs on it.
  Http1Client consumer_;
  std::vector<std::unique_ptr<Http1Client>> producers_;
  std::vector<double> latencies_ms_;
};

}  // namespace

std::vector<double> MeasurePushes(const PushLoad& load, double seconds) {
  return PushRun(load, seconds).Run();
}

}  // namespace trireme::bench
