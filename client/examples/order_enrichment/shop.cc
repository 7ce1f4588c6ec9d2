#include "client/examples/order_enrichment/shop.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/examples/setup.h"
#include "client/producer.h"
#include "client/status_macros.h"

namespace trireme::examples {
namespace {

using Json = nlohmann::json;

constexpr int64_t kItemsPerOrder = 5;
constexpr int64_t kProducts = 1000;
constexpr const char* kCountries[] = {"BR", "DE", "JP", "KE", "US"};

std::string ProductId(int64_t number) { return absl::StrCat("p-", number); }
std::string OrderId(int64_t number) { return absl::StrCat("o-", number); }
int64_t PriceOf(int64_t product) { return 199 + product * 37 % 9000; }
std::string CountryOf(int64_t order) {
  return kCountries[static_cast<size_t>(order) % std::size(kCountries)];
}
int64_t OrderOf(int64_t item) { return item / kItemsPerOrder; }
int64_t ProductOf(int64_t item) { return item * 7 % kProducts; }
int64_t QuantityOf(int64_t item) { return 1 + item % 4; }

client::ProducerOptions OptionsOf(const std::string& stream) {
  client::ProducerOptions options;
  options.stream_name = stream;
  return options;
}

}  // namespace

int64_t Shop::orders() const {
  return (items_ + kItemsPerOrder - 1) / kItemsPerOrder;
}

OrderItem Shop::ItemOf(int64_t number) const {
  return {number, OrderId(OrderOf(number)), ProductId(ProductOf(number)),
          QuantityOf(number)};
}

absl::Status Shop::PutTables(client::Client& client,
                             const ShopStreams& streams) const {
  PutErrors errors;
  client::Producer products(client, OptionsOf(streams.products));
  for (int64_t i = 0; i < kProducts; ++i) {
    const Json product = {{"product", ProductId(i)},
                          {"name", absl::StrCat("Product ", i)},
                          {"price_cents", PriceOf(i)}};
    CLIENT_RETURN_IF_ERROR(
        products.Put({ProductId(i), product.dump()}, errors.Note()));
  }
  client::Producer order_table(client, OptionsOf(streams.orders));
  for (int64_t i = 0; i < orders(); ++i) {
    const Json order = {{"order", OrderId(i)},
                        {"customer", absl::StrCat("customer-", i % 977)},
                        {"country", CountryOf(i)}};
    CLIENT_RETURN_IF_ERROR(
        order_table.Put({OrderId(i), order.dump()}, errors.Note()));
  }
  products.Close();
  order_table.Close();
  return errors.first();
}

absl::Status Shop::PutItems(client::Client& client, const std::string& stream,
                            const std::string& run, int64_t rate) const {
  PutErrors errors;
  client::Producer producer(client, OptionsOf(stream));
  const absl::Time start = absl::Now();
  for (int64_t i = 0; i < items_; ++i) {
    if (rate > 0) {
      const absl::Duration early =
          start + absl::Seconds(1) * i / rate - absl::Now();
      // Not for each: a sleep is longer than it is told to be.
      if (early > absl::Milliseconds(1) &&
          !client.cancellation().WaitFor(early)) {
        return absl::CancelledError("cancelled");
      }
    }
    const OrderItem item = ItemOf(i);
    const Json json = {{"run", run},
                       {"item", item.item},
                       {"order", item.order},
                       {"product", item.product},
                       {"quantity", item.quantity},
                       {"put_at_ns", absl::GetCurrentTimeNanos()}};
    CLIENT_RETURN_IF_ERROR(
        producer.Put({item.order, json.dump()}, errors.Note()));
  }
  producer.Close();
  return errors.first();
}

std::map<std::string, int64_t> Shop::CentsByCountry() const {
  std::map<std::string, int64_t> cents;
  for (int64_t i = 0; i < items_; ++i) {
    cents[CountryOf(OrderOf(i))] += QuantityOf(i) * PriceOf(ProductOf(i));
  }
  return cents;
}

}  // namespace trireme::examples
