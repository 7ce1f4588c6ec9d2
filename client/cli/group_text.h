// What a consumer group looks like: to people as tables, to programs as JSON.
#ifndef TRIREME_CLIENT_CLI_GROUP_TEXT_H_
#define TRIREME_CLIENT_CLI_GROUP_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>

#include "client/cli/format.h"
#include "trireme/v1/consumer_groups.pb.h"

namespace trireme::cli {

// What is shown of a group.
struct GroupPicture {
  bool boxed = false;
  bool ended_shards = false;  // Those that are read to their ends, too.
  bool bars = false;          // Of how far shards are behind; worst first.
  size_t leases_max = SIZE_MAX;
};

// A line that sums the group up, its settings, its workers and its leases.
void PrintGroup(const v1::DescribeConsumerGroupResponse& group,
                const GroupPicture& picture, std::ostream& out);
Json GroupJson(const v1::DescribeConsumerGroupResponse& group);

// "TRIM_HORIZON" or a time.
std::string StartText(const v1::StartingPosition& from);
// "TRIM_HORIZON", "…001234567890/3", "end".
std::string CheckpointText(const v1::ShardPosition& position);
// "0", "340 ms", "3.2 s"; "-": nobody can say.
std::string BehindText(const v1::LeaseDescription& lease);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_GROUP_TEXT_H_
