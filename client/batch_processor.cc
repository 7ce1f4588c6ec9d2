#include "client/batch_processor.h"

#include <memory>
#include <utility>

#include "client/error.h"
#include "client/event_filter.h"
#include "client/shard_batches.h"
#include "client/status_macros.h"

namespace trireme::client {

absl::StatusOr<RecordProcessorFactory> MakeBatchProcessorFactory(
    const BatchOptions& options, BatchFunctionFactory functions) {
  CLIENT_RETURN_IF_ERROR(Validate(options));
  CLIENT_ASSIGN_OR_RETURN(EventFilter filter,
                          EventFilter::Parse(options.filters));
  if (!functions) {
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "InvalidArgumentException", "MakeBatchProcessorFactory",
                     "functions is not set; it must make a function");
  }
  return [options, filter = std::move(filter),
          functions = std::move(functions)](const ShardLease& lease) {
    return std::make_unique<ShardBatches>(options, filter, lease, functions);
  };
}

}  // namespace trireme::client
