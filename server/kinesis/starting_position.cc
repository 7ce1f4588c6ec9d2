#include "server/kinesis/starting_position.h"

#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

ShardIteratorType TypeNamed(absl::string_view name) {
  if (name == "AT_SEQUENCE_NUMBER") return ShardIteratorType::kAtSequenceNumber;
  if (name == "AFTER_SEQUENCE_NUMBER") {
    return ShardIteratorType::kAfterSequenceNumber;
  }
  if (name == "TRIM_HORIZON") return ShardIteratorType::kTrimHorizon;
  if (name == "AT_TIMESTAMP") return ShardIteratorType::kAtTimestamp;
  return ShardIteratorType::kLatest;
}

}  // namespace

Shape IteratorTypeShape() {
  return String().Required().OneOf({"AFTER_SEQUENCE_NUMBER", "LATEST",
                                    "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER",
                                    "TRIM_HORIZON"});
}

StartingPosition PositionOf(absl::string_view type,
                            absl::string_view sequence_number,
                            std::optional<absl::Time> timestamp) {
  StartingPosition position{TypeNamed(type), sequence_number, std::nullopt};
  if (position.type == ShardIteratorType::kAtTimestamp) {
    position.timestamp = timestamp;
  }
  return position;
}

}  // namespace trireme
