#include "client/examples/order_enrichment/lookup_tables.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "client/shard_reader.h"
#include "client/status_macros.h"
#include "client/unpack.h"

namespace trireme::examples {
namespace {

using Json = nlohmann::json;

absl::Status ReadAll(client::Client& client, const std::string& stream,
                     absl::FunctionRef<void(const Json& row)> take) {
  CLIENT_ASSIGN_OR_RETURN(const auto shards, client.ListShards(stream));
  for (const v1::Shard& shard : shards) {
    const auto range = client::ParseHashKeyRange(shard.hash_key_range());
    client::ShardReader reader(client, stream, shard.shard_id(),
                               client::FromTrimHorizon());
    while (!reader.at_end() && !reader.caught_up()) {
      CLIENT_ASSIGN_OR_RETURN(v1::GetRecordsResponse page, reader.Next());
      for (v1::Record& record : *page.mutable_records()) {
        std::vector<client::UserRecord> rows;
        CLIENT_RETURN_IF_ERROR(client::Unpack(
            std::move(record), range.has_value() ? &*range : nullptr, &rows));
        for (const client::UserRecord& row : rows) {
          take(Json::parse(row.data, nullptr, /*allow_exceptions=*/false));
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LookupTables> LoadTables(client::Client& client,
                                        const ShopStreams& streams) {
  LookupTables tables;
  CLIENT_RETURN_IF_ERROR(
      ReadAll(client, streams.products, [&](const Json& row) {
        if (!row.is_object() || !row.contains("product")) return;
        tables.products[row["product"].get<std::string>()] = {
            row.value("name", ""), row.value("price_cents", int64_t{0})};
      }));
  CLIENT_RETURN_IF_ERROR(ReadAll(client, streams.orders, [&](const Json& row) {
    if (!row.is_object() || !row.contains("order")) return;
    tables.orders[row["order"].get<std::string>()] = {row.value("customer", ""),
                                                      row.value("country", "")};
  }));
  return tables;
}

}  // namespace trireme::examples
