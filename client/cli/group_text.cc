#include "client/cli/group_text.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/table.h"

namespace trireme::cli {
namespace {

using Lease = v1::LeaseDescription;

// The first digits of a sequence number are the shard's.
constexpr size_t kCheckpointDigits = 12;
constexpr size_t kBarWidth = 16;

std::string RateText(uint64_t bytes_per_second) {
  return bytes_per_second == 0 ? "-" : FormatBytes(bytes_per_second) + "/s";
}

std::string MillisText(int64_t millis) {
  if (millis <= 0) return "0";
  if (millis < 1'000) return absl::StrCat(millis, " ms");
  return DurationText(absl::Milliseconds(millis));
}

const char* StateText(Lease::State state) {
  switch (state) {
    case Lease::WAITING:
      return "waiting";
    case Lease::FREE:
      return "free";
    case Lease::OWNED:
      return "owned";
    case Lease::HANDING_OFF:
      return "handing off";
    case Lease::ENDED:
      return "ended";
    default:
      return "?";
  }
}

std::string OwnerText(const Lease& lease) {
  if (lease.next_worker_id().empty()) {
    return lease.worker_id().empty() ? "-" : lease.worker_id();
  }
  return absl::StrCat(lease.worker_id(), " → ", lease.next_worker_id());
}

// Full at the worst. A logarithm: one second shows beside an hour.
std::string LagBar(int64_t millis, int64_t worst) {
  if (millis <= 0) return std::string(kBarWidth, ' ');
  const double share = std::log1p(static_cast<double>(millis)) /
                       std::log1p(static_cast<double>(worst));
  const auto full = static_cast<size_t>(std::lround(share * kBarWidth));
  std::string bar;
  for (size_t i = 0; i < kBarWidth; ++i) bar += i < full ? "█" : "░";
  return bar;
}

struct Sum {
  size_t leases = 0;  // Of shards that can be read and are not at their ends.
  size_t free = 0;
  size_t handing_off = 0;
  size_t waiting = 0;
  size_t ended = 0;
  int64_t worst_millis = 0;
  uint64_t bytes_per_second = 0;
};

Sum SumOf(const v1::DescribeConsumerGroupResponse& group) {
  Sum sum;
  for (const Lease& lease : group.leases()) {
    sum.waiting += lease.state() == Lease::WAITING;
    sum.ended += lease.state() == Lease::ENDED;
    sum.free += lease.state() == Lease::FREE;
    sum.handing_off += lease.state() == Lease::HANDING_OFF;
    sum.worst_millis = std::max(sum.worst_millis, lease.millis_behind());
    sum.bytes_per_second += lease.bytes_per_second();
  }
  sum.leases =
      static_cast<size_t>(group.leases_size()) - sum.waiting - sum.ended;
  return sum;
}

void PrintSum(const v1::DescribeConsumerGroupResponse& group, const Sum& sum,
              std::ostream& out) {
  const v1::ConsumerGroupSettings& settings = group.settings();
  out << "group " << group.group_name() << " of " << group.stream_name() << ": "
      << Counted(static_cast<uint64_t>(group.workers_size()), "worker") << ", "
      << Counted(sum.leases, "lease") << ", " << sum.free << " free, ";
  if (sum.handing_off > 0) out << sum.handing_off << " handing off, ";
  if (sum.waiting > 0) {
    out << Counted(sum.waiting, "shard") << " waiting for parents, ";
  }
  out << "worst lag " << MillisText(sum.worst_millis) << ", "
      << RateText(sum.bytes_per_second) << "\n"
      << "lease duration " << MillisText(settings.lease_duration_ms())
      << ", hand-off timeout " << MillisText(settings.hand_off_timeout_ms())
      << ", begins at " << StartText(settings.starting_position()) << "\n";
}

void PrintWorkers(const v1::DescribeConsumerGroupResponse& group, bool boxed,
                  std::ostream& out) {
  Table table({{"WORKER"}, {"LEASES", Align::kRight}, {"RATE", Align::kRight}});
  for (const v1::WorkerDescription& worker : group.workers()) {
    table.AddRow({worker.worker_id(), absl::StrCat(worker.lease_count()),
                  RateText(worker.bytes_per_second())});
  }
  table.Print(out, boxed);
}

void PrintLeases(const v1::DescribeConsumerGroupResponse& group,
                 const GroupPicture& picture, const Sum& sum,
                 std::ostream& out) {
  std::vector<const Lease*> leases;
  for (const Lease& lease : group.leases()) {
    if (lease.state() != Lease::ENDED || picture.ended_shards) {
      leases.push_back(&lease);
    }
  }
  if (picture.bars) {
    std::stable_sort(leases.begin(), leases.end(),
                     [](const Lease* a, const Lease* b) {
                       return a->millis_behind() > b->millis_behind();
                     });
  }
  const size_t shown = std::min(leases.size(), picture.leases_max);
  std::vector<Table::Column> columns = {{"SHARD"},
                                        {"STATE"},
                                        {"OWNER"},
                                        {"CHECKPOINT"},
                                        {"BEHIND", Align::kRight},
                                        {"RATE", Align::kRight}};
  if (picture.bars) columns.push_back({"LAG"});
  Table table(std::move(columns));
  for (size_t i = 0; i < shown; ++i) {
    const Lease& lease = *leases[i];
    std::vector<std::string> row = {
        lease.shard_id(),  StateText(lease.state()),
        OwnerText(lease),  CheckpointText(lease.checkpoint()),
        BehindText(lease), RateText(lease.bytes_per_second())};
    if (picture.bars) {
      row.push_back(LagBar(lease.millis_behind(), sum.worst_millis));
    }
    table.AddRow(std::move(row));
  }
  table.Print(out, picture.boxed);
  if (shown < leases.size()) {
    out << Counted(leases.size() - shown, "more shard")
        << ", which are less behind\n";
  }
  if (sum.ended > 0 && !picture.ended_shards) {
    out << Counted(sum.ended, "shard")
        << " read to the end; --all shows them too\n";
  }
}

Json PositionJson(const v1::ShardPosition& position) {
  Json json{{"Kind", v1::ShardPosition::Kind_Name(position.kind())}};
  if (position.has_timestamp()) {
    json["Timestamp"] = FormatTime(position.timestamp());
  }
  if (!position.sequence_number().empty()) {
    json["SequenceNumber"] = position.sequence_number();
    json["SubSequenceNumber"] = position.sub_sequence_number();
  }
  return json;
}

Json LeaseJson(const Lease& lease) {
  Json json{{"ShardId", lease.shard_id()},
            {"State", Lease::State_Name(lease.state())}};
  if (!lease.worker_id().empty()) json["WorkerId"] = lease.worker_id();
  if (!lease.next_worker_id().empty()) {
    json["NextWorkerId"] = lease.next_worker_id();
  }
  json["Checkpoint"] = PositionJson(lease.checkpoint());
  json["HasPendingCheckpoint"] = lease.has_pending_checkpoint();
  json["MillisBehind"] =
      lease.has_millis_behind() ? Json(lease.millis_behind()) : Json();
  json["BytesPerSecond"] = lease.bytes_per_second();
  json["OwnerSwitchesSinceCheckpoint"] =
      lease.owner_switches_since_checkpoint();
  return json;
}

}  // namespace

void PrintGroup(const v1::DescribeConsumerGroupResponse& group,
                const GroupPicture& picture, std::ostream& out) {
  const Sum sum = SumOf(group);
  PrintSum(group, sum, out);
  if (group.workers_size() > 0) {
    out << "\n";
    PrintWorkers(group, picture.boxed, out);
  }
  out << "\n";
  PrintLeases(group, picture, sum, out);
}

Json GroupJson(const v1::DescribeConsumerGroupResponse& group) {
  Json json{{"GroupName", group.group_name()},
            {"StreamName", group.stream_name()}};
  const v1::StartingPosition& from = group.settings().starting_position();
  Json& settings = json["Settings"];
  settings = {{"LeaseDurationMillis", group.settings().lease_duration_ms()},
              {"HandOffTimeoutMillis", group.settings().hand_off_timeout_ms()}};
  settings["StartingPosition"]["Type"] =
      v1::ShardIteratorType_Name(from.type());
  if (from.has_timestamp()) {
    settings["StartingPosition"]["Timestamp"] = FormatTime(from.timestamp());
  }
  json["Workers"] = Json::array();
  for (const v1::WorkerDescription& worker : group.workers()) {
    json["Workers"].push_back({{"WorkerId", worker.worker_id()},
                               {"LeaseCount", worker.lease_count()},
                               {"BytesPerSecond", worker.bytes_per_second()}});
  }
  json["Leases"] = Json::array();
  for (const Lease& lease : group.leases()) {
    json["Leases"].push_back(LeaseJson(lease));
  }
  return json;
}

std::string StartText(const v1::StartingPosition& from) {
  if (!from.has_timestamp()) return v1::ShardIteratorType_Name(from.type());
  return FormatTime(from.timestamp());
}

std::string CheckpointText(const v1::ShardPosition& position) {
  switch (position.kind()) {
    case v1::ShardPosition::AT_TIMESTAMP:
      return FormatTime(position.timestamp());
    case v1::ShardPosition::SHARD_END:
      return "end";
    case v1::ShardPosition::SEQUENCE_NUMBER: {
      const std::string& number = position.sequence_number();
      std::string text =
          number.size() <= kCheckpointDigits
              ? number
              : "…" + number.substr(number.size() - kCheckpointDigits);
      if (position.sub_sequence_number() > 0) {
        absl::StrAppend(&text, "/", position.sub_sequence_number());
      }
      return text;
    }
    case v1::ShardPosition::KIND_UNSPECIFIED:
      return "-";
    default:
      return v1::ShardPosition::Kind_Name(position.kind());
  }
}

std::string BehindText(const v1::LeaseDescription& lease) {
  return lease.has_millis_behind() ? MillisText(lease.millis_behind()) : "-";
}

}  // namespace trireme::cli
