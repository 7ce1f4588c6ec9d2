// What a SegmentLog must hold, kept in plain maps: the oracle of the log's
// tests, with a generator of legal batches.
#ifndef TRIREME_TESTS_UNIT_LOG_MODEL_H_
#define TRIREME_TESTS_UNIT_LOG_MODEL_H_

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/crc32c.h"
#include "storage/segment_log.h"

namespace trireme {

inline LogEntry MakeEntry(uint32_t group, LogIndex index, Term term,
                          std::string payload) {
  LogEntry entry;
  entry.group = GroupId(group);
  entry.index = index;
  entry.term = term;
  entry.type = static_cast<uint8_t>(term % 3);
  entry.payload_crc = Crc32c(payload);
  entry.payload = MakePayload(std::move(payload));
  return entry;
}

inline LogHardState MakeHardState(uint32_t group, Term term, uint32_t vote) {
  LogHardState state;
  state.group = GroupId(group);
  state.term = term;
  state.vote = NodeId(vote);
  return state;
}

struct GroupModel {
  Term term = 0;
  uint32_t vote = 0;
  LogIndex trim = 0;
  std::map<LogIndex, std::pair<Term, std::string>> entries;

  bool operator==(const GroupModel&) const = default;
  LogIndex last() const {
    return entries.empty() ? trim : entries.rbegin()->first;
  }
};

class LogModel {
 public:
  void Apply(const LogBatch& batch) {
    for (const LogHardState& state : batch.hard_states) {
      groups_[state.group].term = state.term;
      groups_[state.group].vote = state.vote.value();
    }
    for (const LogCut& cut : batch.cuts)
      CutFrom(groups_[cut.group], cut.last + 1);
    for (const LogEntry& entry : batch.entries) {
      GroupModel& group = groups_[entry.group];
      if (entry.index > group.last() + 1) group.entries.clear();
      CutFrom(group, entry.index);
      group.entries[entry.index] = {entry.term,
                                    entry.payload ? *entry.payload : ""};
    }
  }

  void Trim(GroupId id, LogIndex index) {
    GroupModel& group = groups_[id];
    group.trim = std::max(group.trim, index);
    group.entries.erase(group.entries.begin(),
                        group.entries.upper_bound(group.trim));
  }

  const std::map<GroupId, GroupModel>& groups() const { return groups_; }
  std::map<GroupId, GroupModel>& groups() { return groups_; }

  // True when the replay shows exactly this, entries at or below the trim
  // points aside; otherwise says in `*difference` what differs.
  bool Matches(const Replay& replay, std::string* difference) const {
    for (const auto& [id, group] : groups_) {
      const auto found = replay.groups.find(id);
      const ReplayedGroup empty;
      const ReplayedGroup& replayed =
          found == replay.groups.end() ? empty : found->second;
      *difference = "group " + id.ToString() + ": ";
      if (replayed.hard_state.term != group.term ||
          replayed.hard_state.vote.value() != group.vote) {
        *difference += "hard state differs: term " +
                       std::to_string(replayed.hard_state.term) + " not " +
                       std::to_string(group.term);
        return false;
      }
      auto expected = group.entries.begin();
      for (const auto& entry : replayed.entries) {
        if (entry.index <= group.trim) continue;
        *difference += "entry " + std::to_string(entry.index);
        if (expected == group.entries.end() || expected->first != entry.index ||
            expected->second.first != entry.term ||
            Crc32c(expected->second.second) != entry.payload_crc)
          return false;
        *difference = "group " + id.ToString() + ": ";
        ++expected;
      }
      if (expected != group.entries.end()) {
        *difference += "no entry " + std::to_string(expected->first);
        return false;
      }
    }
    difference->clear();
    return true;
  }

  // Every entry can be read back, and no other.
  void ExpectReadable(const SegmentLog& log) const {
    for (const auto& [id, group] : groups_) {
      for (const auto& [index, entry] : group.entries) {
        const absl::StatusOr<Payload> payload = log.Read(id, index);
        ASSERT_TRUE(payload.ok()) << payload.status();
        ASSERT_EQ(**payload, entry.second);
      }
      ASSERT_TRUE(absl::IsNotFound(log.Read(id, group.last() + 1).status()));
    }
  }

 private:
  static void CutFrom(GroupModel& group, LogIndex index) {
    group.entries.erase(group.entries.lower_bound(index), group.entries.end());
  }

  std::map<GroupId, GroupModel> groups_;
};

// Random batches as a Raft core makes them: terms grow, tails are overwritten
// or cut, snapshots skip ahead.
class BatchGenerator {
 public:
  explicit BatchGenerator(std::mt19937_64* random) : random_(random) {}

  uint64_t Below(uint64_t limit) { return (*random_)() % limit; }

  LogBatch Next(const LogModel& model) {
    LogBatch batch;
    for (uint32_t id = 0; id < 4; ++id) {
      if (Below(2) == 0) continue;
      const auto found = model.groups().find(GroupId(id));
      const GroupModel group =
          found == model.groups().end() ? GroupModel() : found->second;
      AddGroup(id, group, batch);
    }
    return batch;
  }

 private:
  void AddGroup(uint32_t id, const GroupModel& group, LogBatch& batch) {
    Term term = std::max<Term>(group.term, 1);
    if (Below(4) == 0 || group.term == 0) {
      term += Below(3);
      batch.hard_states.push_back(
          MakeHardState(id, term, static_cast<uint32_t>(Below(4))));
    }
    LogIndex next = group.last() + 1;
    if (Below(6) == 0) next = group.trim + 1 + Below(next - group.trim);
    if (Below(10) == 0) {
      batch.cuts.push_back({GroupId(id), next - 1});
    } else if (Below(12) == 0) {
      next += 1 + Below(5);  // After a snapshot.
    }
    for (uint64_t count = Below(4); count > 0; --count)
      batch.entries.push_back(MakeEntry(id, next++, term, RandomPayload()));
  }

  std::string RandomPayload() {
    const uint64_t sizes[] = {0, 1, 7, 8, 100, 1000, 3000, 9000};
    std::string payload(sizes[Below(std::size(sizes))], '\0');
    for (char& c : payload) c = static_cast<char>((*random_)());
    return payload;
  }

  std::mt19937_64* const random_;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_LOG_MODEL_H_
