// Every change of a stream, with its driver killed at each of its steps: the
// change is completed or was never begun, and no record is lost, doubled or out
// of order.
#include "tests/sim/stream_sim.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"
#include "storage/errors.h"
#include "tests/sim/stream_commands.h"

namespace trireme::sim {
namespace {

constexpr char kName[] = "orders";

struct Change {
  std::string name;
  // `stream`: as it is, null before its creation.
  v1::Command (*command)(const Stream* stream);
  // The stream when all is done; null when it is gone.
  bool (*is_done)(const Stream* stream);

  friend std::ostream& operator<<(std::ostream& out, const Change& change) {
    return out << change.name;
  }
};

const Change kChanges[] = {
    {"Create", [](const Stream*) { return CreateCommand(kName, 3); },
     [](const Stream* s) { return s != nullptr && s->open.size() == 3; }},
    {"Delete", [](const Stream*) { return DeleteCommand(kName); },
     [](const Stream* s) { return s == nullptr; }},
    {"Split", [](const Stream* s) { return SplitCommand(*s, 0, 50); },
     [](const Stream* s) { return s->shards.size() == 4; }},
    {"Merge", [](const Stream* s) { return MergeCommand(*s, 0, 1); },
     [](const Stream* s) { return s->open.size() == 1; }},
    {"UpdateShardCount", [](const Stream* s) { return CountCommand(*s, 4); },
     [](const Stream* s) { return s->open.size() == 4; }},
    {"RaiseRetention",
     [](const Stream* s) { return RetentionCommand(*s, 100); },
     [](const Stream* s) { return s->retention_hours == 100; }},
};

// Runs the change with the kill; how many proposals its driver made.
int RunWithKill(const Change& change, const KillAt& kill, uint64_t seed) {
  StreamSim sim(seed);
  std::shared_ptr<const Stream> stream;
  if (change.name != "Create") {
    EXPECT_TRUE(sim.Commit(CreateCommand(kName, 2)).ok());
    stream = sim.Settle(kName);
    if (stream == nullptr) {
      ADD_FAILURE() << "not created";
      return 0;
    }
    sim.StartProducers(kName, 4);
    // A name is free again in the second after its creation.
    sim.cluster().Run(2 * kSecond);
  }
  sim.Arm(kill);
  EXPECT_TRUE(sim.Commit(change.command(stream.get())).ok());
  stream = sim.Settle(kName);
  EXPECT_TRUE(change.is_done(stream.get()));
  EXPECT_EQ(sim.killed(), kill.proposal >= 0);
  const uint64_t acked = sim.acked();
  const uint64_t acked_once = sim.exactly_once().acked();
  if (change.name != "Create" && change.name != "Delete") {
    sim.cluster().Run(2 * kSecond);
    EXPECT_GT(sim.acked(), acked + 10);
    EXPECT_GT(sim.exactly_once().acked(), acked_once + 10);
    EXPECT_GT(sim.exactly_once().duplicates(), 10u);
  }
  sim.HealAndCheck();
  for (const std::string& failure : sim.cluster().history().failures())
    ADD_FAILURE() << failure;
  return sim.proposals();
}

class StreamSimTest : public ::testing::TestWithParam<Change> {};

TEST_P(StreamSimTest, ItsDriverMayDieAtEachStep) {
  spdlog::set_level(spdlog::level::off);
  const Change& change = GetParam();
  const int steps = RunWithKill(change, {}, 1);
  ASSERT_GT(steps, 1);
  for (int step = 0; step < steps && !HasFailure(); ++step) {
    for (const auto when :
         {KillAt::kBefore, KillAt::kAfter, KillAt::kAtReply}) {
      SCOPED_TRACE(absl::StrCat("step ", step, " of ", steps, ", when ", when));
      RunWithKill(change, {step, when},
                  static_cast<uint64_t>(step) * 3 + when + 1);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Changes, StreamSimTest, ::testing::ValuesIn(kChanges),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace trireme::sim
