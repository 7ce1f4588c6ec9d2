// What becomes of aggregates after a reshard, when their members no longer
// belong to one shard.
#ifndef TRIREME_CLIENT_REGROUP_H_
#define TRIREME_CLIENT_REGROUP_H_

#include <deque>

#include "client/container.h"
#include "client/hash_key.h"
#include "client/number_window.h"
#include "client/outcomes.h"
#include "client/producer_options.h"
#include "client/shard_map.h"

namespace trireme::client {

// Of one that was not written: what to send in its place. The first part has
// its number, the others have none.
std::deque<Container> Regroup(Container container, const ShardMap& shards,
                              const AggregationOptions& limits);

// Of one that was written to another shard than it was made for, whose range
// that is. If all members belong there they get their outcome. Else readers
// leave all of them out, and all are returned to be sent, without numbers. They
// get an error when the first one does not belong there: then the stream does
// not go by hash keys.
std::deque<Container> SplitMisplaced(Container container,
                                     const HashKeyRange& range,
                                     const ShardMap& shards,
                                     const AggregationOptions& limits,
                                     Outcomes& outcomes);

// Gives numbers to those that have none and are placed. When there are not
// enough, those in front get the numbers of ones behind that were never
// written; if none has any to give, what was sent before goes first, whose
// numbers the others wait for.
void GiveNumbers(std::deque<Container>& queue, NumberWindow& numbers);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_REGROUP_H_
