#include "client/examples/ad_conversion/ad_traffic.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/examples/setup.h"
#include "client/producer.h"
#include "client/status_macros.h"

namespace trireme::examples {
namespace {

using Json = nlohmann::json;

// Of each 20 clicks so many lead to an order.
constexpr int kClicksPerRound = 20;
int OrdersPerRound(int ad, int64_t minute) {
  return 1 + ad + static_cast<int>(minute % 4);
}

// A stream that events of ads are put to.
class AdStream {
 public:
  AdStream(client::Client& client, const std::string& name)
      : client_(client), name_(name), producer_(client, OptionsOf(name)) {}

  absl::Status Put(const std::string& ad, const Json& event) {
    return producer_.Put({ad, event.dump()}, errors_.Note());
  }
  // Waits for the answers to what was put before, then tells every shard.
  absl::Status EndMinute(const Json& mark) {
    CLIENT_RETURN_IF_ERROR(Flush());
    v1::ShardFilter open;
    open.set_type(v1::ShardFilter::AT_LATEST);
    CLIENT_ASSIGN_OR_RETURN(const auto shards, client_.ListShards(name_, open));
    for (const v1::Shard& shard : shards) {
      // By its hash keys: no partition key is known to lead there.
      CLIENT_RETURN_IF_ERROR(
          producer_.Put({"minute_over", mark.dump(),
                         shard.hash_key_range().starting_hash_key()},
                        errors_.Note()));
    }
    return Flush();
  }

 private:
  static client::ProducerOptions OptionsOf(const std::string& name) {
    client::ProducerOptions options;
    options.stream_name = name;
    return options;
  }
  absl::Status Flush() {
    producer_.Flush();
    return errors_.first();
  }

  client::Client& client_;
  const std::string name_;
  PutErrors errors_;  // Outlives the producer.
  client::Producer producer_;
};

// All events of one ad and minute.
absl::StatusOr<Tally> PutAdMinute(const AdTraffic& traffic, int ad,
                                  int64_t minute, AdStream& clicks,
                                  AdStream& orders) {
  const std::string name = absl::StrCat("ad-", ad);
  const int count = traffic.clicks * (1 + static_cast<int>(minute % 3));
  Tally tally;
  for (int i = 0; i < count; ++i) {
    Json event = {{"run", traffic.run},
                  {"user", absl::StrCat("user-", i)},
                  {"ad", name},
                  {"time", minute * 60 + i * 60 / count}};
    CLIENT_RETURN_IF_ERROR(clicks.Put(name, event));
    ++tally.clicks;
    if (i % kClicksPerRound >= OrdersPerRound(ad, minute)) continue;
    event["amount_cents"] = 1000 + i;
    CLIENT_RETURN_IF_ERROR(orders.Put(name, event));
    ++tally.orders;
  }
  return tally;
}

}  // namespace

absl::StatusOr<Conversions> PutTraffic(client::Client& client,
                                       const AdTraffic& traffic) {
  AdStream clicks(client, traffic.click_stream);
  AdStream orders(client, traffic.order_stream);
  Conversions answer;
  // As if they were the last ones.
  const int64_t end = absl::ToUnixSeconds(absl::Now()) / 60;
  for (int64_t minute = end - traffic.minutes; minute < end; ++minute) {
    for (int ad = 0; ad < traffic.ads; ++ad) {
      CLIENT_ASSIGN_OR_RETURN(answer[minute][absl::StrCat("ad-", ad)],
                              PutAdMinute(traffic, ad, minute, clicks, orders));
    }
    const Json mark = {{"run", traffic.run}, {"minute_over", minute}};
    CLIENT_RETURN_IF_ERROR(clicks.EndMinute(mark));
    CLIENT_RETURN_IF_ERROR(orders.EndMinute(mark));
    if (!client.cancellation().WaitFor(traffic.minute_takes)) {
      return absl::CancelledError("cancelled");
    }
  }
  return answer;
}

}  // namespace trireme::examples
