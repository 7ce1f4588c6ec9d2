#include "server/scaling.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace trireme {
namespace {

// A side with less than that of the load is not worth a split.
constexpr double kSideMin = 0.1;

double Heat(const ShardLoad& load, const ScalingRules& rules) {
  return std::max(load.bytes_per_second / rules.split_bytes_per_second,
                  load.records_per_second / rules.split_records_per_second);
}

std::string Describe(const ShardLoad& load) {
  return absl::StrFormat("%.0f KiB/s, %.0f records/s",
                         load.bytes_per_second / 1024, load.records_per_second);
}

std::optional<ScalingPlan> PlanHottest(std::span<const MeasuredShard> shards,
                                       const ScalingRules& rules) {
  std::vector<const MeasuredShard*> hot;
  for (const MeasuredShard& shard : shards) {
    if (Heat(shard.load, rules) > 1) hot.push_back(&shard);
  }
  std::sort(hot.begin(), hot.end(),
            [&](const MeasuredShard* a, const MeasuredShard* b) {
              return Heat(a->load, rules) > Heat(b->load, rules);
            });
  for (const MeasuredShard* shard : hot) {
    const auto at = SplitPoint(shard->shard->range, shard->load.samples);
    if (!at) continue;
    return ScalingPlan{
        shard->shard->index, *at, std::nullopt,
        absl::StrFormat(
            "hot: %s over %.0f s; split above %.0f KiB/s or %.0f "
            "records/s, where %zu samples halve",
            Describe(shard->load), absl::ToDoubleSeconds(LoadMeter::kWindow),
            rules.split_bytes_per_second / 1024, rules.split_records_per_second,
            shard->load.samples.size())};
  }
  return std::nullopt;
}

std::optional<ScalingPlan> PlanColdest(std::span<const MeasuredShard> shards,
                                       const ScalingRules& rules,
                                       absl::Time now) {
  if (shards.size() <= rules.shards_min) return std::nullopt;
  const auto is_cold = [&](const MeasuredShard& shard) {
    return shard.cold_since + rules.merge_after <= now;
  };
  std::optional<size_t> coldest;
  double least = 0;
  for (size_t i = 0; i + 1 < shards.size(); ++i) {
    if (!is_cold(shards[i]) || !is_cold(shards[i + 1])) continue;
    const double both =
        Heat(shards[i].load, rules) + Heat(shards[i + 1].load, rules);
    if (coldest && both >= least) continue;
    coldest = i;
    least = both;
  }
  if (!coldest) return std::nullopt;
  const MeasuredShard& lower = shards[*coldest];
  const MeasuredShard& upper = shards[*coldest + 1];
  return ScalingPlan{
      lower.shard->index, 0, upper.shard->index,
      absl::StrFormat("cold for %s: %s and %s; merged below %.0f KiB/s and "
                      "%.0f records/s together",
                      absl::FormatDuration(rules.merge_after),
                      Describe(lower.load), Describe(upper.load),
                      rules.merge_bytes_per_second / 1024,
                      rules.merge_records_per_second)};
}

}  // namespace

bool IsCold(const ShardLoad& load, const ScalingRules& rules) {
  return load.bytes_per_second < rules.merge_bytes_per_second / 2 &&
         load.records_per_second < rules.merge_records_per_second / 2;
}

std::optional<HashKey> SplitPoint(const HashKeyRange& range,
                                  std::vector<HashKey> samples) {
  if (range.end - range.start < 4) return std::nullopt;
  // Records with an explicit hash key hash elsewhere.
  std::erase_if(samples, [&](HashKey key) { return !range.Contains(key); });
  if (samples.empty()) return range.start + (range.end - range.start) / 2 + 1;
  std::sort(samples.begin(), samples.end());
  std::optional<HashKey> best;
  size_t best_side = 0;  // The smaller one.
  for (size_t i = 1; i < samples.size(); ++i) {
    if (samples[i] == samples[i - 1]) continue;
    const size_t side = std::min(i, samples.size() - i);
    // Between two keys; a shard's own first keys cannot be split off.
    const HashKey at = samples[i - 1] + (samples[i] - samples[i - 1] + 1) / 2;
    if (at <= range.start + 1 || at >= range.end || side <= best_side) continue;
    best = at;
    best_side = side;
  }
  const double share =
      static_cast<double>(best_side) / static_cast<double>(samples.size());
  return share < kSideMin ? std::nullopt : best;
}

std::optional<ScalingPlan> PlanScaling(std::span<const MeasuredShard> shards,
                                       const ScalingRules& rules,
                                       absl::Time now) {
  if (auto plan = PlanHottest(shards, rules)) return plan;
  return PlanColdest(shards, rules, now);
}

}  // namespace trireme
