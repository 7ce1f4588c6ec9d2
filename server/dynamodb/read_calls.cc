// GetItem, BatchGetItem, TransactGetItems.
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/calls.h"
#include "server/dynamodb/document.h"
#include "server/dynamodb/item_bytes.h"
#include "server/dynamodb/item_keys.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/projection.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr size_t kBatchMax = 100;
constexpr size_t kBatchBytesMax = 16u << 20;

// One item that a request asks for, and what of it.
struct PlannedRead {
  TablePtr table;
  std::string key;
  std::vector<Path> paths;  // Empty: all of it.
};

absl::StatusOr<std::string> KeyIn(const Json& key, const Table& table) {
  ASSIGN_OR_RETURN(const Item item, ParseItem(key));
  return KeyBytes(table, item);
}

// Of GetItem, and of each part of TransactGetItems: TableName, Key.
absl::StatusOr<PlannedRead> ParseRead(const TableReader& reader,
                                      const Json& request) {
  PlannedRead read;
  ASSIGN_OR_RETURN(read.paths, ParseProjectionOf(request));
  ASSIGN_OR_RETURN(read.table, reader.FindNamedIn(request));
  ASSIGN_OR_RETURN(const Json* const key, ObjectField(request, "Key"));
  if (key == nullptr) {
    return ValidationError(
        "1 validation error detected: Value null at 'key' failed to satisfy "
        "constraint: Member must not be null");
  }
  ASSIGN_OR_RETURN(read.key, KeyIn(*key, *read.table));
  return read;
}

// The items as they are at one moment; nothing for one that is not there.
absl::StatusOr<std::vector<std::optional<Item>>> ReadAll(
    const TableReader& reader, const std::vector<PlannedRead>& reads) {
  std::vector<std::pair<TableNumber, std::string>> wanted;
  for (const PlannedRead& read : reads) {
    wanted.emplace_back(read.table->found.number, read.key);
  }
  const auto stored = reader.tables().GetAll(wanted);
  std::vector<std::optional<Item>> items(reads.size());
  for (size_t i = 0; i < reads.size(); ++i) {
    if (!stored[i].has_value()) continue;
    ASSIGN_OR_RETURN(Item item, DecodeItem(*stored[i]->bytes));
    items[i] = reads[i].paths.empty() ? std::move(item)
                                      : Project(item, reads[i].paths);
  }
  return items;
}

// What BatchGetItem asks of one table.
absl::StatusOr<std::vector<PlannedRead>> ParseBatchOf(const TableReader& reader,
                                                      const std::string& name,
                                                      const Json& request) {
  PlannedRead read;
  ASSIGN_OR_RETURN(read.paths, ParseProjectionOf(request));
  ASSIGN_OR_RETURN(const std::string table_name, ParseTableName(name));
  ASSIGN_OR_RETURN(read.table, reader.Find(table_name));
  ASSIGN_OR_RETURN(const Json* const keys, ArrayField(request, "Keys"));
  std::vector<PlannedRead> reads;
  std::set<std::string> named;
  for (const Json& key : keys == nullptr ? Json::array() : *keys) {
    ASSIGN_OR_RETURN(read.key, KeyIn(key, *read.table));
    if (!named.insert(read.key).second) {
      return ValidationError("Provided list of item keys contains duplicates");
    }
    reads.push_back(read);
  }
  return reads;
}

// Adds the items to the reply; the keys of those for which there is no room.
absl::Status ReadBatch(const TableReader& reader, const std::string& name,
                       const Json& request, size_t* bytes, Json* reply) {
  ASSIGN_OR_RETURN(const std::vector<PlannedRead> reads,
                   ParseBatchOf(reader, name, request));
  ASSIGN_OR_RETURN(const auto items, ReadAll(reader, reads));
  Json found = Json::array();
  Json left = Json::array();
  for (size_t i = 0; i < items.size(); ++i) {
    if (*bytes > kBatchBytesMax) {
      left.push_back(request["Keys"][i]);
    } else if (items[i].has_value()) {
      *bytes += StoredBytes(*items[i]);
      found.push_back(ToJson(*items[i]));
    }
  }
  (*reply)["Responses"][name] = std::move(found);
  if (left.empty()) return absl::OkStatus();
  Json unprocessed = request;
  unprocessed["Keys"] = std::move(left);
  (*reply)["UnprocessedKeys"][name] = std::move(unprocessed);
  return absl::OkStatus();
}

size_t CountKeys(const Json& tables) {
  size_t count = 0;
  for (const Json& table : tables) {
    const absl::StatusOr<const Json*> keys = ArrayField(table, "Keys");
    if (keys.ok() && *keys != nullptr) count += (*keys)->size();
  }
  return count;
}

}  // namespace

Replied GetItem(const TableReader& reader, const Json& request) {
  ASSIGN_OR_RETURN(const PlannedRead read, ParseRead(reader, request));
  ASSIGN_OR_RETURN(const auto items, ReadAll(reader, {read}));
  Json reply = Json::object();
  if (items[0].has_value()) reply["Item"] = ToJson(*items[0]);
  if (WantsCapacity(request)) {
    reply["ConsumedCapacity"] = ConsumedCapacity(read.table->name());
  }
  return reply;
}

Replied BatchGetItem(const TableReader& reader, const Json& request) {
  ASSIGN_OR_RETURN(const Json* const tables,
                   ObjectField(request, "RequestItems"));
  const size_t count = tables == nullptr ? 0 : CountKeys(*tables);
  if (count > kBatchMax) {
    return ValidationError(
        "Too many items requested for the BatchGetItem call");
  }
  if (count == 0) {
    return ValidationError(
        "1 validation error detected: Value '{}' at 'requestItems' failed to "
        "satisfy constraint: Member must have length greater than or equal to "
        "1");
  }
  Json reply = {{"Responses", Json::object()},
                {"UnprocessedKeys", Json::object()}};
  if (WantsCapacity(request)) reply["ConsumedCapacity"] = Json::array();
  size_t bytes = 0;
  for (const auto& [name, asked] : tables->items()) {
    RETURN_IF_ERROR(ReadBatch(reader, name, asked, &bytes, &reply));
    if (WantsCapacity(request)) {
      reply["ConsumedCapacity"].push_back(ConsumedCapacity(name));
    }
  }
  return reply;
}

Replied TransactGetItems(const TableReader& reader, const Json& request) {
  ASSIGN_OR_RETURN(const Json* const items,
                   ArrayField(request, "TransactItems"));
  const size_t count = items == nullptr ? 0 : items->size();
  if (count < 1 || count > kBatchMax) {
    return ValidationError(absl::StrCat(
        "1 validation error detected: Value at 'transactItems' failed to "
        "satisfy constraint: Member must have length between 1 and ",
        kBatchMax, "; it has ", count));
  }
  std::vector<PlannedRead> reads;
  for (const Json& part : *items) {
    ASSIGN_OR_RETURN(const Json* const get, ObjectField(part, "Get"));
    if (get == nullptr) {
      return ValidationError("TransactItems can only contain Get");
    }
    ASSIGN_OR_RETURN(PlannedRead read, ParseRead(reader, *get));
    reads.push_back(std::move(read));
  }
  ASSIGN_OR_RETURN(const auto found, ReadAll(reader, reads));
  Json responses = Json::array();
  for (const std::optional<Item>& item : found) {
    Json response = Json::object();
    if (item.has_value()) response["Item"] = ToJson(*item);
    responses.push_back(std::move(response));
  }
  Json reply = {{"Responses", std::move(responses)}};
  return reply;
}

}  // namespace trireme::dynamodb
