#include "client/cli/demo_readers.h"

#include <chrono>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "client/shard_reader.h"

namespace trireme::cli {

int64_t SteadyNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

SendTimes::SendTimes(const std::vector<const DemoInput*>& inputs)
    : sent_at_([&inputs] {
        uint64_t records = 0;
        for (const DemoInput* input : inputs) records += input->records;
        return records;
      }()) {
  uint64_t number = 0;
  for (const DemoInput* input : inputs) {
    for (const KeyedLines& key : input->keys) {
      first_number_[key.key] = number;
      count_[key.key] = key.lines.size();
      number += key.lines.size();
    }
  }
}

int64_t SendTimes::Since(const std::string& key, size_t place,
                         int64_t now) const {
  const auto count = count_.find(key);
  if (count == count_.end() || place >= count->second) return -1;
  return now - sent_at_[NumberOf(key, place)].load();
}

PushedRecords::PushedRecords(client::Client& client, const std::string& stream,
                             const std::vector<v1::Shard>& shards,
                             const SendTimes& send_times)
    : client_(client), send_times_(send_times) {
  for (const v1::Shard& shard : shards) {
    client::SubscriberOptions options;
    options.stream_name = stream;
    options.shard_id = shard.shard_id();
    // The stream is new: its beginning is now, and nothing can be missed.
    options.from = client::FromTrimHorizon();
    options.on_event = [this, id = shard.shard_id()](const auto& event) {
      OnEvent(id, event);
    };
    subscribers_.emplace_back(client, std::move(options));
  }
}

PushedRecords::~PushedRecords() { Stop(); }

void PushedRecords::OnEvent(const std::string& shard,
                            const v1::SubscribeToShardEvent& event) {
  const int64_t now = SteadyNow();
  absl::MutexLock lock(&mu_);
  for (const v1::Record& record : event.records()) {
    const size_t place =
        received_.Add(shard, record.partition_key(), record.data());
    const int64_t since = send_times_.Since(record.partition_key(), place, now);
    if (latencies_ != nullptr && since >= 0) latencies_->Add(since);
  }
  records_.fetch_add(event.records_size());
}

void PushedRecords::MeasureInto(Latencies& latencies) {
  absl::MutexLock lock(&mu_);
  latencies_ = &latencies;
}

bool PushedRecords::WaitFor(uint64_t records, absl::Duration patience,
                            const std::function<void(uint64_t)>& on_progress) {
  uint64_t seen = records_.load();
  absl::Time last_progress = absl::Now();
  while (records_.load() < records) {
    if (!client_.cancellation().WaitFor(absl::Milliseconds(5))) return false;
    if (records_.load() != seen) {
      seen = records_.load();
      last_progress = absl::Now();
      on_progress(seen);
    } else if (absl::Now() - last_progress > patience) {
      return false;
    }
  }
  return true;
}

absl::Status ReadAgain(client::Client& client, const std::string& stream,
                       const std::vector<v1::Shard>& shards, Received& received,
                       std::map<std::string, uint64_t>& records_by_shard,
                       std::map<std::string, uint64_t>& bytes_by_shard) {
  absl::Mutex mu;
  absl::Status result;
  const auto read = [&](const std::string& shard) {
    client::ShardReader reader(client, stream, shard,
                               client::FromTrimHorizon());
    while (!reader.at_end() && !reader.caught_up()) {
      const auto page = reader.Next();
      absl::MutexLock lock(&mu);
      if (!page.ok()) {
        result.Update(page.status());
        return;
      }
      for (const v1::Record& record : page->records()) {
        received.Add(shard, record.partition_key(), record.data());
        bytes_by_shard[shard] += record.data().size();
      }
      records_by_shard[shard] += page->records_size();
    }
  };
  std::vector<std::thread> threads;
  for (const v1::Shard& shard : shards) {
    threads.emplace_back(read, shard.shard_id());
  }
  for (std::thread& thread : threads) thread.join();
  return result;
}

}  // namespace trireme::cli
