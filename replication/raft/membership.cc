#include "replication/raft/membership.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "storage/check.h"

namespace trireme::raft {
namespace {

constexpr char kVersion = 1;

void PutUint32(uint32_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out->push_back(static_cast<char>(value >> shift & 0xff));
  }
}

bool TakeUint32(absl::string_view* bytes, uint32_t* value) {
  if (bytes->size() < 4) return false;
  *value = 0;
  for (int i = 0; i < 4; ++i) {
    *value |= static_cast<uint32_t>(static_cast<uint8_t>((*bytes)[i]))
              << (8 * i);
  }
  bytes->remove_prefix(4);
  return true;
}

void PutNodes(const std::vector<NodeId>& nodes, std::string* out) {
  PutUint32(static_cast<uint32_t>(nodes.size()), out);
  for (NodeId node : nodes) PutUint32(node.value(), out);
}

bool TakeNodes(absl::string_view* bytes, std::vector<NodeId>* nodes) {
  uint32_t count = 0;
  if (!TakeUint32(bytes, &count) || count > bytes->size() / 4) return false;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t node = 0;
    TakeUint32(bytes, &node);
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
  std::string bytes(1, kVersion);
  PutNodes(membership.voters, &bytes);
  PutNodes(membership.outgoing_voters, &bytes);
  PutNodes(membership.learners, &bytes);
  return bytes;
}

absl::StatusOr<Membership> DecodeMembership(absl::string_view bytes) {
  Membership membership;
  if (bytes.empty() || bytes[0] != kVersion) {
    return absl::DataLossError("membership entry has an unknown version");
  }
  bytes.remove_prefix(1);
  if (!TakeNodes(&bytes, &membership.voters) ||
      !TakeNodes(&bytes, &membership.outgoing_voters) ||
      !TakeNodes(&bytes, &membership.learners) || !bytes.empty() ||
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
