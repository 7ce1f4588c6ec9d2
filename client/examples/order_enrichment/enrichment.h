// Looks up the order and the product of each item of a batch, and writes the
// batch to SQLite in one transaction. What it returned OK for is checkpointed
// by the batch processor; a batch that failed is given again.
#ifndef TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_ENRICHMENT_H_
#define TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_ENRICHMENT_H_

#include "client/batch_function.h"
#include "client/examples/order_enrichment/commit_latencies.h"
#include "client/examples/order_enrichment/enriched_items.h"
#include "client/examples/order_enrichment/lookup_tables.h"

namespace trireme::examples {

class Enrichment : public client::BatchFunction {
 public:
  // All of them must outlive it.
  Enrichment(const LookupTables& tables, EnrichedItems& items,
             CommitLatencies& latencies)
      : tables_(tables), items_(items), latencies_(latencies) {}

  client::BatchResult Handle(const client::Batch& batch) override;

 private:
  const LookupTables& tables_;
  EnrichedItems& items_;
  CommitLatencies& latencies_;
};

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_ENRICHMENT_H_
