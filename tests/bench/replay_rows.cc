// The row about reading what was written long before: one consumer reads a
// shard, then twenty read twenty slices of its time in parallel.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/subscriber.h"
#include "storage/check.h"
#include "tests/bench/rows.h"

namespace trireme::bench {
namespace {

constexpr uint32_t kRecordBytes = 1024;
constexpr int kCallsPerSecond = 100;
constexpr int kRecordsPerCall = 100;
constexpr int kReaders = 20;
constexpr double kTimesMin = 12;
// What Kinesis gives a consumer of one shard.
constexpr double kConsumerBytesPerSecond = 2 << 20;
constexpr absl::Duration kPatience = absl::Seconds(120);

struct Slice {
  absl::Time from;
  absl::Time to;  // Excluded.
};

absl::Time ArrivalOf(const v1::Record& record) {
  const auto& time = record.approximate_arrival_timestamp();
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

// A registered consumer that reads a slice of a shard, as fast as it is pushed
// or at the pace of a Kinesis consumer.
class SliceReader {
 public:
  SliceReader(client::Client& client, const std::string& arn,
              const std::string& shard, const Slice& slice, bool paced)
      : slice_(slice), paced_(paced), begun_(SteadyNow()) {
    client::SubscriberOptions options;
    options.consumer_arn = arn;
    options.shard_id = shard;
    options.from = client::FromTime(slice.from);
    options.on_event = [this](const v1::SubscribeToShardEvent& event) {
      OnEvent(event);
    };
    absl::MutexLock lock(&mu_);  // Its thread may be faster.
    subscriber_ =
        std::make_unique<client::Subscriber>(client, std::move(options));
  }

  uint64_t AwaitRecords() {
    absl::MutexLock lock(&mu_);
    CHECK(mu_.AwaitWithTimeout(absl::Condition(&done_), kPatience),
          "a slice was not read to its end");
    return records_;
  }

 private:
  void OnEvent(const v1::SubscribeToShardEvent& event) {
    uint64_t records = 0;
    bool done = event.millis_behind_latest() == 0;
    for (const v1::Record& record : event.records()) {
      if (ArrivalOf(record) >= slice_.to) {
        done = true;
        break;
      }
      ++records;
    }
    uint64_t all = 0;
    {
      absl::MutexLock lock(&mu_);
      if (done_) return;
      all = records_ += records;
    }
    if (paced_) {
      const double seconds =
          static_cast<double>(all) * kRecordBytes / kConsumerBytesPerSecond;
      std::this_thread::sleep_until(
          std::chrono::steady_clock::time_point(std::chrono::nanoseconds(
              begun_ + static_cast<int64_t>(seconds * 1e9))));
    }
    absl::MutexLock lock(&mu_);
    done_ = done;
    if (done) subscriber_->RequestStop();
  }

  // Set at construction.
  const Slice slice_;
  const bool paced_;
  const int64_t begun_;

  absl::Mutex mu_;
  uint64_t records_ ABSL_GUARDED_BY(mu_) = 0;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<client::Subscriber> subscriber_;  // Last.
};

// A stream whose only shard was written to for a while, and is on disk alone.
struct Written {
  std::string stream;
  std::string shard;
  Slice all;
};

Written Write(Cluster& cluster, double seconds) {
  Written written;
  written.stream = cluster.MakeStream(1);
  written.shard = cluster.Shards(written.stream)[0];
  const Channels channels = Connect(cluster.address(0), 1);
  // The record that opened the shard is not in it.
  absl::SleepFor(absl::Milliseconds(10));
  written.all.from = absl::Now();
  const LoadResult put = RunPaced(channels,
                                  {.stream = written.stream,
                                   .calls_per_s = kCallsPerSecond,
                                   .records = kRecordsPerCall,
                                   .record_bytes = kRecordBytes},
                                  seconds);
  CHECK(put.failed == 0, "records were refused");
  written.all.to = absl::Now();
  // What is in memory goes to the store, and only there.
  cluster.Terminate(0);
  cluster.Start(0);
  AwaitListening(cluster.address(0));
  Must(cluster.client().WaitUntilActive(written.stream, absl::Seconds(60)),
       "the stream after a restart");
  return written;
}

struct Replay {
  double seconds = 0;
  uint64_t records = 0;
};

// By that many new consumers, each a slice of its own.
Replay Run(Cluster& cluster, const Written& written, const Slice& window,
           int readers, bool paced) {
  std::vector<std::string> arns;
  for (int i = 0; i < readers; ++i) {
    const auto made = cluster.client().RegisterStreamConsumer(
        written.stream, absl::StrCat("reader-", i));
    Must(made.status(), "RegisterStreamConsumer");
    arns.push_back(made->consumer_arn());
  }
  const absl::Duration step = (window.to - window.from) / readers;
  const int64_t start = SteadyNow();
  std::vector<std::unique_ptr<SliceReader>> all;
  for (int i = 0; i < readers; ++i) {
    Slice slice{window.from + i * step, window.from + (i + 1) * step};
    if (i + 1 == readers) slice.to = window.to;
    all.push_back(std::make_unique<SliceReader>(cluster.client(),
                                                arns[static_cast<size_t>(i)],
                                                written.shard, slice, paced));
  }
  Replay replay;
  for (const auto& reader : all) replay.records += reader->AwaitRecords();
  replay.seconds = static_cast<double>(SteadyNow() - start) / 1e9;
  all.clear();
  for (const std::string& arn : arns) {
    Must(cluster.client().DeregisterStreamConsumer("", arn), "deregister");
  }
  return replay;
}

}  // namespace

Row MeasureReplay(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Written written = Write(cluster, scale.replay_s);
  // A part of it is enough for readers that take their time.
  Slice part = written.all;
  part.to = part.from + (part.to - part.from) / 4;
  std::vector<double> times, one_s, many_s, one_mb, many_mb, unpaced;
  for (int i = 0; i < scale.repetitions; ++i) {
    const Replay one = Run(cluster, written, part, 1, true);
    const Replay many = Run(cluster, written, part, kReaders, true);
    CHECK(one.records == many.records && one.records > 0,
          "slices overlap, or leave something out");
    times.push_back(one.seconds / many.seconds);
    one_s.push_back(one.seconds);
    many_s.push_back(many.seconds);
    const Replay fast = Run(cluster, written, written.all, 1, false);
    const Replay all = Run(cluster, written, written.all, kReaders, false);
    CHECK(fast.records == all.records, "slices overlap, or leave a gap");
    const double megabytes =
        static_cast<double>(fast.records) * kRecordBytes / 1e6;
    one_mb.push_back(megabytes / fast.seconds);
    many_mb.push_back(megabytes / all.seconds);
    unpaced.push_back(fast.seconds / all.seconds);
  }
  Row row{.name = "replay",
          .title = "20 consumers read 20 slices of a shard, at 2 MiB/s each",
          .figure = Median(times),
          .unit = "x one",
          .target = ">= 12 times one consumer",
          .details = {}};
  row.reached = row.figure / kTimesMin;
  row.details = {{"one s", Median(one_s)},
                 {"20 s", Median(many_s)},
                 {"unpaced: one MB/s", Median(one_mb)},
                 {"20 MB/s", Median(many_mb)},
                 {"times", Median(unpaced)}};
  return row;
}

}  // namespace trireme::bench
