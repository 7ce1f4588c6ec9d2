#include "client/examples/ad_conversion/conversion_join.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "client/status_macros.h"

namespace trireme::examples {

using Json = nlohmann::json;

ConversionJoin::ConversionJoin(client::Client& client, JoinOptions options,
                               const std::set<CountedShard>& shards)
    : client_(client), options_(std::move(options)) {
  for (const CountedShard& shard : shards) minutes_over_[shard] = 0;
}

// Counts that are given again after an error change nothing.
absl::Status ConversionJoin::Process(const client::RecordBatch& batch,
                                     client::Checkpointer&) {
  for (const client::UserRecord& record : batch.records) Take(record);
  return PutFinal();
}

void ConversionJoin::Take(const client::UserRecord& record) {
  const Json counts = Json::parse(record.data, nullptr, false);
  if (!counts.is_object() || counts.value("run", "") != options_.run) return;
  const CountedShard shard(counts["stream"], counts["shard"]);
  const auto over = minutes_over_.find(shard);
  if (over == minutes_over_.end()) return;
  over->second = std::max(over->second, counts["minute_over"].get<int64_t>());
  for (const auto& [text, ads] : counts["minutes"].items()) {
    int64_t minute = 0;
    if (!absl::SimpleAtoi(text, &minute) || minute <= put_to_) continue;
    AdTallies& tallies = minutes_[minute][{shard, counts["first"]}];
    for (const auto& [ad, count] : ads.items()) {
      if (shard.first == options_.click_stream) {
        tallies[ad].clicks = count.get<uint64_t>();
      } else {
        tallies[ad].orders = count.get<uint64_t>();
      }
    }
  }
}

absl::Status ConversionJoin::PutFinal() {
  int64_t final_to = INT64_MAX;
  for (const auto& [shard, minute] : minutes_over_) {
    final_to = std::min(final_to, minute);
  }
  while (!minutes_.empty() && minutes_.begin()->first <= final_to) {
    const auto& [minute, windows] = *minutes_.begin();
    AdTallies sums;
    for (const auto& [window, tallies] : windows) {
      for (const auto& [ad, tally] : tallies) {
        sums[ad].clicks += tally.clicks;
        sums[ad].orders += tally.orders;
      }
    }
    CLIENT_RETURN_IF_ERROR(Put(minute, sums));
    put_to_ = minute;
    minutes_.erase(minutes_.begin());
  }
  return absl::OkStatus();
}

absl::Status ConversionJoin::Put(int64_t minute, const AdTallies& tallies) {
  for (const auto& [ad, tally] : tallies) {
    Json conversion = {{"run", options_.run},
                       {"minute", minute},
                       {"ad", ad},
                       {"clicks", tally.clicks},
                       {"orders", tally.orders},
                       {"ratio", nullptr}};  // Orders without a click.
    if (tally.clicks > 0) {
      conversion["ratio"] =
          static_cast<double>(tally.orders) / static_cast<double>(tally.clicks);
    }
    v1::PutRecordRequest request;
    request.set_stream_name(options_.conversion_stream);
    request.set_partition_key(ad);
    request.set_data(conversion.dump());
    CLIENT_RETURN_IF_ERROR(client_.PutRecord(request).status());
  }
  return absl::OkStatus();
}

}  // namespace trireme::examples
