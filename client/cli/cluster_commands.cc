// trireme cluster status
#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/cluster_health.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/progress.h"
#include "client/cli/table.h"

namespace trireme::cli {
namespace {

constexpr absl::Duration kAskAgain = absl::Milliseconds(200);

std::string GroupName(uint32_t group_id) {
  return group_id == 0 ? "0 (meta)" : absl::StrCat(group_id);
}

bool IsUnreachable(const v1::GetClusterStatusResponse& status,
                   uint32_t node_id) {
  return std::any_of(status.nodes().begin(), status.nodes().end(),
                     [&](const v1::NodeStatus& node) {
                       return node.node_id() == node_id &&
                              node.health() == v1::UNREACHABLE;
                     });
}

// "-" for the leader, which cannot lag; "?" when nobody knows.
std::string LagText(const v1::GetClusterStatusResponse& status,
                    const v1::GroupStatus& group,
                    const v1::ReplicaStatus& replica) {
  if (replica.node_id() == group.leader()) return "-";
  const auto lag = ReplicaLag(status, group, replica);
  return lag.has_value() ? absl::StrCat(*lag) : "?";
}

void PrintGroups(const v1::GetClusterStatusResponse& status, Console& console) {
  std::map<uint32_t, std::string> zones = LeaderZones(status);
  Table table({{"GROUP"},
               {"LEADER"},
               {"ZONE"},
               {"TERM", Align::kRight},
               {"COMMITTED", Align::kRight},
               {"LAG (entries by node)"}});
  std::vector<v1::GroupStatus> groups(status.groups().begin(),
                                      status.groups().end());
  std::stable_sort(
      groups.begin(), groups.end(),
      [](const auto& a, const auto& b) { return a.leader() < b.leader(); });
  for (const v1::GroupStatus& group : groups) {
    std::string lags;
    for (const v1::ReplicaStatus& replica : group.replicas()) {
      absl::StrAppend(&lags, lags.empty() ? "" : "  ", replica.node_id(), ": ",
                      LagText(status, group, replica),
                      replica.recovering() ? " recovering" : "");
    }
    const bool led = group.leader() != 0;
    table.AddRow({GroupName(group.group_id()),
                  led ? absl::StrCat("node ", group.leader()) : "none",
                  led ? zones[group.group_id()] : "-",
                  absl::StrCat(group.term()), FormatCount(group.commit_index()),
                  lags});
  }
  table.Print(console.out, console.out_is_terminal);
}

// For a node that is silent: since when.
std::string LastReport(const v1::NodeStatus& node) {
  if (node.health() != v1::UNREACHABLE) return "";
  const absl::Duration age = absl::Milliseconds(node.last_report_age_ms());
  // It has not reported since the asked node runs.
  if (age > absl::Hours(24 * 365)) return ", not heard of yet";
  return absl::StrCat(", last heard of ", DurationText(age), " ago");
}

Json NodeJson(const v1::NodeStatus& node) {
  return {{"NodeId", node.node_id()},
          {"Zone", node.zone()},
          {"Address", node.address()},
          {"Health", v1::NodeHealth_Name(node.health())},
          {"LastReportAgeMillis", node.last_report_age_ms()},
          {"UptimeMillis", node.uptime_ms()},
          {"DiskFreeBytes", node.disk_free_bytes()},
          {"DiskUsedBytes", node.disk_used_bytes()},
          {"GroupsLed", node.groups_led()},
          {"Version", node.version()}};
}

Json GroupJson(const v1::GetClusterStatusResponse& status,
               const v1::GroupStatus& group) {
  Json json{{"GroupId", group.group_id()},
            {"Leader", group.leader()},
            {"Term", group.term()},
            {"CommitIndex", group.commit_index()}};
  json["Replicas"] = Json::array();
  for (const v1::ReplicaStatus& replica : group.replicas()) {
    const auto lag = ReplicaLag(status, group, replica);
    json["Replicas"].push_back({{"NodeId", replica.node_id()},
                                {"MatchIndex", replica.match_index()},
                                {"Lag", lag.has_value() ? Json(*lag) : Json()},
                                {"Recovering", replica.recovering()}});
  }
  return json;
}

void PrintJson(const v1::GetClusterStatusResponse& status, Console& console) {
  Json json;
  json["Healthy"] = ClusterTroubles(status).empty();
  json["Troubles"] = ClusterTroubles(status);
  json["Nodes"] = Json::array();
  for (const auto& node : status.nodes()) {
    json["Nodes"].push_back(NodeJson(node));
  }
  json["Groups"] = Json::array();
  for (const auto& group : status.groups()) {
    json["Groups"].push_back(GroupJson(status, group));
  }
  json["StreamCount"] = status.stream_count();
  json["OpenShardCount"] = status.open_shard_count();
  console.out << Dump(json, true) << "\n";
}

// Until all is healthy, or the time is over.
absl::StatusOr<v1::GetClusterStatusResponse> AwaitHealthy(
    Session& session, client::Client& client) {
  const absl::Time deadline = absl::Now() + session.timeout;
  Progress progress(session.console(), "waiting", 0);
  for (;;) {
    auto status = client.GetClusterStatus();
    std::vector<std::string> troubles;
    if (status.ok()) troubles = ClusterTroubles(*status);
    if (status.ok() && troubles.empty()) return status;
    progress.Update(0, status.ok() ? troubles.front()
                                   : std::string(status.status().message()));
    if (absl::Now() >= deadline) return status;
    if (!session.interrupt().WaitFor(kAskAgain)) return status;
  }
}

struct StatusOptions {
  bool check = false;
  bool wait = false;
};

int Status(Session& session, const StatusOptions& options) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  const auto status = options.wait ? AwaitHealthy(session, **client)
                                   : (*client)->GetClusterStatus();
  if (!status.ok()) return session.Fail(status.status());
  Console& console = session.console();
  const std::vector<std::string> troubles = ClusterTroubles(*status);
  if (session.json()) {
    PrintJson(*status, console);
  } else {
    PrintNodes(*status, console);
    console.out << "\n";
    PrintGroups(*status, console);
    console.out << "\n"
                << Counted(status->stream_count(), "stream") << ", "
                << Counted(status->open_shard_count(), "open shard") << "\n";
    for (const std::string& trouble : troubles) {
      console.out << "trouble: " << trouble << "\n";
    }
  }
  const bool must_be_healthy = options.check || options.wait;
  return must_be_healthy && !troubles.empty() ? kExitFailed : kExitOk;
}

}  // namespace

std::map<uint32_t, std::string> LeaderZones(
    const v1::GetClusterStatusResponse& status) {
  std::map<uint32_t, std::string> zones;
  for (const v1::GroupStatus& group : status.groups()) {
    for (const v1::NodeStatus& node : status.nodes()) {
      if (node.node_id() != group.leader()) continue;
      zones[group.group_id()] = node.zone();
    }
  }
  return zones;
}

std::optional<uint64_t> ReplicaLag(const v1::GetClusterStatusResponse& status,
                                   const v1::GroupStatus& group,
                                   const v1::ReplicaStatus& replica) {
  if (replica.node_id() == group.leader()) return 0;
  if (group.leader() == 0 || IsUnreachable(status, replica.node_id())) {
    return std::nullopt;
  }
  return group.commit_index() -
         std::min<uint64_t>(group.commit_index(), replica.match_index());
}

std::vector<std::string> ClusterTroubles(
    const v1::GetClusterStatusResponse& status) {
  std::vector<std::string> troubles;
  if (status.nodes().empty()) troubles.push_back("no node is known");
  for (const v1::NodeStatus& node : status.nodes()) {
    if (node.health() == v1::HEALTHY) continue;
    troubles.push_back(
        absl::StrCat("node ", node.node_id(), " in ", node.zone(), " is ",
                     v1::NodeHealth_Name(node.health()), LastReport(node)));
  }
  if (status.groups().empty()) troubles.push_back("no group is known");
  for (const v1::GroupStatus& group : status.groups()) {
    if (group.leader() == 0) {
      troubles.push_back(
          absl::StrCat("group ", group.group_id(), " has no leader"));
    }
    for (const v1::ReplicaStatus& replica : group.replicas()) {
      if (!replica.recovering()) continue;
      troubles.push_back(absl::StrCat("group ", group.group_id(), " on node ",
                                      replica.node_id(), " is recovering"));
    }
  }
  return troubles;
}

void PrintNodes(const v1::GetClusterStatusResponse& status, Console& console) {
  Table table({{"ZONE"},
               {"NODE", Align::kRight},
               {"ADDRESS"},
               {"HEALTH"},
               {"GROUPS LED", Align::kRight},
               {"UP", Align::kRight},
               {"DISK USED", Align::kRight},
               {"DISK FREE", Align::kRight},
               {"VERSION"}});
  std::vector<v1::NodeStatus> nodes(status.nodes().begin(),
                                    status.nodes().end());
  std::stable_sort(
      nodes.begin(), nodes.end(),
      [](const auto& a, const auto& b) { return a.zone() < b.zone(); });
  for (const v1::NodeStatus& node : nodes) {
    const bool known = node.health() != v1::UNREACHABLE;
    const auto now = [&](std::string text) { return known ? text : "?"; };
    table.AddRow({node.zone(), absl::StrCat(node.node_id()), node.address(),
                  v1::NodeHealth_Name(node.health()),
                  absl::StrCat(node.groups_led()),
                  now(DurationText(absl::Milliseconds(node.uptime_ms()))),
                  now(FormatBytes(node.disk_used_bytes())),
                  now(FormatBytes(node.disk_free_bytes())), node.version()});
  }
  table.Print(console.out, console.out_is_terminal);
}

void AddClusterCommands(CLI::App& app, Session& session) {
  CLI::App* cluster = app.add_subcommand("cluster", "status");
  cluster->require_subcommand(1);
  cluster->footer("\nExamples:\n  trireme cluster status\n");
  CLI::App* status =
      cluster->add_subcommand("status", "zones, nodes and replication groups");
  status->footer(R"(
Exits 0 whenever a node answers; with --check only when every node is healthy
and every group has a leader and no replica recovering, else 1; --wait waits
for that, as long as --timeout says.

Examples:
  trireme cluster status
  trireme cluster status --check --timeout 2s && echo all is well
  triremed --dev & trireme cluster status --wait
  trireme cluster status --output json | jq '.Nodes[].Health'
)");
  const auto options = std::make_shared<StatusOptions>();
  status->add_flag("--check", options->check, "exit 1 unless all is healthy");
  status->add_flag("--wait", options->wait,
                   "until all is healthy; exit 1 when it is not in time");
  status->callback([&session, options] {
    session.command = [&session, options] { return Status(session, *options); };
  });
}

}  // namespace trireme::cli
