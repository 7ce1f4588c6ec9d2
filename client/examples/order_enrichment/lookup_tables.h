// The products and orders that items are looked up in, as their streams have
// them: the last record of a key counts. Loaded once; then any thread.
#ifndef TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_LOOKUP_TABLES_H_
#define TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_LOOKUP_TABLES_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "client/client.h"
#include "client/examples/order_enrichment/shop.h"

namespace trireme::examples {

struct LookupTables {
  absl::flat_hash_map<std::string, Product> products;  // By id.
  absl::flat_hash_map<std::string, Order> orders;
};

// Reads both streams from their beginnings to where they end now.
absl::StatusOr<LookupTables> LoadTables(client::Client& client,
                                        const ShopStreams& streams);

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_LOOKUP_TABLES_H_
