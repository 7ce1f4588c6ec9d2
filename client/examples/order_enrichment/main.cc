// Order enrichment: the items of orders are joined with the orders and the
// products they belong to, and written to SQLite, each exactly once; how long
// that took is measured (client/examples/README.md).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/batch_processor.h"
#include "client/consumer.h"
#include "client/examples/order_enrichment/commit_latencies.h"
#include "client/examples/order_enrichment/enriched_items.h"
#include "client/examples/order_enrichment/enrichment.h"
#include "client/examples/order_enrichment/lookup_tables.h"
#include "client/examples/order_enrichment/shop.h"
#include "client/examples/setup.h"
#include "client/status_macros.h"

namespace trireme::examples {
namespace {

struct Flags {
  std::vector<std::string> endpoints;
  ShopStreams streams;
  int shards = 4;
  int workers = 2;
  int64_t items = 100'000;
  int64_t rate = 10'000;
  int batch_size = 1000;
  std::string database = "order_enrichment.db";
};

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr absl::Duration kPollPeriod = absl::Milliseconds(50);
// What is published as the average of a pipeline like this one, of a managed
// service.
constexpr double kPublishedMeanMs = 900;

// The workers of the group. Here they are in one process, each with threads
// and a membership of its own; elsewhere each may be on a machine of its own.
class Workers {
 public:
  Workers(client::Client& client, const Flags& flags, const std::string& run)
      : client_(client),
        flags_(flags),
        run_(run),
        group_(absl::StrCat("order-enrichment-", run)) {}

  absl::Status Start(client::BatchFunctionFactory functions) {
    client::BatchOptions batches;
    batches.batch_size = flags_.batch_size;
    batches.filters = {FilterOf(run_)};
    CLIENT_ASSIGN_OR_RETURN(
        const client::RecordProcessorFactory factory,
        client::MakeBatchProcessorFactory(batches, std::move(functions)));
    client::ConsumerOptions options =
        ReadingFromNow(flags_.streams.items, group_);
    for (int i = 0; i < flags_.workers; ++i) {
      options.worker_id = absl::StrCat("worker-", i);
      workers_.push_back(
          std::make_unique<client::Consumer>(client_, options, factory));
    }
    return absl::OkStatus();
  }

  // Until all open shards are given out, and every worker has one.
  absl::Status AwaitShares() {
    v1::ShardFilter open;
    open.set_type(v1::ShardFilter::AT_LATEST);
    CLIENT_ASSIGN_OR_RETURN(const auto shards,
                            client_.ListShards(flags_.streams.items, open));
    const absl::Time deadline = absl::Now() + kPatience;
    while (absl::Now() < deadline &&
           client_.cancellation().WaitFor(kPollPeriod)) {
      size_t held = 0;
      bool each = true;
      for (const auto& worker : workers_) {
        const size_t share = worker->metrics().shards.size();
        held += share;
        each = each && share > 0;
      }
      if (each && held >= shards.size()) return absl::OkStatus();
    }
    return absl::DeadlineExceededError(
        absl::StrCat(shards.size(), " shards are not shared out among ",
                     workers_.size(), " workers"));
  }

  void PrintShares() const {
    for (const auto& worker : workers_) {
      const client::ConsumerMetrics metrics = worker->metrics();
      std::printf("  %s has %zu shards\n", metrics.worker_id.c_str(),
                  metrics.shards.size());
    }
  }

  // A service would keep its group.
  absl::Status End() {
    for (const auto& worker : workers_) worker->RequestStop();
    workers_.clear();
    return client_.DeleteConsumerGroup(flags_.streams.items, group_);
  }

 private:
  client::Client& client_;
  const Flags& flags_;
  const std::string run_;
  const std::string group_;
  std::vector<std::unique_ptr<client::Consumer>> workers_;
};

void Print(const LatencySummary& latency, size_t items, absl::Time start,
           absl::Duration put_took) {
  const double seconds = absl::ToDoubleSeconds(latency.last_commit - start);
  std::printf("%zu items committed in %.2f s: %.0f a second; put in %.2f s\n",
              items, seconds, static_cast<double>(items) / seconds,
              absl::ToDoubleSeconds(put_took));
  if (latency.repeated > 0) {
    std::printf("  %zu were given again, and ignored\n", latency.repeated);
  }
  std::printf(
      "from put to committed: mean %.1f ms, p50 %.1f ms, p99 %.1f ms, "
      "max %.1f ms\n",
      latency.mean_ms, latency.p50_ms, latency.p99_ms, latency.max_ms);
  std::printf(
      "  the mean is %.3f of the %.0f ms that are published for a pipeline\n"
      "  like this: of another system on other machines, not run side by "
      "side\n",
      latency.mean_ms / kPublishedMeanMs, kPublishedMeanMs);
}

absl::Status Compare(EnrichedItems& database, const std::string& run,
                     const Shop& shop) {
  CLIENT_ASSIGN_OR_RETURN(const auto found, database.CentsByCountry(run));
  std::printf("\n%-10s%16s\n", "country", "turnover");
  for (const auto& [country, cents] : found) {
    std::printf("%-10s%16.2f\n", country.c_str(),
                static_cast<double>(cents) / 100);
  }
  if (found != shop.CentsByCountry()) {
    return absl::DataLossError("wrong: this is not the turnover of the shop");
  }
  std::printf("\nright: to the cent what the shop sold\n");
  return absl::OkStatus();
}

absl::Status Run(const Flags& flags) {
  CLIENT_ASSIGN_OR_RETURN(const auto client, Connect(flags.endpoints));
  for (const std::string& stream :
       {flags.streams.items, flags.streams.orders, flags.streams.products}) {
    CLIENT_RETURN_IF_ERROR(MakeStreamIfMissing(*client, stream, flags.shards));
  }
  const std::string run = NewRun();
  const Shop shop(flags.items);
  CLIENT_RETURN_IF_ERROR(shop.PutTables(*client, flags.streams));
  CLIENT_ASSIGN_OR_RETURN(const LookupTables tables,
                          LoadTables(*client, flags.streams));
  std::printf("run %s: %zu orders and %zu products to look up\n", run.c_str(),
              tables.orders.size(), tables.products.size());
  CLIENT_ASSIGN_OR_RETURN(const auto database,
                          EnrichedItems::Open(flags.database));
  CommitLatencies latencies;
  Workers workers(*client, flags, run);
  CLIENT_RETURN_IF_ERROR(workers.Start([&](const client::ShardLease&) {
    return std::make_unique<Enrichment>(tables, *database, latencies);
  }));
  CLIENT_RETURN_IF_ERROR(workers.AwaitShares());

  const absl::Time start = absl::Now();
  CLIENT_RETURN_IF_ERROR(
      shop.PutItems(*client, flags.streams.items, run, flags.rate));
  const absl::Duration put_took = absl::Now() - start;
  const bool complete =
      latencies.Await(static_cast<size_t>(flags.items), kPatience);
  workers.PrintShares();
  Print(latencies.Summarize(), latencies.items(), start, put_took);
  CLIENT_RETURN_IF_ERROR(workers.End());
  if (!complete) return absl::DeadlineExceededError("no more items came");
  return Compare(*database, run, shop);
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Enriches the items of orders with their orders and products, writes "
      "them to SQLite, and tells how long each took.");
  app.option_defaults()->always_capture_default();
  app.add_option("--endpoint", flags.endpoints,
                 "HOST:PORT of a node, several separated by commas "
                 "[127.0.0.1:7420]")
      ->delimiter(',');
  app.add_option("--items-stream", flags.streams.items);
  app.add_option("--orders-stream", flags.streams.orders);
  app.add_option("--products-stream", flags.streams.products);
  app.add_option("--shards", flags.shards, "Of streams that are made")
      ->check(CLI::Range(1, 64));
  app.add_option("--workers", flags.workers,
                 "Of the consumer group; not more than the stream has shards")
      ->check(CLI::Range(1, 64));
  app.add_option("--items", flags.items)
      ->check(CLI::Range(int64_t{1}, int64_t{100'000'000}));
  app.add_option("--rate", flags.rate,
                 "Items put in a second; 0: as fast as it goes")
      ->check(CLI::Range(int64_t{0}, int64_t{10'000'000}));
  app.add_option("--batch-size", flags.batch_size,
                 "Items of a transaction, at most")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--database", flags.database, "The SQLite file");
  app.footer(
      "Examples, with `triremed --dev` running:\n"
      "  order_enrichment                     10,000 items a second for 10 s\n"
      "  order_enrichment --rate 0            as fast as it goes");
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = Run(flags);
  if (status.ok()) return 0;
  std::fprintf(stderr, "order_enrichment: %s\n", status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace trireme::examples

int main(int argc, char** argv) { return trireme::examples::Main(argc, argv); }
