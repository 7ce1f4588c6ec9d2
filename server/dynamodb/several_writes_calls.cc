// BatchWriteItem and TransactWriteItems.
#include <array>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/calls.h"
#include "server/dynamodb/item_writer.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/planned_write.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr size_t kBatchMax = 25;
constexpr size_t kTransactionMax = 100;
// What goes into one entry of the log.
constexpr size_t kTransactionBytesMax = 4u << 20;

size_t BytesOf(const std::vector<PlannedWrite>& writes) {
  size_t bytes = 0;
  for (const PlannedWrite& write : writes) bytes += StoredBytes(write.item);
  return bytes;
}

std::set<std::string> TableNames(const std::vector<PlannedWrite>& writes) {
  std::set<std::string> names;
  for (const PlannedWrite& write : writes) names.insert(write.table_name);
  return names;
}

Json CapacityOf(const std::set<std::string>& tables) {
  Json list = Json::array();
  for (const std::string& name : tables) list.push_back(ConsumedCapacity(name));
  return list;
}

// --- BatchWriteItem ---

absl::StatusOr<PlannedWrite> ParseBatched(const std::string& table,
                                          const Json& json) {
  ASSIGN_OR_RETURN(const Json* const put, ObjectField(json, "PutRequest"));
  ASSIGN_OR_RETURN(const Json* const remove,
                   ObjectField(json, "DeleteRequest"));
  if ((put == nullptr) == (remove == nullptr)) {
    return ValidationError(
        "Supplied AttributeValue has more than one datatypes set, must contain "
        "exactly one of the supported datatypes");
  }
  Json request = put != nullptr ? *put : *remove;
  request["TableName"] = table;
  return ParseWrite(
      put != nullptr ? PlannedWrite::Kind::kPut : PlannedWrite::Kind::kDelete,
      request);
}

absl::StatusOr<std::vector<PlannedWrite>> ParseBatch(const Json& request) {
  ASSIGN_OR_RETURN(const Json* const items,
                   ObjectField(request, "RequestItems"));
  std::vector<PlannedWrite> writes;
  if (items != nullptr) {
    for (const auto& [table, list] : items->items()) {
      if (!list.is_array()) {
        return SerializationError("Unexpected value where a list was expected");
      }
      for (const Json& json : list) {
        ASSIGN_OR_RETURN(PlannedWrite write, ParseBatched(table, json));
        writes.push_back(std::move(write));
      }
    }
  }
  if (!writes.empty() && writes.size() <= kBatchMax) return writes;
  return ValidationError(absl::StrCat(
      "1 validation error detected: Value at 'requestItems' failed to satisfy "
      "constraint: Member must have between 1 and ",
      kBatchMax, " write requests; it has ", writes.size()));
}

// A batch as pieces that fit into an entry, written one after another.
struct Batch {
  Broker* broker = nullptr;
  absl::Duration deadline;
  std::vector<std::vector<PlannedWrite>> pieces;  // The last is the next.
  Json body;
  AnswerDone done;
};

void WritePieces(std::shared_ptr<Batch> batch) {
  if (batch->pieces.empty()) return batch->done(OkAnswer(batch->body));
  std::vector<PlannedWrite> piece = std::move(batch->pieces.back());
  batch->pieces.pop_back();
  Broker* const broker = batch->broker;
  const absl::Duration left = batch->deadline - broker->clock()->MonotonicNow();
  ItemWriter::Start(broker, std::move(piece), left,
                    [batch](absl::StatusOr<ItemWriter::Outcomes> outcomes) {
                      if (!outcomes.ok()) {
                        return batch->done(ErrorAnswer(outcomes.status()));
                      }
                      WritePieces(batch);
                    });
}

std::vector<std::vector<PlannedWrite>> CutPieces(
    std::vector<PlannedWrite> writes) {
  std::vector<std::vector<PlannedWrite>> pieces(1);
  for (PlannedWrite& write : writes) {
    const size_t bytes = BytesOf(pieces.back()) + StoredBytes(write.item);
    if (bytes > kTransactionBytesMax) pieces.emplace_back();
    pieces.back().push_back(std::move(write));
  }
  return pieces;
}

// Items that are named twice, whatever their keys are made of.
absl::Status CheckDistinct(Broker* broker,
                           const std::vector<PlannedWrite>& writes) {
  std::set<std::pair<std::string, std::string>> named;
  for (const PlannedWrite& write : writes) {
    // An unknown table, or a malformed key, is found out later.
    const auto table = TableReader(broker).Find(write.table_name);
    if (!table.ok()) continue;
    const auto key = KeyBytesOf(write, **table);
    if (key.ok() && !named.emplace(write.table_name, *key).second) {
      return ValidationError("Provided list of item keys contains duplicates");
    }
  }
  return absl::OkStatus();
}

// --- TransactWriteItems ---

struct PartName {
  const char* member;
  PlannedWrite::Kind kind;
};
constexpr std::array kParts = {
    PartName{"Put", PlannedWrite::Kind::kPut},
    PartName{"Update", PlannedWrite::Kind::kUpdate},
    PartName{"Delete", PlannedWrite::Kind::kDelete},
    PartName{"ConditionCheck", PlannedWrite::Kind::kCheck},
};

absl::StatusOr<PlannedWrite> ParsePart(const Json& json) {
  std::optional<PlannedWrite> write;
  for (const PartName& part : kParts) {
    ASSIGN_OR_RETURN(const Json* const given, ObjectField(json, part.member));
    if (given == nullptr) continue;
    if (write.has_value()) {
      return ValidationError(
          "TransactItems can only contain one of Check, Put, Update or Delete");
    }
    ASSIGN_OR_RETURN(write, ParseWrite(part.kind, *given));
    write->needs_before = true;
  }
  if (write.has_value()) return *std::move(write);
  return ValidationError(
      "Invalid Request: TransactWriteRequest should contain Delete or Put or "
      "Update request");
}

absl::StatusOr<std::vector<PlannedWrite>> ParseTransaction(
    const Json& request) {
  ASSIGN_OR_RETURN(const Json* const items,
                   ArrayField(request, "TransactItems"));
  const size_t count = items == nullptr ? 0 : items->size();
  if (count < 1 || count > kTransactionMax) {
    return ValidationError(absl::StrCat(
        "1 validation error detected: Value at 'transactItems' failed to "
        "satisfy constraint: Member must have length between 1 and ",
        kTransactionMax, "; it has ", count));
  }
  std::vector<PlannedWrite> writes;
  for (const Json& json : *items) {
    ASSIGN_OR_RETURN(PlannedWrite write, ParsePart(json));
    writes.push_back(std::move(write));
  }
  if (BytesOf(writes) <= kTransactionBytesMax) return writes;
  return ValidationError(
      "Collection size of items in the transaction exceeded the limit of 4 MB");
}

Answer CanceledAnswer(const ItemWriter::Outcomes& outcomes,
                      const std::vector<bool>& tells_item) {
  Json reasons = Json::array();
  std::vector<std::string> codes;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const WriteOutcome& outcome = outcomes[i];
    const bool is_condition = IsConditionFailed(outcome.status);
    codes.push_back(outcome.status.ok() ? "None"
                    : is_condition      ? "ConditionalCheckFailed"
                                        : "ValidationError");
    Json reason = {{"Code", codes.back()}};
    if (!outcome.status.ok()) {
      reason["Message"] = std::string(outcome.status.message());
    }
    if (is_condition && tells_item[i] && outcome.before.has_value()) {
      reason["Item"] = ToJson(*outcome.before);
    }
    reasons.push_back(std::move(reason));
  }
  const std::string message = absl::StrCat(
      "Transaction cancelled, please refer cancellation reasons for specific "
      "reasons [",
      absl::StrJoin(codes, ", "), "]");
  return ErrorAnswer(
      Exception("TransactionCanceledException", message),
      {{"CancellationReasons", std::move(reasons)}, {"Message", message}});
}

bool AllDone(const ItemWriter::Outcomes& outcomes) {
  for (const WriteOutcome& outcome : outcomes) {
    if (!outcome.status.ok()) return false;
  }
  return true;
}

}  // namespace

void BatchWriteItem(Broker* broker, const Json& request, absl::Duration timeout,
                    AnswerDone done) {
  absl::StatusOr<std::vector<PlannedWrite>> writes = ParseBatch(request);
  if (!writes.ok()) return done(ErrorAnswer(writes.status()));
  const absl::Status checked = CheckDistinct(broker, *writes);
  if (!checked.ok()) return done(ErrorAnswer(checked));
  auto batch = std::make_shared<Batch>();
  batch->broker = broker;
  batch->deadline = broker->clock()->MonotonicNow() + timeout;
  batch->body = {{"UnprocessedItems", Json::object()}};
  if (WantsCapacity(request)) {
    batch->body["ConsumedCapacity"] = CapacityOf(TableNames(*writes));
  }
  batch->pieces = CutPieces(*std::move(writes));
  batch->done = std::move(done);
  WritePieces(std::move(batch));
}

void TransactWriteItems(Broker* broker, const Json& request,
                        absl::Duration timeout, AnswerDone done) {
  absl::StatusOr<std::vector<PlannedWrite>> writes = ParseTransaction(request);
  if (!writes.ok()) return done(ErrorAnswer(writes.status()));
  Json body = Json::object();
  if (WantsCapacity(request)) {
    body["ConsumedCapacity"] = CapacityOf(TableNames(*writes));
  }
  std::vector<bool> tells_item;
  for (const PlannedWrite& write : *writes) {
    tells_item.push_back(write.tells_item_of_failure);
  }
  ItemWriter::Start(broker, *std::move(writes), timeout,
                    [body = std::move(body), tells_item = std::move(tells_item),
                     done = std::move(done)](
                        absl::StatusOr<ItemWriter::Outcomes> outcomes) mutable {
                      if (!outcomes.ok())
                        return done(ErrorAnswer(outcomes.status()));
                      done(AllDone(*outcomes)
                               ? OkAnswer(body)
                               : CanceledAnswer(*outcomes, tells_item));
                    });
}

}  // namespace trireme::dynamodb
