#include "replication/local_transport.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace trireme {

void LocalTransport::Add(NodeId node, EnvelopeReceiver* receiver,
                         ReplicatedState* state) {
  absl::MutexLock lock(&mu_);
  members_[node] = {receiver, state};
}

void LocalTransport::Remove(NodeId node) {
  absl::MutexLock lock(&mu_);
  members_.erase(node);
}

bool LocalTransport::Send(NodeId to, Envelope envelope) {
  // Under the lock, so that Remove returns only when nobody is being called.
  absl::ReaderMutexLock lock(&mu_);
  const auto member = members_.find(to);
  if (member == members_.end()) return false;
  member->second.receiver->Receive(std::move(envelope));
  return true;
}

absl::StatusOr<std::unique_ptr<StateSource>> LocalTransport::PullState(
    NodeId from, GroupId group, absl::string_view held) {
  ReplicatedState* state = nullptr;
  {
    absl::ReaderMutexLock lock(&mu_);
    const auto member = members_.find(from);
    if (member != members_.end()) state = member->second.state;
  }
  if (state == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("node ", from.value(), " is not running"));
  }
  return state->OpenSource(group, held);
}

}  // namespace trireme
