#include "server/lease_plan.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/btree_map.h"

namespace trireme {
namespace {

// Of the mean load; workers that differ by less are balanced.
constexpr double kGapMin = 0.1;

class Balance {
 public:
  explicit Balance(const ConsumerGroup& group) {
    for (const auto& [number, worker] : group.workers) {
      if (!worker.draining) workers_[number];
    }
    for (const auto& [shard, lease] : group.leases) {
      if (lease.checkpoint.at_end()) continue;
      ++lease_count_;
      bytes_per_second_ += static_cast<double>(lease.bytes_per_second);
    }
    for (const auto& [shard, lease] : group.leases) {
      if (!lease.checkpoint.at_end()) Place(shard, lease);
    }
    for (const auto& [worker, load] : workers_) {
      by_load_.insert({load.load, worker});
    }
  }

  absl::btree_map<ShardIndex, WorkerNumber> Plan() {
    if (workers_.empty()) return {};
    // The heavy ones first: the light ones even out what is left.
    std::sort(free_.begin(), free_.end(), std::greater<>());
    for (const auto& [weight, shard] : free_) {
      Give(shard, weight, by_load_.begin()->second);
    }
    // More moves than leases would be going round in circles.
    for (size_t i = 0; i < lease_count_ && MoveOne(); ++i) {
    }
    return std::move(planned_);
  }

 private:
  using Weighted = std::pair<double, ShardIndex>;
  struct Load {
    double load = 0;
    std::set<Weighted> movable;
  };

  double WeightOf(const Lease& lease) const {
    const double share = 1.0 / static_cast<double>(lease_count_);
    if (bytes_per_second_ == 0) return share;
    return share +
           static_cast<double>(lease.bytes_per_second) / bytes_per_second_;
  }

  void Place(ShardIndex shard, const Lease& lease) {
    const double weight = WeightOf(lease);
    const bool moves = lease.next_owner != 0;
    const auto worker = workers_.find(moves ? lease.next_owner : lease.owner);
    if (worker == workers_.end()) {
      free_.push_back({weight, shard});
      return;
    }
    worker->second.load += weight;
    if (!moves) worker->second.movable.insert({weight, shard});
  }

  void ChangeLoad(WorkerNumber worker, double by) {
    Load& load = workers_.at(worker);
    by_load_.erase({load.load, worker});
    load.load += by;
    by_load_.insert({load.load, worker});
  }
  void Give(ShardIndex shard, double weight, WorkerNumber worker) {
    ChangeLoad(worker, weight);
    workers_.at(worker).movable.insert({weight, shard});
    planned_[shard] = worker;
  }

  // From the busiest worker that has a lease worth moving to the idlest.
  bool MoveOne() {
    const auto [idle_load, idlest] = *by_load_.begin();
    const double mean = MeanLoad();
    for (auto at = by_load_.rbegin(); at != by_load_.rend(); ++at) {
      const auto [busy_load, busiest] = *at;
      const double gap = busy_load - idle_load;
      if (gap < kGapMin * mean) return false;
      const auto lease = LeaseWorthMoving(workers_.at(busiest), gap, mean);
      if (!lease) continue;
      workers_.at(busiest).movable.erase(*lease);
      ChangeLoad(busiest, -lease->first);
      Give(lease->second, lease->first, idlest);
      return true;
    }
    return false;
  }
  double MeanLoad() const {
    const double all = bytes_per_second_ == 0 ? 1 : 2;
    return all / static_cast<double>(workers_.size());
  }
  // The one whose weight is nearest to half of the gap: it brings the two
  // workers closest. One that weighs about as much as the gap only changes who
  // is the busy one.
  static std::optional<Weighted> LeaseWorthMoving(const Load& busy, double gap,
                                                  double mean) {
    const auto above = busy.movable.lower_bound({gap / 2, ShardIndex(0)});
    std::optional<Weighted> best;
    if (above != busy.movable.begin()) best = *std::prev(above);
    if (above == busy.movable.end()) return best;
    const double left = gap - above->first;
    if (left < kGapMin * mean / 2) return best;
    return best.has_value() && best->first >= left ? best : *above;
  }

  size_t lease_count_ = 0;
  double bytes_per_second_ = 0;
  absl::btree_map<WorkerNumber, Load> workers_;
  std::set<std::pair<double, WorkerNumber>> by_load_;
  std::vector<Weighted> free_;
  absl::btree_map<ShardIndex, WorkerNumber> planned_;
};

}  // namespace

std::vector<PlannedLease> PlanLeases(
    const ConsumerGroup& group,
    absl::FunctionRef<bool(ShardIndex)> hand_off_is_over) {
  absl::btree_map<ShardIndex, WorkerNumber> planned = Balance(group).Plan();
  std::vector<PlannedLease> plan;
  for (const auto& [shard, lease] : group.leases) {
    const auto found = planned.find(shard);
    if (found != planned.end() && found->second != lease.owner) {
      plan.push_back({shard, lease.counter, found->second, /*forced=*/false,
                      lease.next_owner});
    } else if (lease.next_owner != 0 && hand_off_is_over(shard)) {
      plan.push_back({shard, lease.counter, lease.next_owner, /*forced=*/true,
                      lease.next_owner});
    }
  }
  return plan;
}

}  // namespace trireme
