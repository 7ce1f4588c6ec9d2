#include "client/cli/demo.h"

#include <memory>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/cli/commands.h"
#include "client/cli/demo_readers.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/progress.h"
#include "client/cli/shard_share.h"
#include "client/producer.h"
#include "client/status_macros.h"

namespace trireme::cli {
namespace {

constexpr int kPacedKeys = 64;
// No record came back for so long: the rest is missing.
constexpr absl::Duration kPatience = absl::Seconds(15);

// Deletes the demo's stream however the demo ends, Ctrl-C included: by a
// client that Ctrl-C does not cancel.
class StreamRemover {
 public:
  StreamRemover(Session& session, std::string stream)
      : session_(session), stream_(std::move(stream)) {}
  ~StreamRemover() {
    if (stream_.empty()) return;
    const auto client = session_.NewClient();
    const absl::Status status =
        client.ok() ? (*client)->DeleteStream(stream_) : client.status();
    if (!status.ok()) {
      session_.console().err << "trireme: could not delete stream " << stream_
                             << ": " << std::string(status.message()) << "\n";
    }
  }
  void Keep() { stream_.clear(); }

 private:
  Session& session_;
  std::string stream_;
};

// One run, phase after phase.
class Demo {
 public:
  Demo(Session& session, client::Client& client, const DemoOptions& options,
       DemoInput input)
      : session_(session),
        client_(client),
        options_(options),
        bulk_(std::move(input)),
        paced_(MakePacedInput(
            bulk_,
            static_cast<uint64_t>(absl::ToDoubleSeconds(options.paced) *
                                  options.paced_records_per_s),
            kPacedKeys)),
        send_times_({&bulk_, &paced_}) {}

  absl::StatusOr<DemoResult> Run() {
    result_.files = bulk_.keys.size();
    result_.bulk_records = bulk_.records;
    result_.bulk_bytes = bulk_.bytes;
    result_.paced_records = paced_.records;
    CLIENT_RETURN_IF_ERROR(MakeStream());
    StreamRemover remover(session_, result_.stream);
    if (options_.keep) remover.Keep();
    CLIENT_RETURN_IF_ERROR(Activate());
    PushedRecords pushed(client_, result_.stream, shards_, send_times_);
    CLIENT_RETURN_IF_ERROR(Write(pushed));
    pushed.Stop();
    result_.pushed = Compare({&bulk_, &paced_}, pushed.received());
    CLIENT_RETURN_IF_ERROR(Reread());
    return std::move(result_);
  }

 private:
  void Say(const std::string& text) {
    session_.console().err << "demo: " << text << std::endl;
  }

  absl::Status MakeStream() {
    absl::BitGen random;
    result_.stream =
        absl::StrFormat("demo-%08x", absl::Uniform<uint32_t>(random));
    Say(absl::StrCat(Counted(bulk_.records, "line"), " (",
                     FormatMegabytes(static_cast<double>(bulk_.bytes)), ") of ",
                     Counted(bulk_.keys.size(), "file"), "; stream ",
                     result_.stream, " with ",
                     Counted(options_.shards, "shard")));
    return client_.CreateStream(result_.stream, options_.shards);
  }

  absl::Status Activate() {
    CLIENT_RETURN_IF_ERROR(
        client_.WaitUntilActive(result_.stream, session_.timeout));
    CLIENT_ASSIGN_OR_RETURN(shards_, client_.ListShards(result_.stream));
    return absl::OkStatus();
  }

  absl::Status Write(PushedRecords& pushed) {
    client::ProducerOptions options;
    options.stream_name = result_.stream;
    // Small, so that records wait in the files and not in the producer.
    options.unanswered_bytes_max = 2 << 20;
    options.request_bytes_max = 256 << 10;
    // One request at a time on each of some lanes: a request that is refused
    // and repeated cannot be overtaken, so order does not depend on the load.
    options.lanes = 2;
    options.requests_in_flight_max = 1;
    options.on_send = [this](uint64_t tag) { send_times_.OnSend(tag); };
    client::Producer producer(client_, options);
    pushed.MeasureInto(result_.bulk_latency);
    CLIENT_RETURN_IF_ERROR(WriteBulk(producer, pushed));
    pushed.MeasureInto(result_.paced_latency);
    CLIENT_RETURN_IF_ERROR(WritePaced(producer, pushed));
    producer.Close();
    return absl::OkStatus();
  }

  absl::Status WriteBulk(client::Producer& producer, PushedRecords& pushed) {
    Progress progress(session_.console(), "demo: write", bulk_.records,
                      Progress::WithoutTerminal::kLines);
    const absl::Time start = absl::Now();
    uint64_t put = 0;
    for (const KeyedLines& key : bulk_.keys) {
      for (size_t i = 0; i < key.lines.size(); ++i) {
        CLIENT_RETURN_IF_ERROR(Put(producer, key, i));
        progress.Update(++put,
                        absl::StrCat(FormatCount(pushed.records()), " pushed"));
      }
    }
    producer.Flush();
    result_.write_took = absl::Now() - start;
    CLIENT_RETURN_IF_ERROR(AwaitPushed(pushed, bulk_.records, progress));
    result_.pushed_took = absl::Now() - start;
    return absl::OkStatus();
  }

  absl::Status WritePaced(client::Producer& producer, PushedRecords& pushed) {
    if (paced_.records == 0) return absl::OkStatus();
    Progress progress(session_.console(),
                      absl::StrCat("demo: ", options_.paced_records_per_s,
                                   " records/s for latency"),
                      paced_.records, Progress::WithoutTerminal::kLines);
    const absl::Duration interval =
        absl::Seconds(1) / options_.paced_records_per_s;
    const absl::Time start = absl::Now();
    for (uint64_t i = 0; i < paced_.records; ++i) {
      const absl::Duration wait = start + i * interval - absl::Now();
      if (wait > absl::ZeroDuration() &&
          !client_.cancellation().WaitFor(wait)) {
        return absl::CancelledError();
      }
      CLIENT_RETURN_IF_ERROR(
          Put(producer, paced_.keys[i % kPacedKeys], i / kPacedKeys));
      progress.Update(i + 1, "");
    }
    producer.Flush();
    return AwaitPushed(pushed, bulk_.records + paced_.records, progress);
  }

  absl::Status Put(client::Producer& producer, const KeyedLines& key,
                   size_t place) {
    client::ProducerRecord record{key.key, key.lines[place], "",
                                  send_times_.NumberOf(key.key, place)};
    return producer.Put(std::move(record),
                        [this](absl::StatusOr<client::PutOutcome> outcome) {
                          if (outcome.ok()) return;
                          absl::MutexLock lock(&mu_);
                          if (result_.put_failures++ == 0) {
                            result_.first_put_failure = outcome.status();
                          }
                        });
  }

  // Missing records are not an error here: the comparison tells which.
  absl::Status AwaitPushed(PushedRecords& pushed, uint64_t records,
                           Progress& progress) {
    pushed.WaitFor(records, kPatience, [&](uint64_t seen) {
      progress.Update(seen, absl::StrCat(FormatCount(seen), " pushed"));
    });
    return client_.cancellation().cancelled() ? absl::CancelledError()
                                              : absl::OkStatus();
  }

  absl::Status Reread() {
    Say("reading everything again from TRIM_HORIZON");
    const absl::Time start = absl::Now();
    Received received;
    std::map<std::string, uint64_t> records, bytes;
    CLIENT_RETURN_IF_ERROR(
        ReadAgain(client_, result_.stream, shards_, received, records, bytes));
    result_.reread_took = absl::Now() - start;
    result_.reread = Compare({&bulk_, &paced_}, received);
    for (const v1::Shard& shard : shards_) {
      result_.shards.push_back(
          {shard.shard_id(), shard.replication_group(), HashRangeShare(shard),
           records[shard.shard_id()], bytes[shard.shard_id()]});
    }
    return absl::OkStatus();
  }

  // Set at construction.
  Session& session_;
  client::Client& client_;
  const DemoOptions& options_;
  const DemoInput bulk_;
  const DemoInput paced_;

  SendTimes send_times_;
  std::vector<v1::Shard> shards_;
  absl::Mutex mu_;  // The producer's lanes count failures.
  DemoResult result_;
};

int RunAndPrint(Session& session, const DemoOptions& options) {
  const auto result = RunDemo(session, options);
  if (!result.ok()) return session.Fail(result.status());
  const auto client = session.client();
  const auto cluster = (*client)->GetClusterStatus();
  PrintDemoResult(*result,
                  cluster.ok() ? *cluster : v1::GetClusterStatusResponse(),
                  session);
  return result->ok() ? kExitOk : kExitFailed;
}

}  // namespace

absl::StatusOr<DemoResult> RunDemo(Session& session,
                                   const DemoOptions& options) {
  CLIENT_ASSIGN_OR_RETURN(DemoInput input, ReadDemoInput(options.input));
  CLIENT_ASSIGN_OR_RETURN(client::Client * client, session.client());
  return Demo(session, *client, options, std::move(input)).Run();
}

void AddDemoCommand(CLI::App& app, Session& session) {
  CLI::App* demo = app.add_subcommand(
      "demo", "stream real files through the cluster and check every line");
  demo->footer(R"(
Each line of each file is a record; its partition key is the file's name (a
package's). One subscriber per shard gets the records pushed while they are
written; afterwards all are read again with iterators. Both are compared with
the files: every line exactly once, each key's lines in order. Then exits 0,
else 1. A phase at a moderate rate, compared in the same way, gives the push
latency of a system that is not saturated. The stream is deleted at the end.

Examples:
  trireme demo
  trireme demo --shards 16 --input '/usr/share/common-licenses/*'
  trireme demo --keep && trireme stream list
)");
  const auto options = std::make_shared<DemoOptions>();
  demo->add_option("--shards", options->shards, "of the stream [default: 4]")
      ->check(InRange(1, 10'000));
  demo->add_option("--input", options->input,
                   "a folder of *.md5sums, or a glob of text files "
                   "[default: /var/lib/dpkg/info]")
      ->type_name("FOLDER|GLOB");
  AddDurationOption(*demo, "--paced", options->paced,
                    "how long the moderate phase takes [default: 5s]");
  demo->add_option("--rate", options->paced_records_per_s,
                   "its records per second [default: 1000]")
      ->check(InRange(1, 100'000));
  demo->add_flag("--keep", options->keep, "do not delete the stream");
  demo->callback([&session, options] {
    session.command = [&session, options] {
      return RunAndPrint(session, *options);
    };
  });
}

}  // namespace trireme::cli
