// What a node knows of itself and its groups; sent to its peers about once a
// second, so that every node can show the whole cluster.
#ifndef TRIREME_REPLICATION_NODE_REPORT_H_
#define TRIREME_REPLICATION_NODE_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "storage/ids.h"

namespace trireme {

struct GroupReport {
  struct Peer {
    NodeId node;
    LogIndex match = 0;  // Entries the leader knows to be on its disk.
    bool recovering = false;
  };
  GroupId group;
  NodeId leader;  // Value 0: not known.
  Term term = 0;
  LogIndex commit_index = 0;
  LogIndex applied_index = 0;
  bool leads = false;
  bool recovering = false;
  std::vector<Peer> peers;  // Of a leader: all replicas, itself included.
};

struct NodeReport {
  NodeId node;
  std::string zone;
  std::string client_address;  // HOST:PORT where clients reach it.
  std::string version;
  absl::Duration uptime;
  uint64_t disk_free_bytes = 0;
  uint64_t disk_used_bytes = 0;
  absl::Duration log_write_time;    // Of one batch, of late.
  bool draining = false;            // About to stop: it is to lead nothing.
  std::vector<GroupReport> groups;  // By group id.
};

// A report and its age; age 0 for the node that was asked.
struct KnownNode {
  NodeReport report;
  absl::Duration age;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_NODE_REPORT_H_
