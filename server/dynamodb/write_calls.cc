// PutItem, UpdateItem, DeleteItem.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/calls.h"
#include "server/dynamodb/document.h"
#include "server/dynamodb/item_writer.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/planned_write.h"
#include "server/dynamodb/update.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

// What an answer tells of the item.
enum class ReturnValues { kNone, kAllOld, kUpdatedOld, kAllNew, kUpdatedNew };

absl::StatusOr<ReturnValues> ParseReturnValues(const Json& request,
                                               PlannedWrite::Kind kind) {
  ASSIGN_OR_RETURN(const std::string name,
                   StringField(request, "ReturnValues"));
  if (name.empty() || name == "NONE") return ReturnValues::kNone;
  if (name == "ALL_OLD") return ReturnValues::kAllOld;
  const bool is_update = kind == PlannedWrite::Kind::kUpdate;
  if (is_update && name == "UPDATED_OLD") return ReturnValues::kUpdatedOld;
  if (is_update && name == "ALL_NEW") return ReturnValues::kAllNew;
  if (is_update && name == "UPDATED_NEW") return ReturnValues::kUpdatedNew;
  if (!is_update &&
      (name == "UPDATED_OLD" || name == "ALL_NEW" || name == "UPDATED_NEW")) {
    return ValidationError("Return values set to invalid value");
  }
  return ValidationError(absl::StrCat(
      "1 validation error detected: Value '", name,
      "' at 'returnValues' failed to satisfy constraint: Member must satisfy "
      "enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"));
}

// Nothing: the answer has no such member.
std::optional<Item> Returned(ReturnValues wanted, const Update& update,
                             const WriteOutcome& outcome) {
  switch (wanted) {
    case ReturnValues::kNone:
      return std::nullopt;
    case ReturnValues::kAllOld:
      return outcome.before;
    case ReturnValues::kAllNew:
      return outcome.after;
    default:
      break;
  }
  const std::optional<Item>& item =
      wanted == ReturnValues::kUpdatedOld ? outcome.before : outcome.after;
  if (!item.has_value()) return std::nullopt;
  Item parts = Project(*item, PathsOf(update));
  if (parts.empty()) return std::nullopt;
  return parts;
}

// What outlives the request.
struct Asked {
  ReturnValues values = ReturnValues::kNone;
  Update update;
  bool tells_item_of_failure = false;
  bool wants_capacity = false;
  std::string table_name;
};

Answer AnswerOf(const Asked& asked,
                const absl::StatusOr<ItemWriter::Outcomes>& outcomes) {
  if (!outcomes.ok()) return ErrorAnswer(outcomes.status());
  const WriteOutcome& outcome = outcomes->front();
  Json body = Json::object();
  if (!outcome.status.ok()) {
    if (IsConditionFailed(outcome.status) && asked.tells_item_of_failure &&
        outcome.before.has_value()) {
      body["Item"] = ToJson(*outcome.before);
    }
    return ErrorAnswer(outcome.status, std::move(body));
  }
  const std::optional<Item> returned =
      Returned(asked.values, asked.update, outcome);
  if (returned.has_value()) body["Attributes"] = ToJson(*returned);
  if (asked.wants_capacity) {
    body["ConsumedCapacity"] = ConsumedCapacity(asked.table_name);
  }
  return OkAnswer(body);
}

absl::StatusOr<PlannedWrite> Parse(PlannedWrite::Kind kind, const Json& request,
                                   Asked* asked) {
  ASSIGN_OR_RETURN(PlannedWrite write, ParseWrite(kind, request));
  ASSIGN_OR_RETURN(asked->values, ParseReturnValues(request, kind));
  write.needs_before = asked->values != ReturnValues::kNone;
  asked->update = write.update;
  asked->tells_item_of_failure = write.tells_item_of_failure;
  asked->wants_capacity = WantsCapacity(request);
  asked->table_name = write.table_name;
  return write;
}

void WriteOne(PlannedWrite::Kind kind, Broker* broker, const Json& request,
              absl::Duration timeout, AnswerDone done) {
  Asked asked;
  absl::StatusOr<PlannedWrite> write = Parse(kind, request, &asked);
  if (!write.ok()) return done(ErrorAnswer(write.status()));
  std::vector<PlannedWrite> writes;
  writes.push_back(*std::move(write));
  ItemWriter::Start(broker, std::move(writes), timeout,
                    [asked = std::move(asked), done = std::move(done)](
                        absl::StatusOr<ItemWriter::Outcomes> outcomes) mutable {
                      done(AnswerOf(asked, outcomes));
                    });
}

}  // namespace

void PutItem(Broker* broker, const Json& request, absl::Duration timeout,
             AnswerDone done) {
  WriteOne(PlannedWrite::Kind::kPut, broker, request, timeout, std::move(done));
}

void UpdateItem(Broker* broker, const Json& request, absl::Duration timeout,
                AnswerDone done) {
  WriteOne(PlannedWrite::Kind::kUpdate, broker, request, timeout,
           std::move(done));
}

void DeleteItem(Broker* broker, const Json& request, absl::Duration timeout,
                AnswerDone done) {
  WriteOne(PlannedWrite::Kind::kDelete, broker, request, timeout,
           std::move(done));
}

}  // namespace trireme::dynamodb
