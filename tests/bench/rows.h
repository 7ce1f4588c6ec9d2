// The rows of design.md §6, each measured beside its floor. Main thread.
#ifndef TRIREME_TESTS_BENCH_ROWS_H_
#define TRIREME_TESTS_BENCH_ROWS_H_

#include "tests/bench/cluster.h"
#include "tests/bench/report.h"

namespace trireme::bench {

struct Scale {
  Places places;
  int repetitions = 3;
  double measured_s = 2;     // Of each repetition.
  int idle_shards = 10'000;  // Of the idle cluster.
  int group_workers = 1'000;
  int group_leases = 10'000;
  double restart_megabytes = 400;
  int failovers = 3;
  double replay_s = 8;  // How long is written what is read again.
};

// write_rows.cc
Row MeasureIngest(const Scale& scale);
Row MeasureExactlyOnce(const Scale& scale);
Row MeasureUnary(const Scale& scale);
Row MeasureBidirectional(const Scale& scale);
Row MeasureAck(const Scale& scale);

// producer_rows.cc
Row MeasureProducer(const Scale& scale);

// fairness_rows.cc
Row MeasureFairness(const Scale& scale);

// push_rows.cc
Row MeasurePush(const Scale& scale);
Row MeasureFanOut(const Scale& scale);

// kinesis_rows.cc
Row MeasureKinesisPut(const Scale& scale);
Row MeasureKinesisSmallBatches(const Scale& scale);
Row MeasureKinesisBatches(const Scale& scale);
Row MeasureKinesisRead(const Scale& scale);

// kinesis_push_row.cc
Row MeasureKinesisPush(const Scale& scale);

// group_rows.cc
Row MeasureGroups(const Scale& scale);

// replay_rows.cc
Row MeasureReplay(const Scale& scale);

// cluster_rows.cc
Row MeasureIdle(const Scale& scale);
Row MeasureRestart(const Scale& scale);
Row MeasureFailover(const Scale& scale);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_ROWS_H_
