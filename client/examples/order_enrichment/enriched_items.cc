#include "client/examples/order_enrichment/enriched_items.h"

#include "absl/strings/str_cat.h"
#include "client/status_macros.h"

namespace trireme::examples {
namespace {

// FULL: a commit is on disk. Checkpoints come behind commits, so a commit that
// a power failure takes back would be a lost item.
constexpr char kSchema[] = R"sql(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS order_items (
    shard TEXT, sequence_number TEXT, sub_sequence_number INTEGER,
    run TEXT, item INTEGER, order_id TEXT, customer TEXT, country TEXT,
    product_id TEXT, product TEXT, quantity INTEGER, amount_cents INTEGER,
    PRIMARY KEY (shard, sequence_number, sub_sequence_number)
  ) WITHOUT ROWID;
)sql";
constexpr char kInsert[] =
    "INSERT OR IGNORE INTO order_items VALUES (?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr char kSums[] =
    "SELECT country, SUM(amount_cents) FROM order_items WHERE run = ? "
    "GROUP BY country";
constexpr int kBusyTimeoutMs = 10'000;  // While another process writes.

void Bind(sqlite3_stmt* statement, int place, const std::string& text) {
  sqlite3_bind_text(statement, place, text.data(),
                    static_cast<int>(text.size()), SQLITE_STATIC);
}

}  // namespace

absl::StatusOr<std::unique_ptr<EnrichedItems>> EnrichedItems::Open(
    const std::string& path) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open(path.c_str(), &db);
  std::unique_ptr<EnrichedItems> items(new EnrichedItems(db));
  if (code != SQLITE_OK) return items->Error();
  sqlite3_busy_timeout(db, kBusyTimeoutMs);
  CLIENT_RETURN_IF_ERROR(items->Prepare());
  return items;
}

EnrichedItems::~EnrichedItems() {
  absl::MutexLock lock(&mu_);
  sqlite3_finalize(insert_);
  sqlite3_close(db_);
}

absl::Status EnrichedItems::Prepare() {
  absl::MutexLock lock(&mu_);
  CLIENT_RETURN_IF_ERROR(Execute(kSchema));
  return sqlite3_prepare_v2(db_, kInsert, -1, &insert_, nullptr) == SQLITE_OK
             ? absl::OkStatus()
             : Error();
}

absl::StatusOr<std::vector<bool>> EnrichedItems::Insert(
    const std::vector<EnrichedItem>& items) {
  std::vector<bool> are_new;
  absl::MutexLock lock(&mu_);
  CLIENT_RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
  absl::Status status;
  for (const EnrichedItem& item : items) {
    const absl::StatusOr<bool> is_new = InsertOne(item);
    if (!is_new.ok()) status = is_new.status();
    if (!status.ok()) break;
    are_new.push_back(*is_new);
  }
  if (status.ok()) status = Execute("COMMIT");
  if (status.ok()) return are_new;
  (void)Execute("ROLLBACK");  // The first error tells more than its own.
  return status;
}

absl::StatusOr<bool> EnrichedItems::InsertOne(const EnrichedItem& item) {
  Bind(insert_, 1, item.shard);
  Bind(insert_, 2, item.position.sequence_number);
  sqlite3_bind_int64(insert_, 3,
                     static_cast<int64_t>(item.position.sub_sequence_number));
  Bind(insert_, 4, item.run);
  sqlite3_bind_int64(insert_, 5, item.item.item);
  Bind(insert_, 6, item.item.order);
  Bind(insert_, 7, item.order.customer);
  Bind(insert_, 8, item.order.country);
  Bind(insert_, 9, item.item.product);
  Bind(insert_, 10, item.product_name);
  sqlite3_bind_int64(insert_, 11, item.item.quantity);
  sqlite3_bind_int64(insert_, 12, item.amount_cents);
  const bool done = sqlite3_step(insert_) == SQLITE_DONE;
  const absl::Status error = done ? absl::OkStatus() : Error();
  sqlite3_reset(insert_);
  if (!done) return error;
  return sqlite3_changes(db_) == 1;
}

absl::StatusOr<std::map<std::string, int64_t>> EnrichedItems::CentsByCountry(
    const std::string& run) {
  absl::MutexLock lock(&mu_);
  sqlite3_stmt* sums = nullptr;
  if (sqlite3_prepare_v2(db_, kSums, -1, &sums, nullptr) != SQLITE_OK) {
    return Error();
  }
  Bind(sums, 1, run);
  std::map<std::string, int64_t> cents;
  int code = sqlite3_step(sums);
  for (; code == SQLITE_ROW; code = sqlite3_step(sums)) {
    const auto* const country =
        reinterpret_cast<const char*>(sqlite3_column_text(sums, 0));
    cents[country] = sqlite3_column_int64(sums, 1);
  }
  const absl::Status status = code == SQLITE_DONE ? absl::OkStatus() : Error();
  sqlite3_finalize(sums);
  if (!status.ok()) return status;
  return cents;
}

absl::Status EnrichedItems::Execute(const char* sql) {
  return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK
             ? absl::OkStatus()
             : Error();
}

absl::Status EnrichedItems::Error() const {
  return absl::UnavailableError(absl::StrCat("SQLite: ", sqlite3_errmsg(db_)));
}

}  // namespace trireme::examples
