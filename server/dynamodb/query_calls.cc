// Query and Scan.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/calls.h"
#include "server/dynamodb/document.h"
#include "server/dynamodb/expression_parser.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/legacy_parameters.h"
#include "server/dynamodb/page.h"
#include "server/dynamodb/projection.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr int64_t kSegmentsMax = 1'000'000;

// A request, parsed.
struct Listing {
  PageRequest page;
  std::vector<Path> paths;
  bool counts_only = false;
};

absl::Status ParseIndexName(const Json& request, PageRequest* page) {
  ASSIGN_OR_RETURN(const std::string name, StringField(request, "IndexName"));
  if (name.empty()) return absl::OkStatus();
  page->index = page->table->definition.FindIndex(name);
  if (page->index == nullptr) {
    return ValidationError(
        absl::StrCat("The table does not have the specified index: ", name));
  }
  ASSIGN_OR_RETURN(const auto consistent, BoolField(request, "ConsistentRead"));
  if (!consistent.value_or(false)) return absl::OkStatus();
  return ValidationError(
      "Consistent reads are not supported on global secondary indexes");
}

absl::Status ParseLimits(const Json& request, PageRequest* page) {
  ASSIGN_OR_RETURN(const auto limit, IntegerField(request, "Limit"));
  if (limit.has_value()) {
    if (*limit < 1) {
      return ValidationError(absl::StrCat(
          "1 validation error detected: Value '", *limit,
          "' at 'limit' failed to satisfy constraint: Member must have value "
          "greater than or equal to 1"));
    }
    page->items_max = static_cast<size_t>(*limit);
  }
  ASSIGN_OR_RETURN(const Json* const start,
                   ObjectField(request, "ExclusiveStartKey"));
  if (start == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(page->start_key, ParseItem(*start));
  return absl::OkStatus();
}

absl::Status ParseSelect(const Json& request, Listing* listing) {
  ASSIGN_OR_RETURN(const std::string select, StringField(request, "Select"));
  listing->counts_only = select == "COUNT";
  if (select.empty() || select == "COUNT" || select == "ALL_ATTRIBUTES") {
    return absl::OkStatus();
  }
  if (select == "ALL_PROJECTED_ATTRIBUTES") {
    if (listing->page.index != nullptr) return absl::OkStatus();
    return ValidationError(
        "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an "
        "IndexName");
  }
  if (select == "SPECIFIC_ATTRIBUTES" && !listing->paths.empty()) {
    return absl::OkStatus();
  }
  return ValidationError(
      absl::StrCat("Must specify the AttributesToGet or "
                   "ProjectionExpression when choosing to "
                   "get ",
                   select));
}

// What both have: all but what they say of keys and segments. `legacy_filter`:
// the member of before expressions.
absl::Status ParseCommon(const TableReader& reader, const Json& request,
                         const char* legacy_filter, Placeholders* holders,
                         Listing* listing) {
  RETURN_IF_ERROR(CheckNotMixed(
      request,
      {"ScanFilter", "QueryFilter", "KeyConditions", "AttributesToGet",
       "ConditionalOperator"},
      {"FilterExpression", "KeyConditionExpression", "ProjectionExpression"}));
  ASSIGN_OR_RETURN(listing->page.table, reader.FindNamedIn(request));
  RETURN_IF_ERROR(ParseIndexName(request, &listing->page));
  RETURN_IF_ERROR(ParseLimits(request, &listing->page));
  ASSIGN_OR_RETURN(listing->paths, ParseProjectionOf(request, holders));
  RETURN_IF_ERROR(ParseSelect(request, listing));
  if (!HasField(request, "FilterExpression")) {
    ASSIGN_OR_RETURN(listing->page.filter,
                     ParseLegacyCondition(request, legacy_filter));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string text,
                   StringField(request, "FilterExpression"));
  ASSIGN_OR_RETURN(listing->page.filter,
                   ParseCondition("FilterExpression", text, holders));
  return absl::OkStatus();
}

absl::Status ParseKeys(const Json& request, Placeholders* holders,
                       PageRequest* page) {
  std::optional<Condition> condition;
  if (HasField(request, "KeyConditionExpression")) {
    ASSIGN_OR_RETURN(const std::string text,
                     StringField(request, "KeyConditionExpression"));
    ASSIGN_OR_RETURN(condition,
                     ParseCondition("KeyConditionExpression", text, holders));
  } else {
    // The operator that joins filters joins no keys.
    Json keys = {{"KeyConditions", request.value("KeyConditions", Json())}};
    ASSIGN_OR_RETURN(condition, ParseLegacyCondition(keys, "KeyConditions"));
  }
  if (!condition.has_value()) {
    return ValidationError(
        "Either the KeyConditions or KeyConditionExpression parameter must be "
        "specified in the request.");
  }
  ASSIGN_OR_RETURN(page->keys, ToKeyCondition(*condition, page->schema()));
  ASSIGN_OR_RETURN(const auto forward, BoolField(request, "ScanIndexForward"));
  page->backwards = !forward.value_or(true);
  return absl::OkStatus();
}

absl::Status ParseSegment(const Json& request, PageRequest* page) {
  ASSIGN_OR_RETURN(const auto segment, IntegerField(request, "Segment"));
  ASSIGN_OR_RETURN(const auto total, IntegerField(request, "TotalSegments"));
  if (!segment.has_value() && !total.has_value()) return absl::OkStatus();
  if (!segment.has_value() || !total.has_value()) {
    const char* const missing =
        segment.has_value() ? "TotalSegments" : "Segment";
    return ValidationError(absl::StrCat(
        "The ", missing,
        " parameter is required but was not present in the request when "
        "parameter ",
        segment.has_value() ? "Segment" : "TotalSegments", " is present"));
  }
  if (*total < 1 || *total > kSegmentsMax || *segment < 0 ||
      *segment >= *total) {
    return ValidationError(absl::StrCat(
        "The Segment parameter is zero-based and must be less than parameter "
        "TotalSegments: Segment: ",
        *segment, " is not less than TotalSegments: ", *total));
  }
  page->segment = {static_cast<uint32_t>(*segment),
                   static_cast<uint32_t>(*total)};
  return absl::OkStatus();
}

Replied ReplyTo(const TableReader& reader, const Json& request,
                const Listing& listing) {
  ASSIGN_OR_RETURN(const Page page, ReadPage(reader, listing.page));
  Json reply = {{"Count", page.items.size()}, {"ScannedCount", page.looked_at}};
  if (!listing.counts_only) {
    Json& items = reply["Items"] = Json::array();
    for (const Item& item : page.items) {
      items.push_back(
          ToJson(listing.paths.empty() ? item : Project(item, listing.paths)));
    }
  }
  if (page.last_key.has_value()) {
    reply["LastEvaluatedKey"] = ToJson(*page.last_key);
  }
  if (WantsCapacity(request)) {
    reply["ConsumedCapacity"] = ConsumedCapacity(listing.page.table->name());
  }
  return reply;
}

}  // namespace

Replied Query(const TableReader& reader, const Json& request) {
  Listing listing;
  ASSIGN_OR_RETURN(Placeholders holders, Placeholders::Parse(request));
  RETURN_IF_ERROR(
      ParseCommon(reader, request, "QueryFilter", &holders, &listing));
  RETURN_IF_ERROR(ParseKeys(request, &holders, &listing.page));
  RETURN_IF_ERROR(holders.CheckAllUsed());
  return ReplyTo(reader, request, listing);
}

Replied Scan(const TableReader& reader, const Json& request) {
  Listing listing;
  ASSIGN_OR_RETURN(Placeholders holders, Placeholders::Parse(request));
  RETURN_IF_ERROR(
      ParseCommon(reader, request, "ScanFilter", &holders, &listing));
  RETURN_IF_ERROR(ParseSegment(request, &listing.page));
  RETURN_IF_ERROR(holders.CheckAllUsed());
  return ReplyTo(reader, request, listing);
}

}  // namespace trireme::dynamodb
