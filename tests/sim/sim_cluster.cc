#include "tests/sim/sim_cluster.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace trireme::sim {

SimNodeOptions SmallNodes(uint32_t group_count) {
  SimNodeOptions options;
  options.loop.nodes = {NodeId(1), NodeId(2), NodeId(3)};
  options.loop.group_count = group_count;
  options.loop.entry_bytes_max = 4u << 10;
  options.loop.waiting_bytes_max = 32u << 10;
  options.loop.apply_bytes_max = 8u << 10;
  options.loop.cached_payload_bytes = 4u << 10;
  options.loop.log_bytes_kept = 16u << 10;
  options.loop.disk_free_bytes_min = 512u << 10;
  options.log.segment_bytes = 64u << 10;
  options.disk_bytes = 16u << 20;
  return options;
}

SimCluster::SimCluster(const SimClusterOptions& options)
    : random_(options.seed),
      trace_(&events_, options.trace),
      group_count_(options.node.loop.group_count),
      history_(group_count_, &trace_),
      network_(&events_, &random_, &history_, &trace_) {
  if (options.node.product_commands) history_.IgnoreCommands();
  const SimWorld world{&events_, &random_, &trace_, &history_, &network_};
  for (uint32_t i = 1; i <= kNodes; ++i) {
    nodes_.push_back(std::make_unique<SimNode>(NodeId(i), options.node, world));
  }
}

void SimCluster::StartAll() {
  for (auto& node : nodes_) {
    if (!node->up()) node->Start();
  }
}

bool SimCluster::RunUntil(const std::function<bool()>& done, Micros limit) {
  const Micros end = events_.now() + limit;
  while (!done()) {
    if (events_.now() >= end) return false;
    Run(50 * kMillisecond);
  }
  return true;
}

void SimCluster::Isolate(int i) {
  for (int j = 0; j < kNodes; ++j) {
    if (j == i) continue;
    network_.Block(node(i).id(), node(j).id());
    network_.Block(node(j).id(), node(i).id());
  }
}

void SimCluster::Rejoin(int i) {
  for (int j = 0; j < kNodes; ++j) {
    if (j == i) continue;
    network_.Unblock(node(i).id(), node(j).id());
    network_.Unblock(node(j).id(), node(i).id());
  }
}

int SimCluster::LeaderOf(GroupId group) {
  int leader = -1;
  Term term = 0;
  for (int i = 0; i < kNodes; ++i) {
    if (!node(i).up()) continue;
    const GroupReport report = node(i).ReportOf(group);
    if (report.leads && report.term > term) {
      leader = i;
      term = report.term;
    }
  }
  return leader;
}

bool SimCluster::AllServe() {
  for (uint32_t g = 0; g < group_count_; ++g) {
    const GroupId group(g);
    const int leader = LeaderOf(group);
    if (leader < 0) return false;
    for (auto& node : nodes_) {
      if (!node->up() || node->loop()->LeaderOf(group) != NodeId(leader + 1) ||
          node->ReportOf(group).recovering) {
        return false;
      }
    }
  }
  return true;
}

bool SimCluster::AllEqual() {
  if (!AllServe()) return false;
  for (uint32_t g = 0; g < group_count_; ++g) {
    const GroupId group(g);
    for (auto& node : nodes_) {
      if (node->state().Applied(group).index != history_.committed(group) ||
          node->ReportOf(group).commit_index != history_.committed(group)) {
        return false;
      }
    }
  }
  return true;
}

bool SimCluster::DiskMayBeLost(int except) {
  for (auto& other : nodes_) {
    if (!other->up()) return false;
  }
  for (uint32_t g = 0; g < group_count_; ++g) {
    const int leader = LeaderOf(GroupId(g));
    if (leader < 0) return false;
    const GroupReport report = node(leader).ReportOf(GroupId(g));
    if (report.recovering) return false;
    for (const GroupReport::Peer& peer : report.peers) {
      if (peer.recovering && peer.node != NodeId(except + 1)) return false;
    }
    for (auto& other : nodes_) {
      if (other->ReportOf(GroupId(g)).recovering) return false;
    }
  }
  return true;
}

void SimCluster::EndFaults() {
  trace_.Add("faults end");
  network_.Heal();
  for (auto& node : nodes_) {
    node->set_speeds({});
    node->EndFaults();
    if (!node->up()) node->Start();
  }
}

void SimCluster::HealAndCheck(Micros limit) {
  EndFaults();
  // The news travels, and every question asked before runs out: from now on
  // nothing may be full any more.
  Run(5 * kSecond);
  if (!RunUntil([this] { return AllEqual(); }, limit)) {
    std::string what = absl::StrCat("after ", limit / kSecond,
                                    " s without faults not all is well:");
    for (uint32_t g = 0; g < group_count_; ++g) {
      absl::StrAppend(&what, " group ", g, " (", history_.committed(GroupId(g)),
                      ")");
      for (auto& node : nodes_) {
        if (!node->up()) continue;
        const GroupReport report = node->ReportOf(GroupId(g));
        absl::StrAppend(&what, " [node ", node->id().value(), ": leader ",
                        report.leader.value(), " term ", report.term,
                        " commit ", report.commit_index, " applied ",
                        node->state().Applied(GroupId(g)).index,
                        report.recovering ? " recovering]" : "]");
      }
    }
    history_.Fail("heals", what);
  }
  for (auto& node : nodes_) node->state().CheckAll();
  history_.CheckTakenOrder();
}

}  // namespace trireme::sim
