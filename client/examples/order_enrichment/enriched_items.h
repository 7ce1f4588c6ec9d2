// The enriched items in a SQLite file. An item is known by where its record is
// in the stream, its primary key: a record that is given again is ignored, so
// what the consumer does at least once is in the file exactly once. Any
// thread; other processes may write to the same file.
#ifndef TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_ENRICHED_ITEMS_H_
#define TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_ENRICHED_ITEMS_H_

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/examples/order_enrichment/shop.h"
#include "client/user_record.h"

namespace trireme::examples {

struct EnrichedItem {
  std::string shard;
  client::RecordPosition position;
  std::string run;
  OrderItem item;
  Order order;
  std::string product_name;
  int64_t amount_cents = 0;
};

class EnrichedItems {
 public:
  // Makes the file and the table if they are missing.
  static absl::StatusOr<std::unique_ptr<EnrichedItems>> Open(
      const std::string& path);
  ~EnrichedItems();
  EnrichedItems(const EnrichedItems&) = delete;
  EnrichedItems& operator=(const EnrichedItems&) = delete;

  // All of them in one transaction, which is on disk when this returns. Tells
  // of each if it is new. Errors: none of them is written.
  absl::StatusOr<std::vector<bool>> Insert(
      const std::vector<EnrichedItem>& items);

  // What the items of a run cost, by country.
  absl::StatusOr<std::map<std::string, int64_t>> CentsByCountry(
      const std::string& run);

 private:
  explicit EnrichedItems(sqlite3* db) : db_(db) {}

  absl::Status Prepare();
  absl::Status Execute(const char* sql) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<bool> InsertOne(const EnrichedItem& item)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Error() const;

  absl::Mutex mu_;
  sqlite3* const db_;
  sqlite3_stmt* insert_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_ENRICHED_ITEMS_H_
