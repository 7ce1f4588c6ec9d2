// Clicks on ads and the orders that came of them, made up so that the right
// answer is known. Minutes are of the events' own time, so an hour of traffic
// can be put within a second.
#ifndef TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_AD_TRAFFIC_H_
#define TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_AD_TRAFFIC_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"

namespace trireme::examples {

struct Tally {
  uint64_t clicks = 0;
  uint64_t orders = 0;

  friend bool operator==(const Tally&, const Tally&) = default;
};

// By ad. Of one minute; and of all, by minutes since the epoch.
using AdTallies = std::map<std::string, Tally>;
using Conversions = std::map<int64_t, AdTallies>;

struct AdTraffic {
  std::string run;
  std::string click_stream;
  std::string order_stream;
  int ads = 5;
  int minutes = 10;
  int clicks = 100;  // Of an ad and minute, more or less.
  // Before the next minute is put.
  absl::Duration minute_takes = absl::ZeroDuration();
};

// Puts {"run", "user", "ad", "time"} to the click stream and {"run", "user",
// "ad", "amount_cents", "time"} to the order stream, both by ad. When all of a
// minute is acknowledged, {"run", "minute_over"} to every shard of both: there
// may be shards without any ad, and who counts must know that nothing is
// missing. Gives the right answer.
absl::StatusOr<Conversions> PutTraffic(client::Client& client,
                                       const AdTraffic& traffic);

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_AD_TRAFFIC_H_
