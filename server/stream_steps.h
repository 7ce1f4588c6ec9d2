// What has to happen, in commands to replication groups, before a stream
// leaves the state it is in (docs/decisions/0005). Pure functions: whoever
// drives a stream finds the same steps in its row, again and again.
#ifndef TRIREME_SERVER_STREAM_STEPS_H_
#define TRIREME_SERVER_STREAM_STEPS_H_

#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/catalog.h"
#include "storage/ids.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

// Commands that may run together, one a group.
using StreamStep = absl::btree_map<GroupId, v1::Command>;
// Where sealed shards end.
using ShardEnds = absl::btree_map<ShardIndex, Counter>;

// True when the stream is on its way to another state.
bool IsMoving(const Stream& stream);

// The command that takes expired shards out of the stream, if there are any.
// `now` is a hint: the meta group goes by its own stamp.
std::optional<v1::Command> ForgetExpired(const Stream& stream, absl::Time now);

// The steps to take one after the other; each changes nothing when it is
// repeated. Their replies matter when they seal shards.
//   CREATING: open its shards.
//   UPDATING: open the children of its reshards; seal the parents. Or tell
//     its groups of its retention.
//     Or nothing, for what takes effect with the end of the state alone, as
//     encryption does.
//   DELETING: drop all its shards.
//   ACTIVE: drop the shards that were forgotten.
std::vector<StreamStep> StepsOf(const Stream& stream);

// The command to the meta group that ends the state, once the steps are done.
// `ends`: of all shards they sealed.
v1::Command FinishOf(const Stream& stream, const ShardEnds& ends);

// For the log: what FinishOf makes of the stream, e.g. "active".
absl::string_view FinishedName(const Stream& stream);

}  // namespace trireme

#endif  // TRIREME_SERVER_STREAM_STEPS_H_
