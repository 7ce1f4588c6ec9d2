#include "server/kinesis/starting_position.h"

#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
ShardIteratorType IteratorTypeNamed(absl::string_view name) {
  if (name == "AT_SEQUENCE_NUMBER") return ShardIteratorType::kAtSequenceNumber;
  if (name == "AFTER_SEQUENCE_NUMBER") {
    return ShardIteratorType::kAfterSequenceNumber;
  }
  if (name == "TRIM_HORIZON") return ShardIteratorType::kTrimHorizon;
  if (name == "AT_TIMESTAMP") return ShardIteratorType::kAtTimestamp;
  return ShardIteratorType::kLatest;
}

Shape IteratorTypeShape() {
  return String().Required().OneOf({"AFTER_SEQUENCE_NUMBER", "LATEST",
                                    "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER",
                                    "TRIM_HORIZON"});
}

}  // namespace trireme
