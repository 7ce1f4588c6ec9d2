#include "client/topology.h"

#include <algorithm>
#include <utility>

namespace trireme::client {
namespace {

absl::Time AskUntil(absl::Time now, absl::Time deadline) {
  return now + std::min(Topology::kAskingMax, (deadline - now) / 2);
}

}  // namespace

std::shared_ptr<const ShardMap> Topology::ShardsOf(absl::string_view stream,
                                                   absl::Time now,
                                                   absl::Time deadline) {
  std::shared_ptr<const ShardMap> shards;
  bool shards_due = false;
  bool leaders_due = false;
  {
    absl::MutexLock lock(&mu_);
    Stream& known = Entry(stream, now);
    shards = known.shards;
    shards_due = now >= known.ask_at;
    leaders_due = shards != nullptr && now >= leaders_at_;
    // From here on it is due for nobody else.
    if (shards_due) known.ask_at = now + kRetryPeriod;
    if (leaders_due) leaders_at_ = now + kLeadersPeriod;
  }
  if (shards_due) {
    if (auto asked = LearnShards(stream, now, deadline); asked != nullptr) {
      shards = std::move(asked);
      leaders_due = true;  // Its groups may be new.
    }
  }
  if (leaders_due) LearnLeaders(now, deadline);
  return shards;
}

std::shared_ptr<const ShardMap> Topology::LearnShards(absl::string_view stream,
                                                      absl::Time now,
                                                      absl::Time deadline) {
  const auto listed = source_.list_shards(stream, AskUntil(now, deadline));
  if (!listed.ok()) return nullptr;
  auto shards = std::make_shared<const ShardMap>(*listed);
  absl::MutexLock lock(&mu_);
  // Gone when it was forgotten meanwhile.
  if (const auto known = streams_.find(stream); known != streams_.end()) {
    known->second = {shards, now + kShardsPeriod};
  }
  return shards;
}

bool Topology::IsDue(absl::string_view stream, absl::Time now,
                     const ShardMap* have) const {
  absl::MutexLock lock(&mu_);
  const auto known = streams_.find(stream);
  return known == streams_.end() || now >= known->second.ask_at ||
         known->second.shards.get() != have;
}

bool Topology::Add(absl::string_view stream, absl::Time now) {
  absl::MutexLock lock(&mu_);
  if (streams_.contains(stream)) return false;
  Entry(stream, now);
  return true;
}

void Topology::Forget(absl::string_view stream) {
  absl::MutexLock lock(&mu_);
  streams_.erase(stream);
}

void Topology::LearnLeaders(absl::Time now, absl::Time deadline) {
  {
    absl::MutexLock lock(&mu_);
    leaders_at_ = now + kLeadersPeriod;
  }
  source_.learn_leaders(AskUntil(now, deadline));
}

Topology::Stream& Topology::Entry(absl::string_view stream, absl::Time now) {
  const auto known = streams_.find(stream);
  if (known != streams_.end()) return known->second;
  if (streams_.size() == kStreamsMax) {
    // One that was not asked for in the longest time is not in use.
    streams_.erase(std::min_element(streams_.begin(), streams_.end(),
                                    [](const auto& a, const auto& b) {
                                      return a.second.ask_at < b.second.ask_at;
                                    }));
  }
  Stream& added = streams_[stream];
  added.ask_at = now;
  return added;
}

}  // namespace trireme::client
