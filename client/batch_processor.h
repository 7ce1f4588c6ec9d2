// Batches of records with the semantics of stream functions, on top of a
// consumer group's record processors: batch size and window, retries,
// bisecting, partial failures, discarding to a failure destination, parallel
// batches, filters, tumbling windows. docs/batch-processing.md explains them;
// the settings are in client/batch_options.h.
#ifndef TRIREME_CLIENT_BATCH_PROCESSOR_H_
#define TRIREME_CLIENT_BATCH_PROCESSOR_H_

#include "absl/status/statusor.h"
#include "client/batch_function.h"
#include "client/batch_options.h"
#include "client/record_processor.h"

namespace trireme::client {

// The processors call the functions that `functions` makes for each lease: on
// the shard's thread, or with a parallelization factor on that many threads,
// one function each. They checkpoint what is done and nothing else.
// Errors: InvalidArgument (InvalidArgumentException) naming the option or the
// place in a filter, its value and what it may be.
absl::StatusOr<RecordProcessorFactory> MakeBatchProcessorFactory(
    const BatchOptions& options, BatchFunctionFactory functions);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_BATCH_PROCESSOR_H_
