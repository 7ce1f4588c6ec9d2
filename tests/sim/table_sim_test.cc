// Tables of items in the simulator: writers who see what some node has applied,
// and write by compare-and-set, while nodes crash, networks part and clocks
// jump. Of those who saw the same version of an item one writes at most; what
// was acknowledged stays; what was refused was not written.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"
#include "storage/errors.h"
#include "tests/sim/seeds.h"
#include "tests/sim/sim_faults.h"
#include "tests/sim/stream_sim.h"
#include "tests/unit/table_commands_fixture.h"
#include "trireme/v1/table_commands.pb.h"

namespace trireme::sim {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(2);
constexpr int kKeys = 3;
constexpr int kWriters = 5;

// Each item is the count of its writes.
class Writers {
 public:
  explicit Writers(StreamSim* sim) : cluster_(sim->cluster()) {}

  void Start() {
    for (int i = 0; i < kWriters; ++i) WriteLater();
  }
  void Stop() { stopped_ = true; }
  uint64_t acked() const { return acked_; }
  uint64_t conflicts() const { return conflicts_; }

  void CheckAll() {
    const ItemTables& items =
        cluster_.node(0).state().TablesOf(kMetaGroup).items;
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = absl::StrCat("k", i);
      const auto& [version, count] = Read(items, key);
      const uint64_t known = counts_[key].size();
      EXPECT_GE(count, known) << key;
      EXPECT_LE(count, known + unknown_[key]) << key;
      EXPECT_GE(count, known == 0 ? 0 : *counts_[key].rbegin());
    }
  }

 private:
  struct Seen {
    ItemVersion version = 0;
    uint64_t count = 0;
  };

  static uint64_t CountOf(const std::string& item) {
    uint64_t count = 0;
    EXPECT_TRUE(item.empty() || absl::SimpleAtoi(item, &count)) << item;
    return count;
  }
  static Seen Read(const ItemTables& items, const std::string& key) {
    const auto* const table = items.Find("leases");
    const StoredItem* const item =
        table == nullptr ? nullptr : FindItem(table->second, key);
    if (item == nullptr) return {};
    return {item->version, CountOf(*item->bytes)};
  }

  void WriteLater() {
    if (stopped_) return;
    cluster_.events().After(cluster_.random().Between(1, 200) * kMillisecond,
                            [this] { WriteAny(); });
  }
  // From what any node has, be it far behind.
  void WriteAny() {
    const auto node = static_cast<int>(cluster_.random().Between(0, 2));
    const std::string key =
        absl::StrCat("k", cluster_.random().Between(0, kKeys - 1));
    Write(key,
          Read(cluster_.node(node).state().TablesOf(kMetaGroup).items, key));
  }
  void Write(const std::string& key, const Seen& seen) {
    SimNode& node =
        cluster_.node(static_cast<int>(cluster_.random().Between(0, 2)));
    const auto* const table =
        node.state().TablesOf(kMetaGroup).items.Find("leases");
    if (!node.up() || table == nullptr) return WriteLater();
    auto answered = std::make_shared<bool>(false);
    const auto answer = [this, key, seen,
                         answered](const ProposalOutcome& outcome) {
      if (!std::exchange(*answered, true)) OnAnswer(key, seen, outcome);
    };
    node.loop()->Propose(ProposalOfCommand(
        kMetaGroup,
        PutItem(table->first, key, absl::StrCat(seen.count + 1), seen.version)
            .SerializeAsString(),
        kTimeout, answer));
    node.Wake();
    // Nobody answers for a node that crashed.
    cluster_.events().After(
        absl::ToInt64Microseconds(kTimeout) + 500 * kMillisecond, [answer] {
          ProposalOutcome lost;
          lost.status = MakeError(ErrorReason::kOutcomeUnknown, "lost");
          answer(lost);
        });
  }
  void OnAnswer(const std::string& key, const Seen& seen,
                const ProposalOutcome& outcome) {
    if (ReasonOf(outcome.status) == ErrorReason::kOutcomeUnknown) {
      ++unknown_[key];
    }
    if (!outcome.status.ok()) return WriteLater();
    v1::WriteItemsReply reply;
    EXPECT_TRUE(reply.ParseFromString(outcome.reply));
    if (reply.conflicts().empty()) {
      ++acked_;
      EXPECT_TRUE(counts_[key].insert(seen.count + 1).second)
          << key << " was written twice from version " << seen.version;
      return WriteLater();
    }
    ++conflicts_;
    EXPECT_NE(reply.conflicts(0).version(), seen.version);
    if (stopped_ || cluster_.random().Below(2) == 0) return WriteLater();
    // As it was told.
    Write(key,
          {reply.conflicts(0).version(), CountOf(reply.conflicts(0).item())});
  }

  SimCluster& cluster_;
  bool stopped_ = false;
  std::map<std::string, std::set<uint64_t>> counts_;  // Acknowledged.
  std::map<std::string, uint64_t> unknown_;
  uint64_t acked_ = 0;
  uint64_t conflicts_ = 0;
};

void RunSeed(uint64_t seed) {
  SCOPED_TRACE(seed);
  StreamSim sim(seed);
  ASSERT_TRUE(sim.Commit(CreateItemTable("leases")).ok());
  Writers writers(&sim);
  writers.Start();
  SimFaults faults(&sim.cluster());
  faults.Start();
  sim.cluster().Run(40 * kSecond);
  faults.Stop();
  writers.Stop();
  sim.HealAndCheck();
  writers.CheckAll();
  EXPECT_GT(writers.acked(), 20u);
  EXPECT_GT(writers.conflicts(), 5u);
  for (const std::string& failure : sim.cluster().history().failures()) {
    ADD_FAILURE() << failure;
  }
}

TEST(TableSimTest, OfThoseWhoSawTheSameItemOneWritesItWhateverFails) {
  spdlog::set_level(spdlog::level::off);
  ForEachSeed(20, RunSeed);
}

}  // namespace
}  // namespace trireme::sim
