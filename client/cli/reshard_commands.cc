// trireme shard split | merge, trireme stream update-shard-count
#include <memory>
#include <sstream>

#include "absl/numeric/int128.h"
#include "absl/strings/numbers.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/stream_change.h"

namespace trireme::cli {
namespace {

struct Options {
  std::string stream;
  std::string shard;
  std::string adjacent;
  std::string at;  // Empty: the middle.
  int target = 0;
  bool wait = false;
};

std::string MiddleOf(const v1::HashKeyRange& range) {
  absl::uint128 first = 0;
  absl::uint128 last = 0;
  if (!absl::SimpleAtoi(range.starting_hash_key(), &first) ||
      !absl::SimpleAtoi(range.ending_hash_key(), &last)) {
    return "";
  }
  std::ostringstream text;
  text << first + (last - first) / 2 + 1;
  return text.str();
}

absl::StatusOr<std::string> FindMiddle(client::Client& client,
                                       const Options& options) {
  const auto shards = client.ListShards(options.stream);
  if (!shards.ok()) return shards.status();
  for (const v1::Shard& shard : *shards) {
    if (shard.shard_id() == options.shard) {
      return MiddleOf(shard.hash_key_range());
    }
  }
  // Let the service say that there is none.
  return "0";
}

int Split(Session& session, const Options& options) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  absl::StatusOr<std::string> at = options.at;
  if (options.at.empty()) at = FindMiddle(**client, options);
  if (!at.ok()) return session.Fail(at.status());
  v1::SplitShardRequest request;
  request.set_stream_name(options.stream);
  request.set_shard_to_split(options.shard);
  request.set_new_starting_hash_key(*at);
  return ConcludeChange(
      session, **client, options.stream, options.wait,
      (*client)->SplitShard(request),
      {{"ShardToSplit", options.shard}, {"NewStartingHashKey", *at}});
}

int Merge(Session& session, const Options& options) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  v1::MergeShardsRequest request;
  request.set_stream_name(options.stream);
  request.set_shard_to_merge(options.shard);
  request.set_adjacent_shard_to_merge(options.adjacent);
  return ConcludeChange(session, **client, options.stream, options.wait,
                        (*client)->MergeShards(request),
                        {{"ShardToMerge", options.shard},
                         {"AdjacentShardToMerge", options.adjacent}});
}

int UpdateShardCount(Session& session, const Options& options) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  const auto update =
      (*client)->UpdateShardCount(options.stream, options.target);
  Json details;
  if (update.ok()) {
    details = {{"CurrentShardCount", update->current_shard_count()},
               {"TargetShardCount", update->target_shard_count()}};
  }
  return ConcludeChange(session, **client, options.stream, options.wait,
                        update.status(), details);
}

CLI::App* Add(CLI::App& parent, Session& session, const std::string& name,
              const std::string& help, const std::string& examples,
              const std::shared_ptr<Options>& options,
              int (*run)(Session&, const Options&)) {
  CLI::App* const app = parent.add_subcommand(name, help);
  app->footer("\nExamples:\n" + examples);
  app->add_option("STREAM", options->stream, "the stream's name")->required();
  app->add_flag("--wait", options->wait, "until the stream is ACTIVE again");
  app->callback([&session, options, run] {
    session.command = [&session, options, run] {
      return run(session, *options);
    };
  });
  return app;
}

}  // namespace

void AddReshardCommands(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App& shard = *app.get_subcommand("shard");
  CLI::App* const split =
      Add(shard, session, "split", "split a shard in two",
          "  trireme shard split orders shardId-000000000000 --wait\n"
          "  trireme shard split orders 0 --new-starting-hash-key "
          "85070591730234615865843651857942052864\n",
          options, Split);
  AddShardOption(*split, "SHARD", options->shard, "its id")->required();
  split->add_option("--new-starting-hash-key", options->at,
                    "where the upper half starts [default: in the middle]");
  CLI::App* const merge =
      Add(shard, session, "merge", "merge two neighbouring shards",
          "  trireme shard merge orders shardId-000000000001 "
          "shardId-000000000002 --wait\n",
          options, Merge);
  AddShardOption(*merge, "SHARD", options->shard, "its id")->required();
  AddShardOption(*merge, "ADJACENT", options->adjacent, "its neighbour's id")
      ->required();
  CLI::App* const update =
      Add(*app.get_subcommand("stream"), session, "update-shard-count",
          "split and merge until there are so many shards",
          "  trireme stream update-shard-count orders --target 8 --wait\n",
          options, UpdateShardCount);
  update
      ->add_option("--target-shard-count,--target", options->target,
                   "how many; at most double, at least half of now")
      ->required();
}

}  // namespace trireme::cli
