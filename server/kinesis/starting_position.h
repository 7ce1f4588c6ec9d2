// Where reading begins, in GetShardIterator and SubscribeToShard
// (kinesis-contract.md §1.1).
#ifndef TRIREME_SERVER_KINESIS_STARTING_POSITION_H_
#define TRIREME_SERVER_KINESIS_STARTING_POSITION_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/api.h"
#include "server/aws/shape.h"

namespace trireme {

Shape IteratorTypeShape();
// `type` has passed IteratorTypeShape. A time means something of AT_TIMESTAMP
// only; of the other types it is ignored.
StartingPosition PositionOf(absl::string_view type,
                            absl::string_view sequence_number,
                            std::optional<absl::Time> timestamp);

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_STARTING_POSITION_H_
