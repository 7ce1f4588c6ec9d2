// Expressions, attribute values and stored items that come from anywhere. What
// is refused is refused with a typed error; what is taken says the same each
// time, and comes back as it was from JSON and from bytes. An input that begins
// with '{' is an item as JSON; one that begins with a zero byte is a stored
// item; of any other the first line is an expression, or choices that make one.
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/aws/message_reader.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/condition.h"
#include "server/dynamodb/document.h"
#include "server/dynamodb/expression_parser.h"
#include "server/dynamodb/item_bytes.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/update.h"
#include "storage/check.h"
#include "storage/errors.h"
#include "tests/fuzz/input.h"

namespace trireme::dynamodb {
namespace {

constexpr uint64_t kDepthMax = 5;

constexpr char kItem[] = R"({
  "a": {"S": "text"}, "b": {"N": "5"}, "c": {"L": [{"S": "x"}, {"N": "2"}]},
  "d": {"M": {"a": {"S": "inner"}, "b": {"L": []}}}, "e": {"SS": ["a", "b"]},
  "f": {"NS": ["1", "2"]}, "g": {"BOOL": true}, "h": {"B": "AQI="}})";
constexpr char kHolders[] = R"({
  "ExpressionAttributeNames": {"#a": "a", "#b": "b", "#d": "d"},
  "ExpressionAttributeValues": {":a": {"S": "te"}, ":b": {"N": "2"},
    ":c": {"L": [{"N": "1"}]}, ":d": {"SS": ["b", "c"]}, ":e": {"NS": ["3"]},
    ":f": {"BOOL": true}, ":g": {"S": "S"}}})";

std::string Pick(Input& input, std::initializer_list<const char*> choices) {
  return *(choices.begin() + input.Below(choices.size()));
}

std::string PathText(Input& input) {
  std::string path =
      Pick(input, {"a", "b", "c", "d", "e", "f", "#a", "#b", "#d", "gone"});
  while (input.Below(4) == 1 && !input.empty()) {
    path += Pick(input, {".a", ".b", "[0]", "[1]", "[7]", ".#a"});
  }
  return path;
}

std::string OperandText(Input& input) {
  switch (input.Below(4)) {
    case 0:
      return Pick(input, {":a", ":b", ":c", ":d", ":e", ":f", ":g"});
    case 1:
      return absl::StrCat("size(", PathText(input), ")");
    default:
      return PathText(input);
  }
}

std::string ConditionText(Input& input, uint64_t depth) {
  if (depth < kDepthMax && !input.empty()) {
    switch (input.Below(6)) {
      case 0:
        return absl::StrCat("NOT ", ConditionText(input, depth + 1));
      case 1:
        return absl::StrCat("(", ConditionText(input, depth + 1), ")");
      case 2:
        return absl::StrCat(ConditionText(input, depth + 1),
                            Pick(input, {" AND ", " or "}),
                            ConditionText(input, depth + 1));
      default:
        break;
    }
  }
  switch (input.Below(5)) {
    case 0:
      return absl::StrCat(
          Pick(input, {"attribute_exists(", "attribute_not_exists("}),
          PathText(input), ")");
    case 1:
      return absl::StrCat(
          Pick(input, {"contains(", "begins_with(", "attribute_type("}),
          PathText(input), ", ", OperandText(input), ")");
    case 2:
      return absl::StrCat(OperandText(input), " BETWEEN ", OperandText(input),
                          " AND ", OperandText(input));
    case 3:
      return absl::StrCat(OperandText(input), " IN (", OperandText(input), ", ",
                          OperandText(input), ")");
    default:
      return absl::StrCat(
          OperandText(input),
          Pick(input, {" = ", " <> ", "<", "<=", " > ", " >= "}),
          OperandText(input));
  }
}

std::string TermText(Input& input) {
  switch (input.Below(5)) {
    case 0:
      return absl::StrCat("if_not_exists(", PathText(input), ", ",
                          OperandText(input), ")");
    case 1:
      return absl::StrCat("list_append(", OperandText(input), ", ",
                          OperandText(input), ")");
    default:
      return OperandText(input);
  }
}

std::string UpdateText(Input& input) {
  std::string text;
  while (!input.empty() && text.size() < 500) {
    switch (input.Below(4)) {
      case 0:
        absl::StrAppend(&text, " SET ", PathText(input), " = ", TermText(input),
                        Pick(input, {"", " + ", " - "}));
        if (text.back() == ' ') text += TermText(input);
        break;
      case 1:
        absl::StrAppend(&text, " REMOVE ", PathText(input), ", ",
                        PathText(input));
        break;
      case 2:
        absl::StrAppend(&text, " ADD ", PathText(input), " ",
                        OperandText(input));
        break;
      default:
        absl::StrAppend(&text, " DELETE ", PathText(input), " ",
                        OperandText(input));
    }
  }
  return text;
}

void CheckRefused(const absl::Status& status) {
  CHECK(ReasonOf(status) == ErrorReason::kValidation, status.ToString());
  CHECK(!status.message().empty());
}

void CheckComesBack(const Item& item) {
  const auto from_bytes = DecodeItem(EncodeItem(item));
  CHECK(from_bytes.ok() && *from_bytes == item, "bytes differ");
  const auto from_json = ParseItem(ToJson(item));
  CHECK(from_json.ok() && *from_json == item, "JSON differs");
}

void CheckExpression(const std::string& text) {
  static const Json* const holders_json = new Json(Json::parse(kHolders));
  static const Item* const item = new Item(*ParseItem(Json::parse(kItem)));
  Placeholders holders = *Placeholders::Parse(*holders_json);
  const auto condition = ParseCondition("FilterExpression", text, &holders);
  if (condition.ok()) {
    const bool holds = Holds(*condition, *item);
    CHECK(Holds(*condition, *item) == holds);
    const auto negated = ParseCondition(
        "FilterExpression", absl::StrCat("NOT (", text, ")"), &holders);
    if (negated.ok()) CHECK(Holds(*negated, *item) != holds);
  } else {
    CheckRefused(condition.status());
  }
  const auto update = ParseUpdate(text, &holders);
  if (update.ok()) {
    Item updated = *item;
    const absl::Status applied = ApplyUpdate(*update, &updated);
    if (applied.ok()) CheckComesBack(updated);
    if (!applied.ok()) CheckRefused(applied);
    (void)Project(*item, PathsOf(*update));
  } else {
    CheckRefused(update.status());
  }
  const auto paths = ParseProjection(text, &holders);
  if (paths.ok()) {
    const Item part = Project(*item, *paths);
    CHECK(part.size() <= item->size());
  } else {
    CheckRefused(paths.status());
  }
}

void CheckItemJson(const std::string& text) {
  const auto json = ReadMessage(MessageFormat::kJson, text);
  if (!json.has_value()) return;
  const auto item = ParseItem(*json);
  if (item.ok()) CheckComesBack(*item);
}

void Run(Input input) {
  Input choices = input;
  const std::string text = input.Rest();
  if (!text.empty() && text[0] == '{') return CheckItemJson(text);
  if (!text.empty() && text[0] == '\0') {
    // What is stored is ours: it need only not lead out of its bounds.
    (void)DecodeItem(text.substr(1));
    (void)FindAttribute(text.substr(1), "a");
    return;
  }
  CheckExpression(text.substr(0, text.find('\n')));
  (void)choices.Byte();
  CheckExpression(choices.Mostly(2) ? ConditionText(choices, 0)
                                    : UpdateText(choices));
}

}  // namespace
}  // namespace trireme::dynamodb

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::dynamodb::Run(trireme::Input(data, size));
  return 0;
}
