#include "server/shard_claims.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "storage/check.h"
#include "storage/entry_payload.h"
#include "storage/errors.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

absl::Status HeldByAnother(absl::string_view what, int64_t refused_for_ms) {
  return MakeError(
      ErrorReason::kResourceInUse,
      absl::StrCat("Another active subscription exists for this shard: ", what,
                   ". A subscription may be taken over ",
                   absl::ToInt64Milliseconds(kSubscriptionHeld),
                   " milliseconds after it was made, this one in ",
                   refused_for_ms, "."));
}

absl::Status TakenOver(absl::string_view what) {
  return MakeError(
      ErrorReason::kResourceInUse,
      absl::StrCat("A newer subscription has taken over: ", what, "."));
}

absl::Status Deregistered(absl::string_view what) {
  return MakeError(ErrorReason::kResourceNotFound,
                   absl::StrCat("The consumer was deregistered: ", what, "."));
}

absl::Status Replaced() {
  return absl::UnavailableError(
      "this node has just copied from another what it had missed; subscribe "
      "again");
}

}  // namespace

void ShardClaims::Add(const WantedShard& wanted,
                      std::weak_ptr<Subscription> subscription,
                      Decided decided) {
  absl::MutexLock lock(&mu_);
  // Pruned when it has doubled: constant work a subscription.
  if (all_.size() >= prune_at_) Prune();
  all_.emplace(wanted.key,
               Held{wanted, std::move(subscription), std::move(decided)});
}

ShardClaims::All::iterator ShardClaims::Find(const ClaimKey& key,
                                             uint64_t subscription) {
  const auto [begin, end] = all_.equal_range(key);
  const auto found = std::find_if(begin, end, [subscription](const auto& one) {
    return one.second.wanted.subscription == subscription;
  });
  return found == end ? all_.end() : found;
}

bool ShardClaims::IsOpen(const ClaimKey& key, uint64_t subscription) const {
  absl::MutexLock lock(&mu_);
  const auto [begin, end] = all_.equal_range(key);
  return std::any_of(begin, end, [subscription](const auto& one) {
    return one.second.wanted.subscription == subscription &&
           one.second.decided != nullptr;
  });
}

void ShardClaims::GiveUp(const ClaimKey& key, uint64_t subscription,
                         absl::Status why) {
  Jobs jobs;
  {
    absl::MutexLock lock(&mu_);
    const auto found = Find(key, subscription);
    if (found == all_.end() || found->second.decided == nullptr) return;
    jobs.push_back(EndOf(std::move(found->second), std::move(why)));
    all_.erase(found);
  }
  Schedule(std::move(jobs));
}

size_t ShardClaims::count() const {
  absl::MutexLock lock(&mu_);
  return all_.size();
}

void ShardClaims::OnApplied(const CommittedEntry& entry,
                            const ApplyResult& result) {
  // Only entries of records have results of batches.
  if (!entry.has_payload || !result.batches.empty() || !result.status.ok() ||
      count() == 0) {
    return;
  }
  const absl::StatusOr<DecodedPayload> decoded = DecodePayload(*entry.payload);
  CHECK(decoded.ok(), "an applied entry is malformed");
  if (decoded->kind != PayloadKind::kCommand) return;
  v1::Command command;
  CHECK(command.ParseFromArray(decoded->command.data(),
                               static_cast<int>(decoded->command.size())),
        "an applied command is malformed");
  Jobs jobs;
  {
    absl::MutexLock lock(&mu_);
    OnCommand(command, result, &jobs);
  }
  Schedule(std::move(jobs));
}

void ShardClaims::OnCommand(const v1::Command& command,
                            const ApplyResult& result, Jobs* jobs) {
  const auto deregistered = [](const Held& held) {
    return Deregistered(held.wanted.what);
  };
  if (command.has_claim_shards()) {
    const v1::ClaimShardsCommand& claims = command.claim_shards();
    v1::ClaimShardsReply reply;
    // An entry the state had applied before the start has no reply.
    if (!reply.ParseFromString(result.reply) ||
        reply.refused_for_ms_size() != claims.claims_size()) {
      return;
    }
    for (int i = 0; i < claims.claims_size(); ++i) {
      const v1::ShardClaim& claim = claims.claims(i);
      OnClaim(KeyOf(claim), claim.subscription(), reply.refused_for_ms(i),
              jobs);
    }
  } else if (command.has_deregister_consumer()) {
    const StreamId stream(command.deregister_consumer().stream_id());
    const uint32_t consumer = command.deregister_consumer().consumer();
    End(
        [&](const Held& held) {
          return held.wanted.key.shard.stream == stream &&
                 held.wanted.key.consumer == consumer;
        },
        deregistered, jobs);
  } else if (command.has_delete_stream()) {
    v1::DeleteStreamReply reply;
    if (!reply.ParseFromString(result.reply)) return;
    const StreamId stream(reply.stream_id());
    End(
        [&](const Held& held) {
          return held.wanted.key.shard.stream == stream;
        },
        deregistered, jobs);
  }
}

void ShardClaims::OnClaim(const ClaimKey& key, uint64_t subscription,
                          int64_t refused_for_ms, Jobs* jobs) {
  if (refused_for_ms > 0) {
    const auto refused = Find(key, subscription);
    if (refused == all_.end() || refused->second.decided == nullptr) return;
    const std::string what = refused->second.wanted.what;
    jobs->push_back(
        EndOf(std::move(refused->second), HeldByAnother(what, refused_for_ms)));
    all_.erase(refused);
    return;
  }
  auto held = all_.lower_bound(key);
  while (held != all_.end() && held->first == key) {
    Held& one = held->second;
    if (one.wanted.subscription == subscription) {
      if (one.decided != nullptr) {
        jobs->push_back([decided = std::move(one.decided)]() mutable {
          decided(absl::OkStatus());
        });
        one.decided = nullptr;
      }
      ++held;
    } else if (one.decided == nullptr) {
      const std::string what = one.wanted.what;
      jobs->push_back(EndOf(std::move(one), TakenOver(what)));
      held = all_.erase(held);
    } else {
      ++held;  // Its own entry decides.
    }
  }
}

void ShardClaims::OnStateReplaced(GroupId group) {
  // Entries were skipped here: claims, or deregistrations in the meta group.
  Jobs jobs;
  {
    absl::MutexLock lock(&mu_);
    End(
        [group](const Held& held) {
          return group == kMetaGroup || held.wanted.group == group;
        },
        [](const Held&) { return Replaced(); }, &jobs);
  }
  Schedule(std::move(jobs));
}

void ShardClaims::End(absl::FunctionRef<bool(const Held&)> is_over,
                      absl::FunctionRef<absl::Status(const Held&)> why,
                      Jobs* jobs) {
  for (auto held = all_.begin(); held != all_.end();) {
    if (!is_over(held->second)) {
      ++held;
      continue;
    }
    absl::Status status = why(held->second);
    jobs->push_back(EndOf(std::move(held->second), std::move(status)));
    held = all_.erase(held);
  }
}

WorkPool::Job ShardClaims::EndOf(Held held, absl::Status why) {
  return [held = std::move(held), why = std::move(why)]() mutable {
    if (held.decided != nullptr) return held.decided(std::move(why));
    if (const auto subscription = held.subscription.lock()) {
      subscription->Stop(std::move(why));
    }
  };
}

void ShardClaims::Prune() {
  for (auto held = all_.begin(); held != all_.end();) {
    const bool gone =
        held->second.decided == nullptr && held->second.subscription.expired();
    held = gone ? all_.erase(held) : std::next(held);
  }
  prune_at_ = std::max<size_t>(64, 2 * all_.size());
}

void ShardClaims::Schedule(Jobs jobs) {
  for (WorkPool::Job& job : jobs) pool_->Schedule(std::move(job));
}

}  // namespace trireme
