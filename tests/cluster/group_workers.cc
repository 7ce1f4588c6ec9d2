#include "tests/cluster/group_workers.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/check.h"

namespace trireme {
namespace {

// The records of one shard, and how many of them are processed: always the
// first so many.
struct Progress {
  std::map<std::string, size_t> place;  // By sequence number.
  size_t done = 0;
  std::vector<std::string> parents;
};

}  // namespace

GroupWorkers::~GroupWorkers() {
  for (const std::string& worker : running()) Kill(worker);
}

std::string GroupWorkers::FileOf(const std::string& worker) const {
  return absl::StrCat(cluster_.folder(), "/worker-", worker);
}

void GroupWorkers::Start(const std::string& worker, bool polls) {
  const auto pid =
      Spawn({GROUP_WORKER_PATH, absl::StrJoin(cluster_.addresses(), ","),
             stream_, "group", worker, FileOf(worker), absl::StrCat(lease_ms_),
             polls ? "poll" : "push"},
            FileOf(worker) + ".log");
  CHECK(pid.ok(), "cannot start a worker");
  pids_[worker] = *pid;
  if (std::find(all_.begin(), all_.end(), worker) == all_.end()) {
    all_.push_back(worker);
  }
}

void GroupWorkers::Kill(const std::string& worker) {
  kill(pids_.at(worker), SIGKILL);
  CHECK(WaitForExit(pids_.at(worker), absl::Seconds(10)).ok());
  pids_.erase(worker);
}

void GroupWorkers::Pause(const std::string& worker) {
  kill(pids_.at(worker), SIGSTOP);
}

void GroupWorkers::Resume(const std::string& worker) {
  kill(pids_.at(worker), SIGCONT);
}

absl::StatusOr<int> GroupWorkers::Terminate(const std::string& worker) {
  kill(pids_.at(worker), SIGTERM);
  const auto code = WaitForExit(pids_.at(worker), absl::Seconds(20));
  if (code.ok()) pids_.erase(worker);
  return code;
}

std::vector<std::string> GroupWorkers::running() const {
  std::vector<std::string> workers;
  for (const auto& [worker, pid] : pids_) workers.push_back(worker);
  return workers;
}

std::vector<Processed> GroupWorkers::TakeAll() const {
  std::vector<Processed> all;
  for (const std::string& worker : all_) {
    std::istringstream lines(ReadFileText(FileOf(worker)));
    Processed one;
    one.worker = worker;
    while (lines >> one.at_ns >> one.shard >> one.sequence_number) {
      all.push_back(one);
    }
  }
  std::stable_sort(
      all.begin(), all.end(),
      [](const Processed& a, const Processed& b) { return a.at_ns < b.at_ns; });
  return all;
}

bool GroupWorkers::IsCaughtUp(client::Client& client,
                              const std::string& stream) {
  const auto group = client.DescribeConsumerGroup(stream, "group");
  if (!group.ok()) return false;
  return std::all_of(group->leases().begin(), group->leases().end(),
                     [](const v1::LeaseDescription& lease) {
                       return lease.state() == v1::LeaseDescription::ENDED ||
                              (lease.state() == v1::LeaseDescription::OWNED &&
                               lease.millis_behind() == 0);
                     });
}

absl::StatusOr<size_t> CheckProcessed(const std::vector<Processed>& processed,
                                      const StreamRecords& stored,
                                      const std::vector<v1::Shard>& shards) {
  std::map<std::string, Progress> progress;
  for (const auto& [shard, records] : stored) {
    for (const v1::Record& record : records) {
      auto& place = progress[shard].place;
      place.emplace(record.sequence_number(), place.size());
    }
  }
  for (const v1::Shard& shard : shards) {
    for (const std::string& parent :
         {shard.parent_shard_id(), shard.adjacent_parent_shard_id()}) {
      if (!parent.empty()) progress[shard.shard_id()].parents.push_back(parent);
    }
  }
  size_t again = 0;
  for (const Processed& one : processed) {
    Progress& shard = progress[one.shard];
    const auto place = shard.place.find(one.sequence_number);
    const std::string what =
        absl::StrCat("record ", one.sequence_number, " of ", one.shard,
                     ", processed by ", one.worker, ", ");
    if (place == shard.place.end()) {
      return absl::InternalError(what + "is not stored");
    }
    if (place->second < shard.done) {
      ++again;
      continue;
    }
    if (place->second > shard.done) {
      return absl::InternalError(absl::StrCat(what, "comes before ",
                                              place->second - shard.done,
                                              " that stand before it"));
    }
    for (const std::string& parent : shard.parents) {
      const Progress& before = progress[parent];
      if (before.done < before.place.size()) {
        return absl::InternalError(
            absl::StrCat(what, "comes before its parent ", parent, " is done"));
      }
    }
    ++shard.done;
  }
  for (const auto& [id, shard] : progress) {
    if (shard.done < shard.place.size()) {
      return absl::InternalError(absl::StrCat(shard.place.size() - shard.done,
                                              " records of ", id,
                                              " were never processed"));
    }
  }
  return again;
}

}  // namespace trireme
