#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/group_commands_fixture.h"

namespace trireme {
namespace {

// Workers come, go, are expired and overtaken while shards split and merge:
// every shard is read to its end once, no shard before its parents, and no
// counter of a lease has two owners.
TEST_F(GroupCommandsTest, EveryShardIsReadAfterItsParentsWhateverHappens) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto pick = [&random](size_t count) {
      return static_cast<uint32_t>(random() % count);
    };
    stream_.shards.clear();
    groups_.clear();
    for (int i = 0; i < 3; ++i) AddShard();
    std::vector<WorkerNumber> workers = {*Join("w")};
    std::map<std::pair<uint32_t, uint64_t>, WorkerNumber> owners;
    std::set<uint32_t> ended;
    for (int step = 0; step < 600; ++step) {
      const auto leased = Leased();
      const uint32_t shard = leased[pick(leased.size())];
      const WorkerNumber worker = workers[pick(workers.size())];
      switch (pick(8)) {
        case 0:
          workers.push_back(*Join("w" + std::to_string(pick(5))));
          break;
        case 1:
          (void)Remove(worker);
          break;
        case 2:
        case 3:
          Assign(shard, worker, pick(3) == 0);
          break;
        case 4:
          Release(shard, worker);
          break;
        case 5:
        case 6:
          if (LeaseOf(shard).checkpoint.at_end()) break;
          if (Checkpoint(shard, worker, kEnd) == Outcomes::OUTCOME_DONE) {
            EXPECT_TRUE(ended.insert(shard).second);
            const Shard& row = stream_.shards[shard];
            for (const auto& parent : {row.parent, row.adjacent_parent}) {
              EXPECT_TRUE(!parent || ended.contains(parent->value()));
            }
          }
          break;
        default: {
          if (stream_.shards.size() > 30) break;
          const auto open = [this, &pick] {
            return stream_.open[pick(stream_.open.size())];
          };
          const uint32_t one = open(), other = open();
          if (one != other) {
            AddShard({one, other});
          } else {
            AddShard({one});
            AddShard({one});
          }
        }
      }
      for (const auto& [index, lease] : group().leases) {
        if (lease.owner == 0) continue;
        const auto [at, is_new] =
            owners.try_emplace({index.value(), lease.counter}, lease.owner);
        EXPECT_EQ(at->second, lease.owner);
        EXPECT_TRUE(group().workers.contains(lease.owner));
      }
    }
    // With one worker left to itself, all comes to its end.
    const WorkerNumber last = *Join("last");
    for (const Shard& shard : std::vector<Shard>(stream_.shards)) {
      if (!shard.end.has_value() || ended.contains(shard.index.value())) {
        continue;
      }
      Assign(shard.index.value(), last, /*forced=*/true);
      EXPECT_EQ(Checkpoint(shard.index.value(), last, kEnd),
                Outcomes::OUTCOME_DONE)
          << shard.index.value();
    }
    for (const uint32_t position : stream_.open) {
      EXPECT_TRUE(group().leases.contains(stream_.shards[position].index));
    }
  }
}

}  // namespace
}  // namespace trireme
