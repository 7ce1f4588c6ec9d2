// trireme shard list
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
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

struct Options {
  std::string stream;
  std::string filter;
  std::string created;  // A time; empty: of any stream of the name.
};

constexpr char kFilters[] =
    "at-latest (open now), at-trim-horizon, from-trim-horizon (all), "
    "at-timestamp=TIME, from-timestamp=TIME or after-shard-id=SHARD; TIME as "
    "of `trireme get --from`";

absl::StatusOr<google::protobuf::Timestamp> ParseTimestamp(
    const std::string& text) {
  const auto position = ParseFrom(text);
  if (position.ok() && position->has_timestamp()) return position->timestamp();
  return absl::InvalidArgumentError(
      absl::StrCat(text, " is no time; see `trireme get --help`"));
}

absl::StatusOr<v1::ShardFilter> ParseFilter(const std::string& text) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  v1::ShardFilter filter;
  if (text.empty()) return filter;
  std::string name = absl::AsciiStrToUpper(parts.first);
  std::replace(name.begin(), name.end(), '-', '_');
  v1::ShardFilter::Type type = v1::ShardFilter::TYPE_UNSPECIFIED;
  const bool known = v1::ShardFilter::Type_Parse(name, &type) &&
                     type != v1::ShardFilter::TYPE_UNSPECIFIED;
  const bool of_time = type == v1::ShardFilter::AT_TIMESTAMP ||
                       type == v1::ShardFilter::FROM_TIMESTAMP;
  const bool takes_value = of_time || type == v1::ShardFilter::AFTER_SHARD_ID;
  if (!known || takes_value == parts.second.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be ", kFilters, "; not ", text));
  }
  filter.set_type(type);
  if (!of_time) {
    filter.set_shard_id(parts.second);
    return filter;
  }
  const auto time = ParseTimestamp(parts.second);
  if (!time.ok()) return time.status();
  *filter.mutable_timestamp() = *time;
  return filter;
}

int List(Session& session, const Options& options) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  v1::ListShardsRequest request;
  request.set_stream_name(options.stream);
  if (!options.filter.empty()) {
    const auto filter = ParseFilter(options.filter);
    if (!filter.ok()) return session.Fail(filter.status());
    *request.mutable_shard_filter() = *filter;
  }
  if (!options.created.empty()) {
    const auto created = ParseTimestamp(options.created);
    if (!created.ok()) return session.Fail(created.status());
    *request.mutable_stream_creation_timestamp() = *created;
  }
  const auto shards = (*client)->ListShards(request);
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
      "'.Shards[].ShardId'\n"
      "  trireme shard list orders --filter at-timestamp=2h\n");
  const auto options = std::make_shared<Options>();
  list->add_option("STREAM", options->stream, "the stream's name")->required();
  list->add_option("--filter", options->filter, kFilters)
      ->check([](const std::string& text) {
        const auto parsed = ParseFilter(text);
        return parsed.ok() ? std::string()
                           : std::string(parsed.status().message());
      });
  list->add_option("--stream-creation-timestamp", options->created,
                   "TIME when the stream meant was created, in seconds; no "
                   "other of its name is listed")
      ->check([](const std::string& text) {
        const auto parsed = ParseTimestamp(text);
        return parsed.ok() ? std::string()
                           : std::string(parsed.status().message());
      });
  list->callback([&session, options] {
    session.command = [&session, options] { return List(session, *options); };
  });
}

}  // namespace trireme::cli
