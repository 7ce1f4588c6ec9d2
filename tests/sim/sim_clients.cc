#include "tests/sim/sim_clients.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/record.h"
#include "tests/sim/sim_state.h"

namespace trireme::sim {
namespace {

constexpr uint32_t kShards = 5;
// Deadlines are looked at every tick, and answers come through threads that
// may be slow.
constexpr Micros kAnswerSlack = 1 * kSecond;

}  // namespace

SimClients::SimClients(SimCluster* cluster, const SimClientsOptions& options)
    : cluster_(cluster), options_(options) {}

void SimClients::Start() {
  running_ = true;
  for (int i = 0; i < options_.clients; ++i) Next(i);
}

void SimClients::Next(int client) {
  const Micros think = static_cast<Micros>(
      cluster_->random().Between(1, static_cast<uint64_t>(options_.think_max)));
  cluster_->events().After(think, [this, client] {
    if (running_) Ask(client);
  });
}

void SimClients::Ask(int client) {
  Random& random = cluster_->random();
  const int node = static_cast<int>(random.Below(SimCluster::kNodes));
  const GroupId group(
      static_cast<uint32_t>(random.Below(cluster_->group_count())));
  const Micros timeout = static_cast<Micros>(
      random.Between(static_cast<uint64_t>(options_.timeout_min),
                     static_cast<uint64_t>(options_.timeout_max)));
  if (!cluster_->node(node).up()) return Next(client);
  if (random.Chance(options_.burst_chance)) {
    for (int i = 0; i < 15; ++i) Put(-1, node, group, timeout);
    if (!cluster_->node(node).up()) return Next(client);
  }
  const uint64_t kind = random.Below(10);
  if (kind < 2) {
    AskBarrier(client, node, group, timeout);
  } else if (kind < 3) {
    Command(client, node, group, timeout);
  } else {
    Put(client, node, group, timeout);
  }
}

uint64_t SimClients::Remember(Asked asked, Micros timeout) {
  const uint64_t number = next_number_++;
  asked.life = cluster_->node(asked.node).life();
  asked.deadline = cluster_->events().now() + timeout;
  asked.acked_before = cluster_->history().acked_index(asked.group);
  cluster_->trace().Add(asked.barrier ? "barrier" : "propose", number,
                        asked.node + 1, asked.group.value(), timeout);
  asked_.emplace(number, std::move(asked));
  cluster_->events().After(timeout + kAnswerSlack,
                           [this, number] { CheckAnswered(number); });
  return number;
}

PutBatch SimClients::MakeBatch(const Lane& lane, std::vector<RecordId>* ids) {
  Random& random = cluster_->random();
  PutBatch put;
  put.shard = lane.shard;
  put.record_count = static_cast<uint32_t>(random.Between(1, 4));
  for (uint32_t i = 0; i < put.record_count; ++i) {
    ids->push_back(cluster_->history().NewRecord(lane));
    const std::string key = absl::StrCat(ids->back());
    const std::string data(random.Below(options_.record_bytes_max), 'd');
    AppendRecord({key, data}, &put.batch);
  }
  return put;
}

uint64_t SimClients::Put(int client, int node, GroupId group, Micros timeout) {
  Asked asked{.client = client, .node = node, .group = group};
  auto body = std::make_shared<ProposalBody>();
  const uint64_t batches = cluster_->random().Between(1, 3);
  for (uint64_t i = 0; i < batches; ++i) {
    const ShardKey shard{
        StreamId(1),
        ShardIndex(static_cast<uint32_t>(cluster_->random().Below(kShards)))};
    const SimNode& taker = cluster_->node(node);
    body->puts.push_back(MakeBatch({taker.id(), taker.life(), group, shard},
                                   &asked.puts.emplace_back()));
  }
  const uint64_t number = Remember(std::move(asked), timeout);
  Propose(number, std::move(body), timeout);
  return number;
}

uint64_t SimClients::Command(int client, int node, GroupId group,
                             Micros timeout) {
  constexpr absl::string_view kVerbs[] = {"note", "seal", "open", "open"};
  Random& random = cluster_->random();
  Asked asked{.client = client, .node = node, .group = group};
  asked.command.push_back(cluster_->history().NewRecord());
  auto body = std::make_shared<ProposalBody>();
  // Shard 0 is never sealed.
  body->command = SimCommand(
      asked.command.front(), kVerbs[random.Below(4)],
      ShardIndex(static_cast<uint32_t>(random.Between(1, kShards - 1))));
  const uint64_t number = Remember(std::move(asked), timeout);
  Propose(number, std::move(body), timeout);
  return number;
}

void SimClients::Propose(uint64_t number,
                         std::shared_ptr<const ProposalBody> body,
                         Micros timeout) {
  const Asked& asked = asked_.at(number);
  SimNode& node = cluster_->node(asked.node);
  Proposal proposal;
  proposal.group = asked.group;
  proposal.body = std::move(body);
  proposal.timeout = absl::Microseconds(timeout);
  proposal.done = [this, number](ProposalOutcome outcome) {
    OnOutcome(number, outcome);
  };
  node.loop()->Propose(std::move(proposal));
  node.Wake();
}

uint64_t SimClients::AskBarrier(int client, int node, GroupId group,
                                Micros timeout) {
  const uint64_t number = Remember(
      {.client = client, .node = node, .group = group, .barrier = true},
      timeout);
  Barrier barrier;
  barrier.group = group;
  barrier.timeout = absl::Microseconds(timeout);
  barrier.done = [this, number](absl::Status status) {
    OnBarrier(number, status);
  };
  cluster_->node(node).loop()->ReadBarrier(std::move(barrier));
  cluster_->node(node).Wake();
  return number;
}

// --- answers ---

bool SimClients::Take(uint64_t number, Asked* asked) {
  const auto found = asked_.find(number);
  if (found == asked_.end()) {
    cluster_->history().Fail(
        "answered_once",
        absl::StrCat("question ", number, " was answered twice or too late"));
    return false;
  }
  *asked = std::move(found->second);
  asked_.erase(found);
  if (asked->client >= 0) Next(asked->client);
  return true;
}

void SimClients::OnOutcome(uint64_t number, const ProposalOutcome& outcome) {
  Asked asked;
  if (!Take(number, &asked)) return;
  cluster_->trace().Add("answer", number,
                        static_cast<int>(outcome.status.code()),
                        static_cast<int>(ReasonOf(outcome.status)));
  if (const auto awaited = awaited_.find(number); awaited != awaited_.end()) {
    awaited->second = outcome.status.ok();
  }
  if (outcome.status.ok()) {
    OnDone(asked, outcome);
  } else {
    OnNotDone(asked, outcome.status);
  }
}

void SimClients::OnDone(const Asked& asked, const ProposalOutcome& outcome) {
  History& history = cluster_->history();
  ++puts_acked_;
  if (!asked.command.empty()) {
    const LogIndex index = history.IndexOf(asked.command.front());
    history.OnAcked(asked.command.front(), asked.group, MakeCounter(index, 0));
    if (outcome.reply != absl::StrCat("did ", asked.command.front())) {
      history.Fail("acked_is_durable", "a command got another one's reply");
    }
    return;
  }
  if (outcome.places.size() != asked.puts.size()) {
    return history.Fail("acked_is_durable", "not every batch has its place");
  }
  for (size_t i = 0; i < asked.puts.size(); ++i) {
    const PutPlace& place = outcome.places[i];
    if (CounterIndex(place.first) <= asked.acked_before) {
      history.Fail("sequence_order",
                   absl::StrCat("a record got index ",
                                CounterIndex(place.first), " after index ",
                                asked.acked_before, " was acknowledged"));
    }
    for (size_t j = 0; j < asked.puts[i].size(); ++j) {
      if (place.status.ok()) {
        history.OnAcked(asked.puts[i][j], asked.group, place.first + j);
      } else {
        history.OnRefused(asked.puts[i][j], place.status.ToString());
      }
    }
  }
}

void SimClients::OnNotDone(const Asked& asked, const absl::Status& status) {
  const ErrorReason reason = ReasonOf(status);
  if (reason == ErrorReason::kOutcomeUnknown) {
    ++unknown_;
    return;
  }
  ++refused_;
  if (reason == ErrorReason::kNone) {
    cluster_->history().Fail("answered_once",
                             absl::StrCat("untyped: ", status.ToString()));
  }
  for (const RecordId id : asked.command) {
    cluster_->history().OnRefused(id, status.ToString());
  }
  for (const auto& ids : asked.puts) {
    for (const RecordId id : ids) {
      cluster_->history().OnRefused(id, status.ToString());
    }
  }
}

void SimClients::OnBarrier(uint64_t number, const absl::Status& status) {
  Asked asked;
  if (!Take(number, &asked)) return;
  cluster_->trace().Add("barrier answer", number,
                        static_cast<int>(status.code()));
  if (const auto awaited = awaited_.find(number); awaited != awaited_.end()) {
    awaited->second = status.ok();
  }
  if (!status.ok()) return;
  ++barriers_passed_;
  const LogIndex applied =
      cluster_->node(asked.node).state().Applied(asked.group).index;
  if (applied < asked.acked_before) {
    cluster_->history().Fail(
        "barrier_freshness",
        absl::StrCat("barrier ", number, " passed on node ", asked.node + 1,
                     " at index ", applied, " of group ", asked.group.value(),
                     "; ", asked.acked_before,
                     " had been acknowledged before"));
  }
}

void SimClients::CheckAnswered(uint64_t number) {
  const auto found = asked_.find(number);
  if (found == asked_.end()) return;
  const Asked& asked = found->second;
  SimNode& node = cluster_->node(asked.node);
  if (node.up() && node.life() == asked.life) {
    const Micros now = cluster_->events().now();
    const Micros late = now - node.paused_until();
    if (late < kAnswerSlack) {
      // A process that is stopped answers when it goes on.
      cluster_->events().At(node.paused_until() + kAnswerSlack,
                            [this, number] { CheckAnswered(number); });
      return;
    }
    cluster_->history().Fail(
        "answered_once",
        absl::StrCat(
            asked.barrier ? "barrier " : "proposal ", number, " to node ",
            asked.node + 1, ", group ", asked.group.value(), " has no answer ",
            (now - asked.deadline) / kMillisecond, " ms after its deadline"));
  }
  // Its node crashed: nobody will ever know.
  const int client = asked.client;
  asked_.erase(found);
  if (client >= 0) Next(client);
}

// --- single questions ---

bool SimClients::Await(uint64_t number) {
  // An answer may have come at once.
  cluster_->RunUntil([&] { return !asked_.contains(number); }, 20 * kSecond);
  const bool ok = awaited_[number];
  awaited_.erase(number);
  return ok;
}

bool SimClients::PutSucceeds(int node, GroupId group) {
  if (!cluster_->node(node).up()) return false;
  awaited_[next_number_] = false;
  return Await(Put(-1, node, group, 5 * kSecond));
}

bool SimClients::BarrierSucceeds(int node, GroupId group, Micros timeout) {
  if (!cluster_->node(node).up()) return false;
  awaited_[next_number_] = false;
  return Await(AskBarrier(-1, node, group, timeout));
}

}  // namespace trireme::sim
