// trireme get: the records that are there.
#include <algorithm>
#include <future>
#include <list>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/progress.h"
#include "client/cli/record_printer.h"
#include "client/cli/tail.h"
#include "client/cli/user_records.h"
#include "client/shard_reader.h"

namespace trireme::cli {
namespace {

struct Options {
  TailOptions what;
  bool follow = false;
};

// Reads shard after shard to the newest record and prints. A shard that is
// empty costs two round trips: so many of the next ones are asked while one is
// printed.
class Printout {
 public:
  Printout(Session& session, client::Client& client, const TailOptions& what,
           const v1::StartingPosition& from, UserRecords user_records)
      : session_(session),
        client_(client),
        what_(what),
        from_(from),
        left_(what.limit == 0 ? UINT64_MAX : what.limit),
        user_records_(std::move(user_records)),
        printer_(session),
        progress_(session.console(), "get", 0) {}

  absl::Status Print(const std::vector<std::string>& shards) {
    // Ends the questions under way, should this end early.
    std::list<Shard> asked;
    auto next = shards.begin();
    while (left_ > 0) {
      while (asked.size() < kShardsAsked && next != shards.end()) {
        asked.emplace_back(client_, what_.stream, *next++, from_, left_);
      }
      if (asked.empty()) break;
      const absl::Status status = PrintShard(asked.front());
      if (!status.ok()) return status;
      asked.pop_front();
    }
    return absl::OkStatus();
  }

 private:
  static constexpr size_t kShardsAsked = 16;
  static constexpr uint64_t kPageRecordsMax = 10'000;
  // Of pages that wait for their turn.
  static constexpr uint64_t kFirstPageRecordsMax = 1'000;

  using Page = absl::StatusOr<v1::GetRecordsResponse>;
  struct Shard {
    Shard(client::Client& client, const std::string& stream,
          const std::string& shard, const v1::StartingPosition& from,
          uint64_t records_max)
        : id(shard),
          reader(client, stream, shard, from),
          first_page(std::async(std::launch::async, [this, records_max] {
            return reader.Next(
                static_cast<int>(std::min(records_max, kFirstPageRecordsMax)));
          })) {}

    const std::string id;
    client::ShardReader reader;  // The first page's until that is there.
    std::future<Page> first_page;
  };

  absl::Status PrintShard(Shard& shard) {
    for (Page page = shard.first_page.get();;) {
      if (!page.ok()) return page.status();
      PrintPage(shard.id, *page);
      if (session_.interrupt().cancelled()) return absl::CancelledError();
      if (left_ == 0 || shard.reader.at_end() || shard.reader.caught_up()) {
        return absl::OkStatus();
      }
      page =
          shard.reader.Next(static_cast<int>(std::min(left_, kPageRecordsMax)));
    }
  }

  void PrintPage(const std::string& shard, const v1::GetRecordsResponse& page) {
    for (const v1::Record& record : page.records()) {
      if (!what_.deaggregate) {
        PrintOne(shard, record);
        continue;
      }
      for (const auto& user_record : user_records_.In(shard, record)) {
        PrintOne(shard, user_record);
      }
    }
    if (!session_.console().out_is_terminal) {
      progress_.Update(done_,
                       absl::StrCat(Counted(done_, "record"), ", ", shard));
    }
  }

  template <typename Record>
  void PrintOne(const std::string& shard, const Record& record) {
    if (left_ == 0) return;
    printer_.Print(shard, record);
    --left_;
    ++done_;
  }

  // Set at construction.
  Session& session_;
  client::Client& client_;
  const TailOptions& what_;
  const v1::StartingPosition& from_;

  uint64_t left_;
  uint64_t done_ = 0;
  UserRecords user_records_;
  RecordPrinter printer_;
  Progress progress_;
};

int Get(Session& session, const Options& options) {
  if (options.follow) return RunTail(session, options.what);
  const auto from = ParseFrom(options.what.from);
  if (!from.ok()) return session.Fail(from.status());
  if (!from->sequence_number().empty() && options.what.shard.empty()) {
    return session.FailUsage(
        "a sequence number belongs to one shard: name it with --shard");
  }
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  std::vector<std::string> shards = {options.what.shard};
  std::vector<v1::Shard> listed;
  if (options.what.shard.empty() || options.what.deaggregate) {
    auto answer = (*client)->ListShards(options.what.stream);
    if (!answer.ok()) return session.Fail(answer.status());
    listed = *std::move(answer);
  }
  if (options.what.shard.empty()) {
    shards.clear();
    for (const v1::Shard& shard : listed) shards.push_back(shard.shard_id());
  }
  UserRecords user_records(session.console());
  if (options.what.deaggregate) {
    const absl::Status learned =
        user_records.Learn(**client, options.what.stream, listed);
    if (!learned.ok()) return session.Fail(learned);
  }
  const absl::Status status =
      Printout(session, **client, options.what, *from, std::move(user_records))
          .Print(shards);
  session.console().out.flush();
  return status.ok() ? static_cast<int>(kExitOk) : session.Fail(status);
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
  AddShardOption(*get, "--shard", what.shard, "only this one");
  AddFromOption(*get, what.from);
  AddLimitOption(*get, what.limit, "at most so many records");
  AddDeaggregateFlag(*get, what.deaggregate);
  get->add_flag("--follow", options->follow,
                "go on with what comes later, as tail does");
  get->callback([&session, options] {
    session.command = [&session, options] { return Get(session, *options); };
  });
}

}  // namespace trireme::cli
