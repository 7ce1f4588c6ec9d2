// The shapes that members of several operations share (kinesis-contract.md
// §1.1).
#ifndef TRIREME_SERVER_KINESIS_SHAPES_H_
#define TRIREME_SERVER_KINESIS_SHAPES_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "server/aws/shape.h"

namespace trireme {

// Java's Integer.
inline constexpr int64_t kIntegerMax = std::numeric_limits<int32_t>::max();

// Of streams, shards and consumers.
Shape ResourceNameShape();
Shape ArnShape();
Shape StreamIdShape();
Shape HashKeyShape();
Shape SequenceNumberShape();
// Limit and MaxResults of lists.
Shape ListLimitShape();
Shape NextTokenShape();
Shape TagMapShape();
Shape TagKeysShape();
Shape StreamModeDetailsShape();
Shape RecordDistributionShape();
Shape BytesOfRecordShape();
Shape PartitionKeyShape();

// A request with StreamName, StreamARN and StreamId after `members`.
Shape OfStream(std::vector<ShapeMember> members = {});
// A request that names its stream by StreamARN only, which must be there.
Shape OfStreamArn(std::vector<ShapeMember> members = {});
// A request with ResourceARN after `members`.
Shape OfResource(std::vector<ShapeMember> members = {});

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_SHAPES_H_
