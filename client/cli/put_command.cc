// trireme put: one record, or every line of a file.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/open_file.h"
#include "client/cli/progress.h"
#include "client/cli/table.h"
#include "client/error.h"
#include "client/producer.h"
#include "client/utf8.h"

namespace trireme::cli {
namespace {

constexpr size_t kKeyCharactersMax = 256;
constexpr int kFailuresShown = 5;
const std::map<std::string, client::Delivery> kDeliveries = {
    {"exactly-once", client::Delivery::kExactlyOnce},
    {"at-least-once", client::Delivery::kAtLeastOnce},
    {"at-most-once", client::Delivery::kAtMostOnce}};

struct Options {
  std::string stream;
  std::string key;
  std::string data;
  std::string hash_key;
  std::string lines;
  int key_field = 0;
  bool no_key = false;
  std::string delivery;  // A key of kDeliveries, or empty.
  bool dry_run = false;
  bool aggregate = false;
  bool compress = false;
};

constexpr char kDryRunSucceeded[] = "DryRunOperationException";

int PutOne(Session& session, const Options& options) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  v1::PutRecordRequest request;
  request.set_stream_name(options.stream);
  request.set_partition_key(options.key);
  request.set_data(options.data);
  request.set_explicit_hash_key(options.hash_key);
  request.set_dry_run(options.dry_run);
  const auto response = (*client)->PutRecord(request);
  Console& console = session.console();
  if (client::Reason(response.status()) == kDryRunSucceeded) {
    console.out << (session.json() ? Dump({{"DryRun", "succeeded"}}, true)
                                   : "the put would succeed; nothing is put")
                << "\n";
    return kExitOk;
  }
  if (!response.ok()) return session.Fail(response.status());
  if (session.json()) {
    console.out << Dump({{"ShardId", response->shard_id()},
                         {"SequenceNumber", response->sequence_number()}},
                        true)
                << "\n";
    return kExitOk;
  }
  Table table({{"SHARD"}, {"SEQUENCE NUMBER"}});
  table.AddRow({response->shard_id(), response->sequence_number()});
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

// The outcomes of many puts, counted as they come. Any thread.
class Tally {
 public:
  explicit Tally(Console& console) : console_(console) {}

  void Add(uint64_t line, uint64_t bytes,
           const absl::StatusOr<client::PutOutcome>& outcome) {
    absl::MutexLock lock(&mu_);
    if (outcome.ok()) {
      ++written_;
      bytes_ += bytes;
      ++by_shard_[outcome->shard_id];
      return;
    }
    if (absl::IsCancelled(outcome.status())) {
      ++not_sent_;
      return;
    }
    if (failed_ + unknown_ == 0) first_failure_ = outcome.status();
    ++(client::Reason(outcome.status()) == client::kOutcomeUnknown ? unknown_
                                                                   : failed_);
    // Then it is gone for the lines to come too.
    if (absl::IsNotFound(outcome.status())) ends_ = true;
    if (failed_ + unknown_ <= kFailuresShown) {
      console_.err << "trireme: line " << line << ": "
                   << std::string(outcome.status().message()) << "\n";
    } else if (failed_ + unknown_ == kFailuresShown + 1) {
      console_.err << "trireme: more lines fail; they are only counted\n";
    }
  }

  // Whether no line to come can be written.
  bool ends() const {
    absl::MutexLock lock(&mu_);
    return ends_;
  }

  uint64_t written() const {
    absl::MutexLock lock(&mu_);
    return written_;
  }

  // After the last Add.
  int Report(Session& session, absl::Duration took) const {
    absl::MutexLock lock(&mu_);
    if (session.json()) {
      PrintJson(took);
    } else {
      PrintTable(took);
    }
    if (session.interrupt().cancelled()) {
      return session.Fail(absl::CancelledError());
    }
    if (failed_ + unknown_ == 0) return kExitOk;
    console_.err << "trireme: " << FormatCount(failed_) << " of "
                 << Counted(failed_ + unknown_ + written_, "line") << " failed";
    if (unknown_ > 0) {
      console_.err << "; the outcome of " << FormatCount(unknown_)
                   << " is unknown: they may be written";
    }
    console_.err << "\n";
    if (ends_ || written_ == 0) return CodeOf(session);
    return kExitPartial;
  }

 private:
  // Of what failed as a whole.
  int CodeOf(Session& session) const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    // Lines that are no records are no matter of the command line.
    if (client::Reason(first_failure_).empty()) return kExitFailed;
    return session.Fail(first_failure_);
  }
  void PrintJson(absl::Duration took) const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    Json json{{"Written", written_}, {"Failed", failed_},
              {"Unknown", unknown_}, {"NotSent", not_sent_},
              {"Bytes", bytes_},     {"Seconds", absl::ToDoubleSeconds(took)}};
    json["RecordsByShard"] = by_shard_;
    console_.out << Dump(json, true) << "\n";
  }
  void PrintTable(absl::Duration took) const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    Table table({{"SHARD"}, {"RECORDS", Align::kRight}});
    for (const auto& [shard, records] : by_shard_) {
      table.AddRow({shard, FormatCount(records)});
    }
    table.Print(console_.out, console_.out_is_terminal);
    const double seconds = std::max(absl::ToDoubleSeconds(took), 1e-6);
    console_.out << Counted(written_, "record") << " (" << FormatBytes(bytes_)
                 << ") written in " << DurationText(took) << ": "
                 << FormatCount(static_cast<uint64_t>(written_ / seconds))
                 << " records/s, "
                 << FormatMegabytes(static_cast<double>(bytes_) / seconds)
                 << "/s; " << FormatCount(failed_) << " failed";
    if (unknown_ > 0) {
      console_.out << ", " << FormatCount(unknown_) << " unknown";
    }
    if (not_sent_ > 0) {
      console_.out << ", " << FormatCount(not_sent_) << " not sent";
    }
    console_.out << "\n";
  }

  Console& console_;
  mutable absl::Mutex mu_;
  uint64_t written_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t failed_ ABSL_GUARDED_BY(mu_) = 0;   // Certainly not written.
  uint64_t unknown_ ABSL_GUARDED_BY(mu_) = 0;  // Perhaps written.
  // Given up by Ctrl-C while they waited to be sent: not written.
  uint64_t not_sent_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::string, uint64_t> by_shard_ ABSL_GUARDED_BY(mu_);
  absl::Status first_failure_ ABSL_GUARDED_BY(mu_);
  bool ends_ ABSL_GUARDED_BY(mu_) = false;
};

std::string FirstCharacters(const std::string& text, size_t count) {
  size_t end = 0;
  for (size_t i = 0; i < count && end < text.size(); ++i) {
    // A byte that begins no character counts as one; Put refuses the key.
    end += std::max<size_t>(1, client::Utf8CharacterBytes(text, end));
  }
  return text.substr(0, end);
}

// The partition key of a line: --key, or a field, or the line itself.
absl::StatusOr<std::string> KeyOf(const std::string& line,
                                  const Options& options) {
  if (!options.key.empty() || options.no_key) return options.key;
  if (options.key_field == 0) {
    return line.empty() ? "-" : FirstCharacters(line, kKeyCharactersMax);
  }
  const std::vector<std::string> fields =
      absl::StrSplit(line, absl::ByAnyChar(" \t\r\f\v"), absl::SkipEmpty());
  if (fields.size() < static_cast<size_t>(options.key_field)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has ", fields.size(), " fields; --key-field is ", options.key_field));
  }
  return fields[options.key_field - 1];
}

// Of --key; empty when it is right.
std::string CheckKey(const std::string& key) {
  if (!client::IsUtf8(key)) return "is not UTF-8";
  const size_t characters = client::Utf8Characters(key);
  if (1 <= characters && characters <= kKeyCharactersMax) return "";
  return absl::StrCat("must have 1 to ", kKeyCharactersMax, " characters, not ",
                      characters);
}

void PutAll(std::istream& in, const Options& options,
            client::Producer& producer, client::Cancellation& interrupt,
            Progress& progress, Tally& tally) {
  std::string line;
  uint64_t number = 0;
  uint64_t bytes_read = 0;
  while (!interrupt.cancelled() && !tally.ends() && std::getline(in, line)) {
    ++number;
    bytes_read += line.size() + 1;
    const uint64_t bytes = line.size();
    const auto key = KeyOf(line, options);
    absl::Status status = key.status();
    if (status.ok()) {
      status = producer.Put(
          {*key, line, options.hash_key},
          [&tally, number, bytes](absl::StatusOr<client::PutOutcome> outcome) {
            tally.Add(number, bytes, outcome);
          });
    }
    if (!status.ok()) tally.Add(number, bytes, status);
    progress.Update(bytes_read, FormatCount(tally.written()) + " written");
  }
}

// `is_auto`: a record that is sent again may go to another shard.
client::Delivery DeliveryOf(const Options& options, bool is_auto) {
  if (!options.delivery.empty()) return kDeliveries.at(options.delivery);
  return is_auto ? client::Delivery::kAtLeastOnce
                 : client::Delivery::kExactlyOnce;
}

int PutLines(Session& session, const Options& options) {
  std::ifstream file;
  uint64_t file_bytes = 0;
  const bool standard_input = options.lines == "-";
  if (!standard_input) {
    std::error_code error;
    file_bytes = std::filesystem::is_regular_file(options.lines, error)
                     ? std::filesystem::file_size(options.lines, error)
                     : 0;
    const absl::Status opened = OpenFile(options.lines, file);
    if (!opened.ok()) {
      return session.FailUsage(std::string(opened.message()));
    }
  }
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  // Fail at once and by name, not once for each line.
  const auto summary = (*client)->DescribeStreamSummary(options.stream);
  if (!summary.ok()) return session.Fail(summary.status());

  const bool is_auto = summary->record_distribution_strategy() == v1::AUTO;
  const client::Delivery delivery = DeliveryOf(options, is_auto);
  if (delivery == client::Delivery::kExactlyOnce && is_auto) {
    return session.FailUsage(absl::StrCat(
        "--delivery exactly-once cannot be used with stream ", options.stream,
        ": its record distribution strategy is AUTO"));
  }
  if (options.no_key && !is_auto) {
    return session.FailUsage(
        absl::StrCat("--no-key cannot be used with stream ", options.stream,
                     ": its record distribution strategy is not AUTO"));
  }

  if (options.aggregate && is_auto) {
    return session.FailUsage(
        absl::StrCat("--aggregate cannot be used with stream ", options.stream,
                     ": its record distribution strategy is AUTO"));
  }

  Tally tally(session.console());
  Progress progress(session.console(), "put", file_bytes);
  const absl::Time start = absl::Now();
  client::ProducerOptions producer_options;
  producer_options.stream_name = options.stream;
  producer_options.delivery_timeout = session.timeout;
  producer_options.keys_optional = options.no_key;
  producer_options.delivery = delivery;
  if (options.aggregate) producer_options.aggregation.emplace();
  if (options.compress) producer_options.compression.emplace();
  client::Producer producer(**client, producer_options);
  PutAll(standard_input ? session.console().in : file, options, producer,
         session.interrupt(), progress, tally);
  producer.Close();
  progress.Finish();
  return tally.Report(session, absl::Now() - start);
}

int Put(Session& session, const Options& options) {
  if (options.lines.empty()) {
    if (options.key.empty() && !options.no_key) {
      return session.FailUsage("--key is missing");
    }
    return PutOne(session, options);
  }
  if (!options.key.empty() && options.key_field > 0) {
    return session.FailUsage("--key and --key-field exclude each other");
  }
  return PutLines(session, options);
}

}  // namespace

void AddPutCommand(CLI::App& app, Session& session) {
  CLI::App* put = app.add_subcommand(
      "put", "write one record, or every line of a file as one");
  put->footer(R"(
With --lines the partition key of a line is its --key-field, or --key for all,
or else the whole line (its first 256 characters; "-" for an empty one). A line
without that field is not written and counts as failed. A record whose outcome
is unknown after a broken connection is sent again and written once, or, to a
stream whose record distribution strategy is AUTO, at least once; see
--delivery. When that does not end in time either, it counts as unknown: it may
be there. Ctrl-C ends the command with what is counted so far; lines that waited
to be sent count as not sent, those behind them are not read. So it ends too
when the stream is deleted. A command that is run again writes its lines again:
exactly once is within one run. What is written with --aggregate or --compress
is read with --deaggregate of get and tail.

Examples:
  trireme put orders --key customer-7 --data '{"total": 12}'
  trireme put access --lines /var/log/access.log --key-field 1
  trireme put access --lines /var/log/access.log --aggregate --compress
  journalctl -f | trireme put journal --lines - --key "$HOSTNAME"
)");
  const auto options = std::make_shared<Options>();
  put->add_option("STREAM", options->stream, "the stream's name")->required();
  CLI::Option* key = put->add_option("--key", options->key,
                                     "partition key, 1 to 256 characters")
                         ->check(CheckKey);
  CLI::Option* data =
      put->add_option("--data", options->data, "the record's bytes");
  put->add_option("--hash-key", options->hash_key,
                  "decimal 0..2^128-1: picks the shard instead of the key");
  CLI::Option* lines =
      put->add_option("--lines", options->lines,
                      "each line of this file is a record; - is stdin")
          ->type_name("FILE|-")
          ->excludes(data);
  put->add_option("--key-field", options->key_field,
                  "which field of a line is its key; the first is 1, fields "
                  "are separated by white space")
      ->check(InRange(1, INT32_MAX))
      ->needs(lines);
  CLI::Option* aggregate =
      put->add_flag("--aggregate", options->aggregate,
                    "lines of one shard go as one record, in the format of "
                    "Kinesis's producer library")
          ->needs(lines);
  put->add_flag("--compress", options->compress,
                "data is compressed with zstd when that makes it smaller")
      ->needs(lines);
  put->add_flag("--no-key", options->no_key,
                "no partition key, for a stream whose record distribution "
                "strategy is AUTO")
      ->excludes(key)
      ->excludes(aggregate);
  put->add_flag("--dry-run", options->dry_run,
                "only say whether the put would succeed")
      ->excludes(lines);
  put->add_option("--delivery", options->delivery,
                  "of a record whose outcome is unknown: exactly-once and "
                  "at-least-once send it again, at-most-once never does")
      ->check(CLI::IsMember(kDeliveries))
      ->needs(lines);
  put->callback([&session, options, data, lines] {
    if (data->count() + lines->count() == 0) {
      throw CLI::RequiredError("--data or --lines");
    }
    session.command = [&session, options] { return Put(session, *options); };
  });
}

}  // namespace trireme::cli
