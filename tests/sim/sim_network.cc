#include "tests/sim/sim_network.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "replication/wire.h"
#include "storage/check.h"

namespace trireme::sim {
namespace {

constexpr size_t kHeldEnvelopesMax = 256;

}  // namespace

// A pull whose connection may break before each chunk.
class SimNetwork::InterruptedSource : public StateSource {
 public:
  InterruptedSource(SimNetwork* network, NodeId by, NodeId from,
                    std::unique_ptr<StateSource> source)
      : network_(network),
        by_(by),
        from_(from),
        life_(network->members_[from].life),
        source_(std::move(source)) {}

  AppliedPosition position() const override { return source_->position(); }

  absl::StatusOr<std::string> Next() override {
    if (!network_->Reachable(by_, from_) ||
        network_->members_[from_].life != life_ ||
        network_->random_->Chance(network_->conditions_.pull_break_chance)) {
      return absl::UnavailableError("the connection broke while pulling");
    }
    return source_->Next();
  }

 private:
  SimNetwork* const network_;
  const NodeId by_;
  const NodeId from_;
  const uint64_t life_;
  const std::unique_ptr<StateSource> source_;
};

void SimNetwork::Attach(NodeId node, EnvelopeReceiver* receiver,
                        ReplicatedState* state) {
  Member& member = members_[node];
  member.receiver = receiver;
  member.state = state;
  ++member.life;
  for (auto& [id, other] : members_) {
    if (id == node) continue;
    Stream& out = StreamOf(node, id);
    out.health = Health::kDown;
    Reconnect(node, id, ++out.epoch);
    // The other way comes up when its sender has noticed the break.
    Stream& in = StreamOf(id, node);
    if (in.epoch == 0) Reconnect(id, node, ++in.epoch);
  }
}

void SimNetwork::Detach(NodeId node, bool silently) {
  Member& member = members_[node];
  member.receiver = nullptr;
  member.state = nullptr;
  ++member.life;
  for (auto& [id, other] : members_) {
    if (id == node) continue;
    Stream& out = StreamOf(node, id);
    out.health = Health::kDown;
    out.held.clear();
    ++out.epoch;
    BreakStream(id, node,
                silently ? random_->Between(kSecond, 4 * kSecond)
                         : random_->Below(20 * kMillisecond));
  }
}

bool SimNetwork::Send(NodeId from, NodeId to, Envelope envelope) {
  for (const auto& [group, message] : envelope.messages) {
    history_->OnMessage(group, message);
    trace_->Add("send", message.from.value(), message.to.value(), group.value(),
                static_cast<int>(message.type), message.term, message.log_index,
                message.commit, message.match, message.entries.size());
  }
  Stream& stream = StreamOf(from, to);
  if (stream.health == Health::kDown) return false;
  if (stream.health == Health::kBroken) return true;  // Lost.
  if (stream.blocked) {
    if (stream.held.size() >= kHeldEnvelopesMax) return false;
    stream.held.push_back(std::move(envelope));
    return true;
  }
  if (random_->Chance(conditions_.break_chance)) {
    Break(from, to);
    return true;
  }
  Carry(from, to, std::move(envelope));
  return true;
}

void SimNetwork::Carry(NodeId from, NodeId to, Envelope envelope) {
  Stream& stream = StreamOf(from, to);
  const Micros delay = static_cast<Micros>(random_->Between(
                           conditions_.delay_min, conditions_.delay_max)) +
                       stream.extra_delay;
  stream.last_arrival =
      std::max(stream.last_arrival + 1, events_->now() + delay);
  if (conditions_.encodes) {
    v1::Envelope wire = EncodeEnvelope(envelope);
    absl::StatusOr<Envelope> decoded = DecodeEnvelope(wire);
    CHECK(decoded.ok(), decoded.status().ToString());
    envelope = *std::move(decoded);
  }
  events_->At(stream.last_arrival, [this, from, to, epoch = stream.epoch,
                                    envelope = std::move(envelope)]() mutable {
    Arrive(from, to, epoch, std::move(envelope));
  });
}

void SimNetwork::Arrive(NodeId from, NodeId to, uint64_t epoch,
                        Envelope envelope) {
  EnvelopeReceiver* const receiver = members_[to].receiver;
  if (StreamOf(from, to).epoch != epoch || receiver == nullptr) return;
  receiver->Receive(std::move(envelope));
}

bool SimNetwork::Blocked(NodeId from, NodeId to) const {
  const auto stream = streams_.find({from, to});
  return stream != streams_.end() && stream->second.blocked;
}

bool SimNetwork::Reachable(NodeId by, NodeId from) const {
  const auto member = members_.find(from);
  return member != members_.end() && member->second.state != nullptr &&
         !Blocked(by, from) && !Blocked(from, by);
}

absl::StatusOr<std::unique_ptr<StateSource>> SimNetwork::PullState(
    NodeId by, NodeId from, GroupId group, absl::string_view held) {
  if (!Reachable(by, from)) {
    return absl::UnavailableError(
        absl::StrCat("node ", from.value(), " cannot be reached"));
  }
  trace_->Add("pull", by.value(), from.value(), group.value());
  absl::StatusOr<std::unique_ptr<StateSource>> source =
      members_[from].state->OpenSource(group, held);
  if (!source.ok()) return source.status();
  return std::make_unique<InterruptedSource>(this, by, from,
                                             *std::move(source));
}

// --- faults ---

void SimNetwork::SetExtraDelay(NodeId from, NodeId to, Micros delay) {
  StreamOf(from, to).extra_delay = delay;
}

void SimNetwork::Block(NodeId from, NodeId to) {
  Stream& stream = StreamOf(from, to);
  if (stream.blocked) return;
  trace_->Add("block", from.value(), to.value());
  stream.blocked = true;
  // Keep-alives end a stream that has been silent for too long.
  events_->After(random_->Between(2 * kSecond, 8 * kSecond),
                 [this, from, to, epoch = stream.epoch] {
                   Stream& now = StreamOf(from, to);
                   if (now.blocked && now.epoch == epoch) {
                     BreakStream(from, to, 0);
                   }
                 });
}

void SimNetwork::Unblock(NodeId from, NodeId to) {
  Stream& stream = StreamOf(from, to);
  if (!stream.blocked) return;
  trace_->Add("unblock", from.value(), to.value());
  stream.blocked = false;
  std::deque<Envelope> held = std::exchange(stream.held, {});
  if (stream.health != Health::kUp) return;
  // Sent again by the kernel after all, or given up.
  if (random_->Chance(0.3)) return Break(from, to);
  for (Envelope& envelope : held) Carry(from, to, std::move(envelope));
}

void SimNetwork::Break(NodeId from, NodeId to) {
  BreakStream(from, to, random_->Below(20 * kMillisecond));
  if (random_->Chance(0.7)) {
    BreakStream(to, from, random_->Below(20 * kMillisecond));
  }
}

void SimNetwork::BreakStream(NodeId from, NodeId to, Micros noticed_after) {
  Stream& stream = StreamOf(from, to);
  stream.held.clear();
  if (stream.health == Health::kDown) return;
  trace_->Add("break", from.value(), to.value());
  stream.health = Health::kBroken;
  const uint64_t epoch = ++stream.epoch;
  events_->After(noticed_after, [this, from, to, epoch] {
    Stream& broken = StreamOf(from, to);
    if (broken.epoch != epoch) return;
    broken.health = Health::kDown;
    trace_->Add("connection lost", from.value(), to.value());
    EnvelopeReceiver* const sender = members_[from].receiver;
    if (sender != nullptr) sender->ConnectionLost(to);
    Reconnect(from, to, epoch);
  });
}

void SimNetwork::Reconnect(NodeId from, NodeId to, uint64_t epoch) {
  events_->After(random_->Between(5 * kMillisecond, 200 * kMillisecond),
                 [this, from, to, epoch] {
                   Stream& stream = StreamOf(from, to);
                   if (stream.epoch != epoch || stream.health != Health::kDown)
                     return;
                   // Whoever starts later begins anew.
                   if (members_[from].receiver == nullptr) return;
                   if (members_[to].receiver == nullptr || Blocked(from, to) ||
                       Blocked(to, from)) {
                     return Reconnect(from, to, epoch);
                   }
                   stream.health = Health::kUp;
                   trace_->Add("connected", from.value(), to.value());
                 });
}

void SimNetwork::Heal() {
  set_conditions({.encodes = conditions_.encodes});
  for (auto& [ends, stream] : streams_) {
    stream.extra_delay = 0;
    Unblock(ends.first, ends.second);
  }
}

}  // namespace trireme::sim
