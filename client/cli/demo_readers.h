// The two ways the demo gets its records back.
#ifndef TRIREME_CLIENT_CLI_DEMO_READERS_H_
#define TRIREME_CLIENT_CLI_DEMO_READERS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cli/demo_check.h"
#include "client/cli/latency.h"
#include "client/client.h"
#include "client/subscriber.h"

namespace trireme::cli {

// Steady-clock time in nanoseconds.
int64_t SteadyNow();

// When each record was sent: written by the producer's lanes, read by the
// subscribers. The k-th record of a key that comes back is the k-th that was
// sent, so nothing has to be added to the data.
class SendTimes {
 public:
  // Records are numbered through all keys of `inputs`, in this order.
  explicit SendTimes(const std::vector<const DemoInput*>& inputs);

  uint64_t NumberOf(const std::string& key, size_t place) const {
    return first_number_.at(key) + place;
  }
  // The first time counts: a repeated put has been waiting since then.
  void OnSend(uint64_t number) {
    int64_t never = 0;
    sent_at_[number].compare_exchange_strong(never, SteadyNow());
  }
  // Nanoseconds; negative when there is no such record.
  int64_t Since(const std::string& key, size_t place, int64_t now) const;

 private:
  // Set at construction, the times excepted.
  std::map<std::string, uint64_t> first_number_;
  std::map<std::string, size_t> count_;
  std::vector<std::atomic<int64_t>> sent_at_;
};

// A subscriber per shard; takes everything that is pushed.
class PushedRecords {
 public:
  PushedRecords(client::Client& client, const std::string& stream,
                const std::vector<v1::Shard>& shards,
                const SendTimes& send_times);
  ~PushedRecords();

  uint64_t records() const { return records_.load(); }
  // Of the records after this call.
  void MeasureInto(Latencies& latencies);
  // Waits until `records` have come, or none came for `patience`.
  bool WaitFor(uint64_t records, absl::Duration patience,
               const std::function<void(uint64_t)>& on_progress);
  // Ends the subscribers. Then `received` stays as it is.
  void Stop() { subscribers_.clear(); }
  const Received& received() const { return received_; }

 private:
  void OnEvent(const std::string& shard,
               const v1::SubscribeToShardEvent& event);

  // Set at construction.
  client::Client& client_;
  const SendTimes& send_times_;

  absl::Mutex mu_;
  Received received_;  // Guarded by mu_ until Stop.
  Latencies* latencies_ ABSL_GUARDED_BY(mu_) = nullptr;

  std::atomic<uint64_t> records_ = 0;
  std::list<client::Subscriber> subscribers_;  // Last: they call OnEvent.
};

// Reads every shard from TRIM_HORIZON with iterators, a thread each.
absl::Status ReadAgain(client::Client& client, const std::string& stream,
                       const std::vector<v1::Shard>& shards, Received& received,
                       std::map<std::string, uint64_t>& records_by_shard,
                       std::map<std::string, uint64_t>& bytes_by_shard);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_DEMO_READERS_H_
