#include "server/subscriptions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"

namespace trireme {
namespace {

absl::Status Stopping() {
  return absl::UnavailableError(
      "this node is stopping; subscribe at another one");
}

}  // namespace

absl::StatusOr<std::shared_ptr<Subscription>> Subscriptions::Add(
    SubscriptionSink* sink) {
  auto subscription = std::make_shared<Subscription>(context_, sink);
  absl::MutexLock lock(&mu_);
  if (stopping_) return Stopping();
  // Pruned when the vector has doubled: constant work a subscription.
  if (all_.size() >= std::min(prune_at_, count_max_)) Prune();
  if (all_.size() >= count_max_) {
    return MakeError(ErrorReason::kOverloaded,
                     absl::StrCat("this node has ", count_max_,
                                  " subscriptions, its limit; retry later "
                                  "or at another node"));
  }
  all_.push_back(subscription);
  return subscription;
}

void Subscriptions::Stop() {
  std::vector<std::weak_ptr<Subscription>> all;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    all.swap(all_);
  }
  for (const std::weak_ptr<Subscription>& weak : all) {
    if (const auto subscription = weak.lock()) subscription->Stop(Stopping());
  }
}

size_t Subscriptions::count() const {
  absl::MutexLock lock(&mu_);
  return static_cast<size_t>(
      std::count_if(all_.begin(), all_.end(),
                    [](const auto& weak) { return !weak.expired(); }));
}

void Subscriptions::Prune() {
  std::erase_if(all_, [](const auto& weak) { return weak.expired(); });
  prune_at_ = std::max<size_t>(64, 2 * all_.size());
}

}  // namespace trireme
