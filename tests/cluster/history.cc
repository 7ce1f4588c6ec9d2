#include "tests/cluster/history.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace trireme {
namespace {

constexpr size_t kFindingsMax = 12;

// The id and then letters that follow from it.
std::string DataOf(uint64_t id, size_t bytes) {
  std::string data = absl::StrCat(id, ":");
  uint64_t state = id * 0x9E3779B97F4A7C15 + 1;
  while (data.size() < bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    data.push_back(static_cast<char>('a' + state % 26));
  }
  return data;
}

std::optional<uint64_t> IdOf(const std::string& data) {
  const size_t colon = data.find(':');
  uint64_t id = 0;
  if (colon == std::string::npos ||
      !absl::SimpleAtoi(data.substr(0, colon), &id)) {
    return std::nullopt;
  }
  return id;
}

// All have 56 digits, so text order is number order.
bool ArrivedBefore(const v1::Record& a, const v1::Record& b) {
  const auto& at = a.approximate_arrival_timestamp();
  const auto& bt = b.approximate_arrival_timestamp();
  return std::make_pair(at.seconds(), at.nanos()) <
         std::make_pair(bt.seconds(), bt.nanos());
}

}  // namespace

struct History::Findings {
  std::vector<std::string> lines;
  size_t count = 0;

  template <typename... Parts>
  void Add(const Parts&... parts) {
    if (++count <= kFindingsMax) lines.push_back(absl::StrCat(parts...));
  }
};

uint64_t History::Invoke(int writer, absl::string_view key, size_t data_bytes) {
  absl::MutexLock lock(&mu_);
  const uint64_t id = writes_.size();
  Write write;
  write.writer = writer;
  write.key = std::string(key);
  write.data = DataOf(id, data_bytes);
  write.invoked = absl::Now();
  writes_.push_back(std::move(write));
  return id;
}

std::string History::key(uint64_t id) const {
  absl::MutexLock lock(&mu_);
  return writes_[id].key;
}

std::string History::data(uint64_t id) const {
  absl::MutexLock lock(&mu_);
  return writes_[id].data;
}

void History::Sent(uint64_t id) {
  absl::MutexLock lock(&mu_);
  ++writes_[id].sends;
}

void History::Acked(uint64_t id, Place place) {
  absl::MutexLock lock(&mu_);
  writes_[id].outcome = Outcome::kAcked;
  ++acked_by_shard_[place.shard_id];
  writes_[id].place = std::move(place);
  writes_[id].answered = absl::Now();
  ++acked_;
}

void History::Refused(uint64_t id) {
  absl::MutexLock lock(&mu_);
  writes_[id].outcome = Outcome::kRefused;
  ++refused_;
}

void History::Unknown(uint64_t id) {
  absl::MutexLock lock(&mu_);
  writes_[id].outcome = Outcome::kUnknown;
  ++unknown_;
}

size_t History::acked_count() const {
  absl::MutexLock lock(&mu_);
  return acked_;
}

size_t History::unknown_count() const {
  absl::MutexLock lock(&mu_);
  return unknown_;
}

size_t History::refused_count() const {
  absl::MutexLock lock(&mu_);
  return refused_;
}

bool History::AwaitAcked(size_t count, size_t shards, absl::Duration timeout) {
  absl::MutexLock lock(&mu_);
  const std::map<std::string, size_t> before = acked_by_shard_;
  auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (acked_by_shard_.size() < shards) return false;
    for (const auto& [shard, acked] : acked_by_shard_) {
      const auto it = before.find(shard);
      if (acked < count + (it == before.end() ? 0 : it->second)) return false;
    }
    return true;
  };
  return mu_.AwaitWithTimeout(absl::Condition(&enough), timeout);
}

absl::Duration History::LongestWait(absl::Time start) const {
  absl::MutexLock lock(&mu_);
  absl::Duration longest;
  for (const Write& write : writes_) {
    if (write.outcome != Outcome::kAcked || write.invoked < start) continue;
    longest = std::max(longest, write.answered - write.invoked);
  }
  return longest;
}

absl::Duration History::LongestGap(absl::Time start) const {
  absl::MutexLock lock(&mu_);
  std::map<std::string, std::vector<absl::Time>> acks;
  for (const Write& write : writes_) {
    if (write.outcome != Outcome::kAcked) continue;
    acks[write.place.shard_id].push_back(write.answered);
  }
  absl::Duration longest;
  for (auto& [shard, times] : acks) {
    times.push_back(absl::Now());
    std::sort(times.begin(), times.end());
    for (size_t i = 1; i < times.size(); ++i) {
      if (times[i] < start) continue;
      longest = std::max(longest, times[i] - times[i - 1]);
    }
  }
  return longest;
}

// In an order of the shard, nobody may stand before a record that had been
// acked before he was even sent.
void History::CheckRealTimeOrder(const std::string& shard,
                                 const std::vector<uint64_t>& ids,
                                 Findings* findings) const {
  absl::Time first_answer_behind = absl::InfiniteFuture();
  uint64_t behind = 0;
  for (size_t i = ids.size(); i-- > 0;) {
    const Write& write = writes_[ids[i]];
    if (write.invoked > first_answer_behind) {
      findings->Add(shard, ": record ", ids[i], " stands before ", behind,
                    ", which was acked before the former was sent");
    }
    if (write.outcome == Outcome::kAcked &&
        write.answered < first_answer_behind) {
      first_answer_behind = write.answered;
      behind = ids[i];
    }
  }
}

// Records of one writer and key come in the order of their ids, but one that
// was sent again may have been overtaken.
void History::CheckKeyOrder(const std::vector<uint64_t>& ids,
                            Findings* findings) const {
  std::map<std::pair<int, std::string>, uint64_t> last;
  for (const uint64_t id : ids) {
    const Write& write = writes_[id];
    if (write.outcome != Outcome::kAcked || write.sends > 1) continue;
    const auto key = std::make_pair(write.writer, write.key);
    const auto [it, is_first] = last.emplace(key, id);
    if (is_first) continue;
    if (id < it->second) {
      findings->Add(write.place.shard_id, ": record ", id, " of key ",
                    write.key, " stands behind ", it->second);
    }
    it->second = id;
  }
}

std::vector<uint64_t> History::CheckShard(const std::string& shard,
                                          const ShardRecords& records,
                                          std::vector<int>* times_seen,
                                          Findings* findings) const {
  std::vector<uint64_t> ids;
  for (size_t i = 0; i < records.size(); ++i) {
    const v1::Record& record = records[i];
    if (i > 0 && record.sequence_number() <= records[i - 1].sequence_number()) {
      findings->Add(shard, ": sequence number ", record.sequence_number(),
                    " does not follow ", records[i - 1].sequence_number());
    }
    if (i > 0 && ArrivedBefore(record, records[i - 1])) {
      findings->Add(shard, ": arrival time goes back at ",
                    record.sequence_number());
    }
    const std::optional<uint64_t> id = IdOf(record.data());
    if (!id || *id >= writes_.size() || record.data() != writes_[*id].data ||
        record.partition_key() != writes_[*id].key) {
      findings->Add(shard, ": ", record.sequence_number(),
                    " is nothing that was written: key '",
                    record.partition_key(), "', data '",
                    record.data().substr(0, 60), "'");
      continue;
    }
    ids.push_back(*id);
    const Write& write = writes_[*id];
    if (++(*times_seen)[*id] == 2) {
      findings->Add(shard, ": record ", *id, " is there twice, again at ",
                    record.sequence_number());
    }
    if (write.outcome == Outcome::kRefused) {
      findings->Add(shard, ": record ", *id, " was refused, but is at ",
                    record.sequence_number());
    }
    if (write.outcome == Outcome::kAcked &&
        (write.place.shard_id != shard ||
         write.place.sequence_number != record.sequence_number())) {
      findings->Add(shard, ": record ", *id, " is at ",
                    record.sequence_number(), ", but was acked at ",
                    write.place.shard_id, " ", write.place.sequence_number);
    }
  }
  CheckRealTimeOrder(shard, ids, findings);
  return ids;
}

absl::Status History::Check(const StreamRecords& stored) const {
  absl::MutexLock lock(&mu_);
  Findings findings;
  std::vector<int> times_seen(writes_.size());
  // By shard id: parents come before their children.
  std::vector<uint64_t> all;
  for (const auto& [shard, records] : stored) {
    const std::vector<uint64_t> ids =
        CheckShard(shard, records, &times_seen, &findings);
    all.insert(all.end(), ids.begin(), ids.end());
  }
  CheckKeyOrder(all, &findings);
  size_t lost = 0;
  for (uint64_t id = 0; id < writes_.size(); ++id) {
    const Write& write = writes_[id];
    if (write.outcome != Outcome::kAcked || times_seen[id] != 0) continue;
    ++lost;
    findings.Add("LOST: record ", id, " of writer ", write.writer,
                 " was acked at ", absl::FormatTime(write.answered), " at ",
                 write.place.shard_id, " ", write.place.sequence_number);
  }
  if (findings.count == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      findings.count, " findings, ", lost, " acked records lost of ", acked_,
      ":\n", absl::StrJoin(findings.lines, "\n")));
}

absl::Status CheckContinues(absl::string_view earlier_name,
                            const StreamRecords& earlier,
                            absl::string_view later_name,
                            const StreamRecords& later) {
  for (const auto& [shard, records] : earlier) {
    const auto found = later.find(shard);
    const size_t count = found == later.end() ? 0 : found->second.size();
    if (count < records.size()) {
      return absl::DataLossError(
          absl::StrCat(shard, ": ", earlier_name, " had ", records.size(),
                       " records, then ", later_name, " has ", count));
    }
    for (size_t i = 0; i < records.size(); ++i) {
      const v1::Record& other = found->second[i];
      if (records[i].SerializeAsString() == other.SerializeAsString()) continue;
      return absl::DataLossError(
          absl::StrCat(shard, ": record ", i, " differs: ", earlier_name,
                       " has ", records[i].sequence_number(), ", ", later_name,
                       " has ", other.sequence_number()));
    }
  }
  return absl::OkStatus();
}

}  // namespace trireme
