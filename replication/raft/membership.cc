#include "replication/raft/membership.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "storage/check.h"
#include "storage/fixed_ints.h"

namespace trireme::raft {
namespace {

constexpr uint8_t kVersion = 1;

void AppendNodes(const std::vector<NodeId>& nodes, std::string* out) {
  AppendLittle(static_cast<uint32_t>(nodes.size()), out);
  for (NodeId node : nodes) AppendLittle(node.value(), out);
}

bool TakeNodes(ByteCursor* bytes, std::vector<NodeId>* nodes) {
  uint32_t count = 0;
  if (!bytes->TakeLittle(&count)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t node = 0;
    if (!bytes->TakeLittle(&node)) return false;
    nodes->push_back(NodeId(node));
  }
  return true;
}

bool Contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

}  // namespace

bool Membership::IsVoter(NodeId node) const {
  return Contains(voters, node) || Contains(outgoing_voters, node);
}

std::vector<NodeId> Membership::Members() const {
  std::vector<NodeId> all = voters;
  all.insert(all.end(), outgoing_voters.begin(), outgoing_voters.end());
  all.insert(all.end(), learners.begin(), learners.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::string EncodeMembership(const Membership& membership) {
  std::string bytes;
  AppendLittle(kVersion, &bytes);
  AppendNodes(membership.voters, &bytes);
  AppendNodes(membership.outgoing_voters, &bytes);
  AppendNodes(membership.learners, &bytes);
  return bytes;
}

absl::StatusOr<Membership> DecodeMembership(absl::string_view bytes) {
  ByteCursor cursor(bytes);
  uint8_t version = 0;
  if (!cursor.TakeLittle(&version) || version != kVersion) {
    return absl::DataLossError("membership entry has an unknown version");
  }
  Membership membership;
  if (!TakeNodes(&cursor, &membership.voters) ||
      !TakeNodes(&cursor, &membership.outgoing_voters) ||
      !TakeNodes(&cursor, &membership.learners) || !cursor.empty() ||
      membership.voters.empty()) {
    return absl::DataLossError("membership entry is malformed");
  }
  return membership;
}

MembershipHistory::MembershipHistory(Membership initial) {
  records_.push_back({0, std::move(initial)});
}

const Membership& MembershipHistory::At(LogIndex index) const {
  size_t at = records_.size() - 1;
  while (at > 0 && records_[at].index > index) --at;
  return records_[at].membership;
}

void MembershipHistory::Reset(Membership membership) {
  records_.clear();
  records_.push_back({0, std::move(membership)});
}

bool MembershipHistory::OnAppend(const Entry& entry) {
  if (entry.type != EntryType::kConfig) return false;
  CHECK(entry.payload != nullptr, "a membership entry lost its payload");
  absl::StatusOr<Membership> membership = DecodeMembership(*entry.payload);
  CHECK(membership.ok(), std::string(membership.status().message()));
  records_.push_back({entry.index, *std::move(membership)});
  return true;
}

bool MembershipHistory::OnTruncate(LogIndex index) {
  const size_t before = records_.size();
  while (records_.size() > 1 && records_.back().index >= index) {
    records_.pop_back();
  }
  return records_.size() != before;
}

void MembershipHistory::OnTrim(LogIndex index) {
  size_t keep = 0;
  while (keep + 1 < records_.size() && records_[keep + 1].index <= index) {
    ++keep;
  }
  records_.erase(records_.begin(), records_.begin() + keep);
}

}  // namespace trireme::raft
