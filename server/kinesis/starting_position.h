// Where reading begins, in GetShardIterator and SubscribeToShard
// (kinesis-contract.md §1.1).
#ifndef TRIREME_SERVER_KINESIS_STARTING_POSITION_H_
#define TRIREME_SERVER_KINESIS_STARTING_POSITION_H_

#include "absl/strings/string_view.h"
#include "server/api.h"
#include "server/aws/shape.h"

namespace trireme {

// `name` has passed IteratorTypeShape.
ShardIteratorType IteratorTypeNamed(absl::string_view name);
Shape IteratorTypeShape();

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_STARTING_POSITION_H_
