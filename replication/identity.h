// A node's identity: the small file that says whose disk this is, and whether
// the cluster has been formed (docs/replication.md, "Forming a cluster").
#ifndef TRIREME_REPLICATION_IDENTITY_H_
#define TRIREME_REPLICATION_IDENTITY_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/file_system.h"
#include "storage/ids.h"

namespace trireme {

struct Identity {
  std::string cluster;
  NodeId node;
  uint32_t group_count = 0;
  // Of this disk: greater each time the node's disk is made anew.
  uint64_t incarnation = 0;

  bool formed = false;
  // This disk replaced one that had been a member: its groups recover from
  // their peers before they vote.
  bool rejoined = false;
  // The node has taken part: from here on its log holds a hard state of every
  // group, and its store was made. What is missing later was lost.
  bool started = false;
  // Once formed: the founding members and the incarnations of their disks.
  std::map<NodeId, uint64_t> founders;
};

// Reads `directory`/NODE, or makes a new, unformed identity there.
// `new_incarnation` is the time in Unix microseconds. FailedPrecondition when
// the file belongs to another cluster or node, or was made for another number
// of groups; DataLoss when it cannot be understood.
absl::StatusOr<Identity> LoadIdentity(FileSystem* file_system,
                                      const std::string& directory,
                                      const Identity& expected,
                                      uint64_t new_incarnation);
// Atomic and durable on return.
absl::Status SaveIdentity(FileSystem* file_system, const std::string& directory,
                          const Identity& identity);

}  // namespace trireme

#endif  // TRIREME_REPLICATION_IDENTITY_H_
