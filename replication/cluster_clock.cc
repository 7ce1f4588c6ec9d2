#include "replication/cluster_clock.h"

#include <algorithm>
#include <vector>

namespace trireme {

void ClusterClock::OnPeerTime(NodeId peer, absl::Time time) {
  const absl::Time epoch = time - own_->MonotonicNow();
  absl::MutexLock lock(&mu_);
  peer_epochs_[peer] = epoch;
}

absl::Time ClusterClock::WallNow() const {
  const absl::Duration now = own_->MonotonicNow();
  std::vector<absl::Time> clocks = {own_->WallNow()};
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [peer, epoch] : peer_epochs_) {
      clocks.push_back(epoch + now);
    }
  }
  const auto median =
      clocks.begin() + static_cast<ptrdiff_t>((clocks.size() - 1) / 2);
  std::nth_element(clocks.begin(), median, clocks.end());
  return *median;
}

}  // namespace trireme
