// A shop that is made up, so that the right answer is known: its products, its
// orders, and the items of the orders.
#ifndef TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_SHOP_H_
#define TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_SHOP_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "client/client.h"

namespace trireme::examples {

struct ShopStreams {
  std::string items = "shop-items";
  std::string orders = "shop-orders";
  std::string products = "shop-products";
};

// {"product", "name", "price_cents"}, keyed by product.
struct Product {
  std::string name;
  int64_t price_cents = 0;
};
// {"order", "customer", "country"}, keyed by order.
struct Order {
  std::string customer;
  std::string country;
};
// {"run", "item", "order", "product", "quantity", "put_at_ns"}, keyed by order:
// the items of an order are of one shard and in order.
struct OrderItem {
  int64_t item = 0;
  std::string order;
  std::string product;
  int64_t quantity = 0;
};

class Shop {
 public:
  explicit Shop(int64_t items) : items_(items) {}

  // The tables that items are looked up in. The same in each run, so that what
  // earlier runs put does no harm.
  absl::Status PutTables(client::Client& client,
                         const ShopStreams& streams) const;
  // All items, with the time in each; `rate` a second, 0: as fast as it goes.
  absl::Status PutItems(client::Client& client, const std::string& stream,
                        const std::string& run, int64_t rate) const;

  // What all items cost, by the country of the order.
  std::map<std::string, int64_t> CentsByCountry() const;

 private:
  int64_t orders() const;
  OrderItem ItemOf(int64_t number) const;

  const int64_t items_;
};

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_SHOP_H_
