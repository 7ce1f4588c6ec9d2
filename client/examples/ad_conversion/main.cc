// Ad conversion: which share of the clicks on an ad leads to an order, minute
// by minute. Two streams are counted shard by shard in tumbling windows, and
// the counts are joined (client/examples/README.md has the picture).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/batch_processor.h"
#include "client/consumer.h"
#include "client/examples/ad_conversion/ad_traffic.h"
#include "client/examples/ad_conversion/conversion_board.h"
#include "client/examples/ad_conversion/conversion_join.h"
#include "client/examples/ad_conversion/window_counts.h"
#include "client/examples/setup.h"
#include "client/status_macros.h"

namespace trireme::examples {
namespace {

struct Flags {
  std::vector<std::string> endpoints;
  std::string clicks = "clickstream";
  std::string orders = "orders";
  std::string counts = "conversion-counts";
  std::string conversions = "conversions";
  int shards = 2;
  int window_s = 60;
  AdTraffic traffic;
  double minute_takes_s = 0;
};

// Beyond the end of a window.
constexpr absl::Duration kPatience = absl::Seconds(60);

// The streams' consumers, all of one group name.
class Pipeline {
 public:
  Pipeline(client::Client& client, const Flags& flags, const std::string& run)
      : client_(client),
        flags_(flags),
        run_(run),
        group_(absl::StrCat("ad-conversion-", run)),
        board_(run) {}

  absl::Status Start() {
    std::set<CountedShard> shards;
    for (const std::string& stream : {flags_.clicks, flags_.orders}) {
      CLIENT_RETURN_IF_ERROR(
          MakeStreamIfMissing(client_, stream, flags_.shards));
      v1::ShardFilter open;
      open.set_type(v1::ShardFilter::AT_LATEST);
      CLIENT_ASSIGN_OR_RETURN(const auto listed,
                              client_.ListShards(stream, open));
      for (const v1::Shard& shard : listed) {
        shards.emplace(stream, shard.shard_id());
      }
    }
    // The join must see all counts: one shard.
    CLIENT_RETURN_IF_ERROR(MakeStreamIfMissing(client_, flags_.counts, 1));
    CLIENT_RETURN_IF_ERROR(
        MakeStreamIfMissing(client_, flags_.conversions, flags_.shards));
    CLIENT_RETURN_IF_ERROR(Count(flags_.clicks));
    CLIENT_RETURN_IF_ERROR(Count(flags_.orders));
    Join(shards);
    Show();
    return absl::OkStatus();
  }

  ConversionBoard& board() { return board_; }

  // A service would keep its groups.
  absl::Status End() {
    for (const auto& consumer : consumers_) consumer->RequestStop();
    consumers_.clear();
    for (const std::string& stream :
         {flags_.clicks, flags_.orders, flags_.counts, flags_.conversions}) {
      CLIENT_RETURN_IF_ERROR(client_.DeleteConsumerGroup(stream, group_));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Count(const std::string& stream) {
    client::BatchOptions options;
    options.batch_size = 500;
    options.tumbling_window = absl::Seconds(flags_.window_s);
    options.filters = {FilterOf(run_)};
    CLIENT_ASSIGN_OR_RETURN(client::RecordProcessorFactory factory,
                            client::MakeBatchProcessorFactory(
                                options, [this](const client::ShardLease&) {
                                  return std::make_unique<WindowCounts>(
                                      client_, flags_.counts, run_);
                                }));
    Consume(stream, std::move(factory));
    return absl::OkStatus();
  }

  void Join(const std::set<CountedShard>& shards) {
    const JoinOptions options = {run_, flags_.clicks, flags_.orders,
                                 flags_.conversions};
    Consume(flags_.counts, [this, options, shards](const client::ShardLease&) {
      return std::make_unique<ConversionJoin>(client_, options, shards);
    });
  }

  void Show() {
    Consume(flags_.conversions,
            [this](const client::ShardLease&) { return board_.NewReader(); });
  }

  void Consume(const std::string& stream,
               client::RecordProcessorFactory factory) {
    consumers_.push_back(std::make_unique<client::Consumer>(
        client_, ReadingFromNow(stream, group_), std::move(factory)));
  }

  client::Client& client_;
  const Flags& flags_;
  const std::string run_;
  const std::string group_;
  ConversionBoard board_;  // Outlives the consumers.
  std::vector<std::unique_ptr<client::Consumer>> consumers_;
};

absl::Status Compare(const Conversions& found, const Conversions& answer) {
  size_t ratios = 0;
  for (const auto& [minute, ads] : answer) ratios += ads.size();
  if (found != answer) {
    return absl::DataLossError(
        absl::StrCat("wrong: these are not the ", ratios,
                     " ratios that the traffic was made with"));
  }
  std::printf("\nright: all %zu ratios are those the traffic was made with\n",
              ratios);
  return absl::OkStatus();
}

absl::Status Run(const Flags& flags) {
  CLIENT_ASSIGN_OR_RETURN(const auto client, Connect(flags.endpoints));
  AdTraffic traffic = flags.traffic;
  traffic.run = NewRun();
  traffic.click_stream = flags.clicks;
  traffic.order_stream = flags.orders;
  traffic.minute_takes = absl::Seconds(flags.minute_takes_s);
  Pipeline pipeline(*client, flags, traffic.run);
  CLIENT_RETURN_IF_ERROR(pipeline.Start());
  std::printf("run %s: %d minutes of traffic for %d ads to %s and %s\n",
              traffic.run.c_str(), traffic.minutes, traffic.ads,
              flags.clicks.c_str(), flags.orders.c_str());
  CLIENT_ASSIGN_OR_RETURN(const Conversions answer,
                          PutTraffic(*client, traffic));
  std::printf("counted in windows of %d s; waiting for the last to end\n",
              flags.window_s);
  std::fflush(stdout);
  const bool complete = pipeline.board().Await(
      static_cast<size_t>(traffic.ads) * static_cast<size_t>(traffic.minutes),
      absl::Seconds(flags.window_s) + kPatience);
  const Conversions found = pipeline.board().all();
  CLIENT_RETURN_IF_ERROR(pipeline.End());
  Print(found);
  if (!complete) return absl::DeadlineExceededError("no more ratios came");
  return Compare(found, answer);
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Joins clicks and orders into the share of clicks that lead to an "
      "order, by ad and minute.");
  app.option_defaults()->always_capture_default();
  app.add_option("--endpoint", flags.endpoints,
                 "HOST:PORT of a node, several separated by commas "
                 "[127.0.0.1:7420]")
      ->delimiter(',');
  app.add_option("--clicks-stream", flags.clicks, "Stream of clicks");
  app.add_option("--orders-stream", flags.orders, "Stream of orders");
  app.add_option("--counts-stream", flags.counts,
                 "Stream of what is counted in a window; has one shard");
  app.add_option("--conversions-stream", flags.conversions,
                 "Stream of the ratios");
  app.add_option("--shards", flags.shards, "Of streams that are made")
      ->check(CLI::Range(1, 64));
  app.add_option("--window", flags.window_s, "Seconds of a tumbling window")
      ->check(CLI::Range(1, 900));
  app.add_option("--ads", flags.traffic.ads)->check(CLI::Range(1, 16));
  app.add_option("--minutes", flags.traffic.minutes, "Of traffic")
      ->check(CLI::Range(1, 1440));
  app.add_option("--clicks", flags.traffic.clicks,
                 "Of an ad and minute; some minutes have twice or three times "
                 "as many")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--minute-takes", flags.minute_takes_s,
                 "Seconds in which a minute of traffic is put; 60 is real "
                 "time, 0 as fast as it goes")
      ->check(CLI::Range(0.0, 60.0));
  app.footer(
      "Examples, with `triremed --dev` running:\n"
      "  ad_conversion --window 2\n"
      "  ad_conversion --minutes 3 --minute-takes 60    in real time");
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = Run(flags);
  if (status.ok()) return 0;
  std::fprintf(stderr, "ad_conversion: %s\n", status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace trireme::examples

int main(int argc, char** argv) { return trireme::examples::Main(argc, argv); }
