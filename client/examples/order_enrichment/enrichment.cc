#include "client/examples/order_enrichment/enrichment.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace trireme::examples {
namespace {

using Json = nlohmann::json;

// An order or product that is not known stays empty, so that the item is not
// lost; what is missing can be found in the table.
EnrichedItem Enrich(const LookupTables& tables, const Json& json) {
  EnrichedItem enriched;
  enriched.run = json.value("run", "");
  OrderItem& item = enriched.item;
  item = {json.value("item", int64_t{0}), json.value("order", ""),
          json.value("product", ""), json.value("quantity", int64_t{0})};
  if (const auto order = tables.orders.find(item.order);
      order != tables.orders.end()) {
    enriched.order = order->second;
  }
  if (const auto product = tables.products.find(item.product);
      product != tables.products.end()) {
    enriched.product_name = product->second.name;
    enriched.amount_cents = item.quantity * product->second.price_cents;
  }
  return enriched;
}

}  // namespace

client::BatchResult Enrichment::Handle(const client::Batch& batch) {
  std::vector<EnrichedItem> enriched;
  std::vector<int64_t> put_at_ns;
  for (const client::UserRecord& record : batch.records) {
    // The filter lets only objects through.
    const Json json = Json::parse(record.data);
    EnrichedItem item = Enrich(tables_, json);
    item.shard = std::string(batch.shard_id);
    item.position = record.position;
    enriched.push_back(std::move(item));
    put_at_ns.push_back(json.value("put_at_ns", int64_t{0}));
  }
  client::BatchResult result;
  const absl::StatusOr<std::vector<bool>> are_new = items_.Insert(enriched);
  if (!are_new.ok()) {
    result.status = are_new.status();
    return result;
  }
  std::vector<int64_t> new_put_at_ns;
  for (size_t i = 0; i < put_at_ns.size(); ++i) {
    if ((*are_new)[i]) new_put_at_ns.push_back(put_at_ns[i]);
  }
  latencies_.Add(new_put_at_ns, put_at_ns.size() - new_put_at_ns.size());
  return result;
}

}  // namespace trireme::examples
