// trireme shard list
#include <cmath>
#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/shard_share.h"
#include "client/cli/table.h"

namespace trireme::cli {
namespace {

std::string Parents(const v1::Shard& shard) {
  if (shard.adjacent_parent_shard_id().empty()) return shard.parent_shard_id();
  return absl::StrCat(shard.parent_shard_id(), " + ",
                      shard.adjacent_parent_shard_id());
}

int List(Session& session, const std::string& stream) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  const auto shards = (*client)->ListShards(stream);
  if (!shards.ok()) return session.Fail(shards.status());
  Console& console = session.console();
  if (session.json()) {
    Json all = Json::array();
    for (const v1::Shard& shard : *shards) all.push_back(ShardJson(shard));
    console.out << Dump({{"Shards", all}}, true) << "\n";
    return kExitOk;
  }
  Table table({{"SHARD"},
               {"STATE"},
               {"GROUP", Align::kRight},
               {"SHARE", Align::kRight},
               {"FIRST HASH KEY", Align::kRight},
               {"LAST HASH KEY", Align::kRight},
               {"PARENTS"}});
  for (const v1::Shard& shard : *shards) {
    const bool open =
        shard.sequence_number_range().ending_sequence_number().empty();
    table.AddRow(
        {shard.shard_id(), open ? "open" : "closed",
         absl::StrCat(shard.replication_group()),
         absl::StrCat(FormatDecimals(100 * HashRangeShare(shard), 1), " %"),
         shard.hash_key_range().starting_hash_key(),
         shard.hash_key_range().ending_hash_key(), Parents(shard)});
  }
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

}  // namespace

double HashRangeShare(const v1::Shard& shard) {
  // A double has digits enough for a share.
  const double first =
      std::strtod(shard.hash_key_range().starting_hash_key().c_str(), nullptr);
  const double last =
      std::strtod(shard.hash_key_range().ending_hash_key().c_str(), nullptr);
  return std::ldexp(last - first, -128);
}

void AddShardCommands(CLI::App& app, Session& session) {
  CLI::App* shard = app.add_subcommand("shard", "list, split, merge");
  shard->require_subcommand(1);
  shard->footer("\nExamples:\n  trireme shard list orders\n");
  CLI::App* list =
      shard->add_subcommand("list", "list a stream's shards, closed ones too");
  list->footer(
      "\nExamples:\n  trireme shard list orders\n"
      "  trireme shard list orders --output json | jq -r "
      "'.Shards[].ShardId'\n");
  const auto stream = std::make_shared<std::string>();
  list->add_option("STREAM", *stream, "the stream's name")->required();
  list->callback([&session, stream] {
    session.command = [&session, stream] { return List(session, *stream); };
  });
}

}  // namespace trireme::cli
