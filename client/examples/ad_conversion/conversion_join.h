// Joins the counts of clicks and of orders (window_counts.h) by minute and ad.
// A minute is final when each shard of both streams is counted behind it; then
// its conversions are put to a third stream, one record for each ad:
//
//   {"run": "5f..", "minute": 28930001, "ad": "ad-3", "clicks": 40,
//    "orders": 10, "ratio": 0.25}
//
// Reads a stream of one shard, so one worker sees all counts. It keeps what is
// not final in memory and never checkpoints: whoever has the shard next reads
// the counts again and puts the same conversions again. They are known by
// minute and ad. One that must run for months would keep its state in a
// database and checkpoint behind it.
//
// The shards are those there were at the start: it knows nothing of reshards.
#ifndef TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_CONVERSION_JOIN_H_
#define TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_CONVERSION_JOIN_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "client/client.h"
#include "client/examples/ad_conversion/ad_traffic.h"
#include "client/record_processor.h"

namespace trireme::examples {

struct JoinOptions {
  std::string run;
  std::string click_stream;
  std::string order_stream;
  std::string conversion_stream;
};

// A shard that is counted: its stream and its id.
using CountedShard = std::pair<std::string, std::string>;

class ConversionJoin : public client::RecordProcessor {
 public:
  // `client` must outlive it.
  ConversionJoin(client::Client& client, JoinOptions options,
                 const std::set<CountedShard>& shards);

  absl::Status Process(const client::RecordBatch& batch,
                       client::Checkpointer& checkpointer) override;
  bool checkpoints_itself() const override { return true; }  // Never.

 private:
  // One window of one shard: a window that comes again takes its own place.
  using Window = std::pair<CountedShard, std::string>;

  void Take(const client::UserRecord& record);
  absl::Status PutFinal();
  absl::Status Put(int64_t minute, const AdTallies& tallies);

  client::Client& client_;
  const JoinOptions options_;
  // Behind which minute each shard is counted.
  std::map<CountedShard, int64_t> minutes_over_;
  std::map<int64_t, std::map<Window, AdTallies>> minutes_;  // Not final.
  int64_t put_to_ = 0;  // All minutes up to this one are put.
};

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_CONVERSION_JOIN_H_
