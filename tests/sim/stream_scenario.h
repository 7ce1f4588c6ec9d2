// StreamScenario runs one written scenario of a stream's life in a simulated
// cluster (stream_sim.h): a text file whose first line says what must hold, and
// then a verb a line.
//
//   create 2                 a stream of so many shards, and waits for it
//   producers 4              so many put, as many put exactly once
//   workers 3                so many of a consumer group read
//   pause worker 0 5s | kill worker 0 | leave worker 0
//   jump 2 1h | jump 2 -1h   a node's wall clock
//   run 500ms                time passes; also 2s
//   split 0 [at 25%] | merge 0 1 | count 4 | retention 100 | delete
//   mode on-demand | encrypt KEY | decrypt
//                            changes; each is committed, and not waited for
//   settle                   until the stream is ACTIVE, or gone
//   kill driver at 3 before|after|at-reply
//                            at the fourth proposal that drives a change
//   crash|isolate leader meta|shard 0
//                            of the shard's group, or of the meta group
//   crash 2 | isolate 2 | start 2 | rejoin 2          nodes 1..3
//   expect gone | killed | status ACTIVE | open 3 | shards 5 | retention 100
//   expect writes            of both kinds of producers, from here on
//   expect duplicates 10     at least, so far
//   expect processing        of all shards there are, by somebody
//   expect expired 1|none    workers that were told so, at least, so far
//   heal                     ends all faults and checks everything
#ifndef TRIREME_TESTS_SIM_STREAM_SCENARIO_H_
#define TRIREME_TESTS_SIM_STREAM_SCENARIO_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/stream_sim.h"

namespace trireme::sim {

class StreamScenario {
 public:
  // Empty when all expectations and all promises held; otherwise the line and
  // what was wrong with it.
  std::string Run(const std::string& text, uint64_t seed);

 private:
  using Words = std::vector<std::string>;

  // Verbs; each returns what went wrong.
  std::string RunLine(const Words& words);
  std::string Change(const Words& words);
  std::string Fault(const Words& words);
  std::string WorkerFault(const Words& words);
  std::string Expect(const Words& words);
  std::string ExpectOfStream(const Words& words);
  std::string ExpectWrites();
  // By number, or as the leader of what the words name; -1: there is none.
  int NodeOf(const Words& words);

  std::unique_ptr<StreamSim> sim_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_STREAM_SCENARIO_H_
