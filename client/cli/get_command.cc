// trireme get: the records that are there.
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/progress.h"
#include "client/cli/record_printer.h"
#include "client/cli/tail.h"
#include "client/shard_reader.h"

namespace trireme::cli {
namespace {

constexpr uint64_t kPageRecordsMax = 10'000;

struct Options {
  TailOptions what;
  std::string follow = "no";
};

// Prints what a shard holds now, up to `left` records; counts them off.
absl::Status PrintShard(client::ShardReader& reader, const std::string& shard,
                        Session& session, RecordPrinter& printer,
                        Progress& progress, uint64_t& left, uint64_t& done) {
  while (left > 0 && !reader.at_end() && !reader.caught_up()) {
    const auto page =
        reader.Next(static_cast<int>(std::min(left, kPageRecordsMax)));
    if (!page.ok()) return page.status();
    for (const v1::Record& record : page->records()) {
      printer.Print(shard, record);
    }
    left -= page->records_size();
    done += page->records_size();
    if (session.interrupt().cancelled()) return absl::CancelledError();
    if (!session.console().out_is_terminal) {
      progress.Update(done,
                      absl::StrCat(FormatCount(done), " records, ", shard));
    }
  }
  return absl::OkStatus();
}

int Get(Session& session, const Options& options) {
  if (options.follow == "yes") return RunTail(session, options.what);
  const auto from = ParseFrom(options.what.from);
  if (!from.ok()) return session.Fail(from.status());
  if (!from->sequence_number().empty() && options.what.shard.empty()) {
    return session.FailUsage(
        "a sequence number belongs to one shard: name it with --shard");
  }
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  std::vector<std::string> shards = {ParseShardId(options.what.shard)};
  if (options.what.shard.empty()) {
    const auto listed = (*client)->ListShards(options.what.stream);
    if (!listed.ok()) return session.Fail(listed.status());
    shards.clear();
    for (const v1::Shard& shard : *listed) shards.push_back(shard.shard_id());
  }
  RecordPrinter printer(session);
  Progress progress(session.console(), "get", 0);
  uint64_t left = options.what.limit == 0 ? UINT64_MAX : options.what.limit;
  uint64_t done = 0;
  for (const std::string& shard : shards) {
    client::ShardReader reader(**client, options.what.stream, shard, *from);
    const absl::Status status =
        PrintShard(reader, shard, session, printer, progress, left, done);
    if (!status.ok()) {
      printer.Flush();
      progress.Finish();
      return session.Fail(status);
    }
  }
  return kExitOk;
}

}  // namespace

void AddGetCommand(CLI::App& app, Session& session) {
  CLI::App* get = app.add_subcommand("get", "print the records there are");
  get->footer(R"(
Reads shard after shard to the newest record there is. Data that is not
printable text is shown in base64, marked so; --output json gives an object on
each line, its Data always in base64.

Examples:
  trireme get orders
  trireme get orders --shard 0 --from 2026-11-23T17:00:00Z --limit 10
  trireme get orders --from 10m --output json | jq -r '.Data | @base64d'
)");
  const auto options = std::make_shared<Options>();
  TailOptions& what = options->what;
  what.from = "trim-horizon";
  get->add_option("STREAM", what.stream, "the stream's name")->required();
  get->add_option("--shard", what.shard,
                  "only this one: shardId-000000000003, or 3");
  AddFromOption(*get, what.from);
  AddLimitOption(*get, what.limit, "at most so many records");
  get->add_option("--follow", options->follow,
                  "yes: go on with what comes later, as tail does [default: "
                  "no]")
      ->check(CLI::IsMember({"yes", "no"}));
  get->callback([&session, options] {
    session.command = [&session, options] { return Get(session, *options); };
  });
}

}  // namespace trireme::cli
