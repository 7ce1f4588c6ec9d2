#include "tests/sim/stream_scenario.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/check.h"
#include "storage/errors.h"
#include "tests/sim/stream_commands.h"

namespace trireme::sim {
namespace {

constexpr char kName[] = "orders";
constexpr Micros kWritesLimit = 20 * kSecond;
constexpr uint64_t kWrites = 20;

uint32_t Number(absl::string_view word) {
  uint32_t number = 0;
  CHECK(absl::SimpleAtoi(word, &number), absl::StrCat("not a number: ", word));
  return number;
}

Micros Duration(absl::string_view word) {
  const bool is_ms = absl::EndsWith(word, "ms");
  word.remove_suffix(is_ms ? 2 : 1);
  return Number(word) * (is_ms ? kMillisecond : kSecond);
}

// Of the words that name a change of a stream that is there.
v1::Command CommandOf(const std::vector<std::string>& words,
                      const Stream& stream) {
  const std::string& verb = words[0];
  if (verb == "split") {
    const bool says_where = words.size() > 3;
    return SplitCommand(
        stream, Number(words[1]),
        says_where ? Number(words[3].substr(0, words[3].size() - 1)) : 50);
  }
  if (verb == "merge")
    return MergeCommand(stream, Number(words[1]), Number(words[2]));
  if (verb == "count") return CountCommand(stream, Number(words[1]));
  if (verb == "retention") return RetentionCommand(stream, Number(words[1]));
  if (verb == "mode") {
    return ModeCommand(stream, words[1] == "on-demand"
                                   ? StreamMode::kOnDemand
                                   : StreamMode::kProvisioned);
  }
  if (verb == "encrypt") return EncryptionCommand(stream, words[1]);
  if (verb == "decrypt") return EncryptionCommand(stream, "");
  if (verb == "delete") return DeleteCommand(kName);
  return v1::Command();
}

}  // namespace

std::string StreamScenario::Run(const std::string& text, uint64_t seed) {
  sim_ = std::make_unique<StreamSim>(seed);
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = line.substr(0, line.find('#'));
    const Words words = absl::StrSplit(line, ' ', absl::SkipWhitespace());
    if (words.empty()) continue;
    std::string wrong = RunLine(words);
    const auto& failures = sim_->cluster().history().failures();
    if (wrong.empty() && !failures.empty()) wrong = failures.front();
    if (!wrong.empty()) {
      return absl::StrCat("line ", number, ": ", std::string(line), "\n  ",
                          wrong);
    }
  }
  return "";
}

std::string StreamScenario::RunLine(const Words& words) {
  const std::string& verb = words[0];
  if (verb == "expect") return Expect(words);
  if (verb == "producers") {
    sim_->StartProducers(kName, static_cast<int>(Number(words[1])));
  } else if (verb == "workers") {
    sim_->workers().Start(kName, static_cast<int>(Number(words[1])));
  } else if (words.size() > 2 && words[1] == "worker") {
    return WorkerFault(words);
  } else if (verb == "jump") {
    const bool back = words[2].starts_with("-");
    const auto hours = Number(
        absl::string_view(words[2]).substr(back, words[2].size() - 1 - back));
    sim_->cluster()
        .node(static_cast<int>(Number(words[1])) - 1)
        .clock()
        .JumpWall(absl::Hours(back ? -static_cast<int>(hours)
                                   : static_cast<int>(hours)));
  } else if (verb == "run") {
    sim_->cluster().Run(Duration(words[1]));
  } else if (verb == "settle") {
    sim_->Settle(kName);
  } else if (verb == "heal") {
    sim_->HealAndCheck();
  } else if (verb == "create") {
    const absl::Status created =
        sim_->Commit(CreateCommand(kName, Number(words[1])));
    if (!created.ok()) return created.ToString();
    sim_->Settle(kName);
  } else if (verb == "kill" || verb == "crash" || verb == "isolate" ||
             verb == "start" || verb == "rejoin") {
    return Fault(words);
  } else {
    return Change(words);
  }
  return "";
}

std::string StreamScenario::Change(const Words& words) {
  const std::shared_ptr<const Stream> stream = sim_->Find(kName);
  if (stream == nullptr) return "there is no stream";
  const v1::Command command = CommandOf(words, *stream);
  if (command.command_case() == v1::Command::COMMAND_NOT_SET)
    return "not a verb";
  const absl::Status changed = sim_->Commit(command);
  // What follows says whether it was.
  if (ReasonOf(changed) == ErrorReason::kOutcomeUnknown) return "";
  return changed.ok() ? "" : changed.ToString();
}

std::string StreamScenario::Fault(const Words& words) {
  SimCluster& cluster = sim_->cluster();
  if (words[0] == "kill") {
    const KillAt::When when = words[4] == "before"  ? KillAt::kBefore
                              : words[4] == "after" ? KillAt::kAfter
                                                    : KillAt::kAtReply;
    sim_->Arm({static_cast<int>(Number(words[3])), when});
    return "";
  }
  const int node = NodeOf(words);
  if (node < 0) return "nobody leads it";
  if (words[0] == "crash") {
    cluster.node(node).Crash(SimNode::Stop::kPowerFailure);
  } else if (words[0] == "start") {
    if (!cluster.node(node).up()) cluster.node(node).Start();
  } else if (words[0] == "isolate") {
    cluster.Isolate(node);
  } else {
    cluster.Rejoin(node);
  }
  return "";
}

std::string StreamScenario::WorkerFault(const Words& words) {
  SimWorkers& workers = sim_->workers();
  const auto worker = static_cast<int>(Number(words[2]));
  if (words[0] == "pause") {
    workers.Pause(worker, Duration(words[3]));
  } else if (words[0] == "kill") {
    workers.Kill(worker);
  } else if (words[0] == "leave") {
    workers.Leave(worker);
  } else {
    return "not a verb";
  }
  return "";
}

int StreamScenario::NodeOf(const Words& words) {
  if (words[1] != "leader") return static_cast<int>(Number(words[1])) - 1;
  if (words[2] == "meta") return sim_->cluster().LeaderOf(kMetaGroup);
  const std::shared_ptr<const Stream> stream = sim_->Find(kName);
  const Shard* const shard =
      stream == nullptr ? nullptr
                        : stream->FindShard(ShardIndex(Number(words[3])));
  return shard == nullptr ? -1 : sim_->cluster().LeaderOf(shard->group);
}

std::string StreamScenario::Expect(const Words& words) {
  if (words[1] == "writes") return ExpectWrites();
  if (words[1] == "killed") return sim_->killed() ? "" : "nobody was killed";
  if (words[1] == "processing") {
    const bool all = sim_->cluster().RunUntil(
        [&] { return sim_->workers().AllDone(); }, kWritesLimit);
    return all ? "" : "a shard is nobody's";
  }
  if (words[1] == "expired") {
    const uint64_t seen = sim_->workers().expired();
    if (words[2] == "none") return seen == 0 ? "" : absl::StrCat(seen, " are");
    return seen >= Number(words[2]) ? "" : absl::StrCat("there are ", seen);
  }
  if (words[1] == "duplicates") {
    const uint64_t seen = sim_->exactly_once().duplicates();
    return seen >= Number(words[2]) ? "" : absl::StrCat("there are ", seen);
  }
  return ExpectOfStream(words);
}

std::string StreamScenario::ExpectOfStream(const Words& words) {
  const std::shared_ptr<const Stream> stream = sim_->Find(kName);
  if (words[1] == "gone") return stream == nullptr ? "" : "it is there";
  if (stream == nullptr) return "there is no stream";
  if (words[1] == "status") {
    const absl::string_view status = StreamStatusName(stream->status);
    return status == words[2] ? "" : absl::StrCat("it is ", status);
  }
  size_t actual = 0;
  if (words[1] == "open") {
    actual = stream->open.size();
  } else if (words[1] == "shards") {
    actual = stream->shards.size();
  } else if (words[1] == "retention") {
    actual = stream->retention_hours;
  } else {
    return "not an expectation";
  }
  return actual == Number(words[2]) ? "" : absl::StrCat("it has ", actual);
}

std::string StreamScenario::ExpectWrites() {
  const uint64_t plain = sim_->acked() + kWrites;
  const uint64_t once = sim_->exactly_once().acked() + kWrites;
  const bool written = sim_->cluster().RunUntil(
      [&] {
        return sim_->acked() >= plain && sim_->exactly_once().acked() >= once;
      },
      kWritesLimit);
  return written ? "" : "writes have stopped";
}

}  // namespace trireme::sim
