#include "replication/formation.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace trireme {
namespace {

absl::Status CheckFits(const Identity& ours, const Identity& theirs) {
  if (theirs.cluster == ours.cluster && theirs.group_count == ours.group_count)
    return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "node ", theirs.node.value(), " is of cluster '", theirs.cluster,
      "' with ", theirs.group_count, " groups; this node is of cluster '",
      ours.cluster, "' with ", ours.group_count, " groups"));
}

}  // namespace

Formation::Formation(Identity identity, std::vector<NodeId> nodes)
    : nodes_(std::move(nodes)), identity_(std::move(identity)) {}

Identity Formation::Describe() const {
  absl::MutexLock lock(&mu_);
  return identity_;
}

absl::StatusOr<bool> Formation::Round(
    absl::FunctionRef<absl::StatusOr<Identity>(NodeId)> ask) {
  const Identity ours = Describe();
  if (ours.formed) return true;
  std::map<NodeId, uint64_t> round = {{ours.node, ours.incarnation}};
  std::optional<Identity> formed_peer;
  for (const NodeId node : nodes_) {
    if (node == ours.node) continue;
    const absl::StatusOr<Identity> theirs = ask(node);
    if (!theirs.ok()) continue;  // Not up yet.
    if (absl::Status status = CheckFits(ours, *theirs); !status.ok()) {
      return status;
    }
    round[node] = theirs->incarnation;
    if (theirs->formed) formed_peer = *theirs;
  }
  const bool complete = round.size() == nodes_.size();
  const bool agreed = complete && round == last_round_;
  last_round_ = complete ? round : std::map<NodeId, uint64_t>();
  if (!formed_peer.has_value() && !agreed) return false;

  absl::MutexLock lock(&mu_);
  identity_.founders = formed_peer ? formed_peer->founders : round;
  const auto founder = identity_.founders.find(ours.node);
  identity_.rejoined = founder == identity_.founders.end() ||
                       founder->second != ours.incarnation;
  identity_.formed = true;
  return true;
}

}  // namespace trireme
