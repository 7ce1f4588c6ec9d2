#include "server/kinesis/record_intake.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/aws/canonical_request.h"
#include "server/aws/message_reader.h"
#include "server/aws/message_writer.h"
#include "server/aws/request_id.h"
#include "server/aws/utf8.h"
#include "server/broker.h"
#include "server/kinesis/descriptions.h"
#include "server/kinesis/json_array.h"
#include "server/kinesis/kinesis_call.h"
#include "server/limits.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr absl::string_view kPathBegin = "/streams/";
constexpr absl::string_view kPathEnd = "/records";
constexpr char kAllowed[] = "POST, OPTIONS";

absl::Status Invalid(absl::string_view message) {
  return MakeError(ErrorReason::kInvalidArgument, message);
}

// A part of a URI: "%2f" is '/', '+' a blank.
absl::StatusOr<std::string> Unescape(absl::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      plain += ' ';
    } else if (text[i] != '%') {
      plain += text[i];
    } else {
      const absl::string_view digits = text.substr(i + 1, 2);
      uint32_t byte = 0;
      if (digits.size() < 2 || !absl::c_all_of(digits, absl::ascii_isxdigit) ||
          !absl::SimpleHexAtoi(digits, &byte)) {
        return Invalid(absl::StrCat("'", text,
                                    "' is not URL-encoded: a % is "
                                    "followed by two hex digits"));
      }
      plain += static_cast<char>(byte);
      i += 2;
    }
  }
  return plain;
}

// How the records of a request get their keys.
struct KeySource {
  std::string key;    // The same for all; empty: none.
  std::string field;  // Of each record, "a.b"; empty: none.
};

absl::StatusOr<KeySource> KeySourceOf(const HttpRequest& request) {
  KeySource source;
  for (const absl::string_view parameter :
       absl::StrSplit(QueryOf(request.target), '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    ASSIGN_OR_RETURN(std::string value, Unescape(parts.second));
    if (value.empty()) {
      return Invalid(absl::StrCat("the query's ", parts.first, " is empty"));
    }
    if (parts.first == "partition_key") {
      source.key = std::move(value);
    } else if (parts.first == "partition_key_field") {
      source.field = std::move(value);
    } else if (!absl::StartsWith(parts.first, "X-Amz-")) {
      return Invalid(
          absl::StrCat("the query has '", parts.first,
                       "'; it may have partition_key and partition_key_field"));
    }
  }
  if (source.key.empty())
    source.key = std::string(request.Header("x-partition-key"));
  if (!IsUtf8(source.key)) {
    return Invalid("the partition key is not UTF-8");
  }
  if (!source.key.empty() && !source.field.empty()) {
    return Invalid(
        "a partition key and a partition_key_field are given; which is meant?");
  }
  return source;
}

// The field of a JSON record, as the key.
absl::StatusOr<std::string> KeyIn(absl::string_view record,
                                  const std::string& field, size_t place) {
  const auto message = ReadMessage(MessageFormat::kJson, std::string(record));
  if (!message.has_value()) {
    return Invalid(
        absl::StrCat("record ", place,
                     " is no JSON object, or is nested too deep, so it "
                     "has no field ",
                     field, " to be its partition key"));
  }
  const nlohmann::json* value = &*message;
  for (const absl::string_view step : absl::StrSplit(field, '.')) {
    const auto found = value->find(step);
    if (found == value->end()) {
      return Invalid(absl::StrCat("record ", place, " has no field ", field,
                                  " to be its partition key"));
    }
    value = &*found;
  }
  if (value->is_string() && !value->get_ref<const std::string&>().empty()) {
    return value->get<std::string>();
  }
  // Fractions and numbers of more than 64 bits have more than one text.
  if (value->is_number_integer() || value->is_boolean()) return value->dump();
  return Invalid(absl::StrCat(
      "field ", field, " of record ", place,
      " is no key: it must be a string that is not empty, a whole number of "
      "64 bits or a boolean"));
}

struct Intake {
  std::string stream_name;
  std::vector<absl::string_view> records;  // Of the exchange's body.
  std::vector<std::string> keys;           // One for each record.
  bool is_batch = false;
};

absl::StatusOr<std::string> StreamNameOf(const HttpRequest& request) {
  absl::string_view name = PathOf(request.target);
  name.remove_prefix(kPathBegin.size());
  name.remove_suffix(kPathEnd.size());
  return Unescape(name);
}

absl::Status SplitBody(const HttpRequest& request, Intake* intake) {
  const absl::string_view body = request.body;
  const std::string type =
      absl::AsciiStrToLower(request.Header("content-type"));
  const absl::string_view start = absl::StripLeadingAsciiWhitespace(body);
  if (absl::StartsWith(type, "application/x-ndjson")) {
    intake->is_batch = true;
    for (absl::string_view line : absl::StrSplit(body, '\n')) {
      absl::ConsumeSuffix(&line, "\r");
      if (!line.empty()) intake->records.push_back(line);
    }
  } else if (absl::StartsWith(type, "application/json") &&
             absl::StartsWith(start, "[")) {
    intake->is_batch = true;
    auto elements = SplitJsonArray(body);
    if (!elements.has_value()) {
      return Invalid("the body begins with [ but is no JSON array");
    }
    intake->records = *std::move(elements);
  } else {
    intake->records.push_back(body);
  }
  if (intake->records.empty() || intake->records.size() > kPutRecordsMax) {
    return Invalid(absl::StrCat("the body has ", intake->records.size(),
                                " records; it may have 1 to ", kPutRecordsMax));
  }
  return absl::OkStatus();
}

absl::StatusOr<Intake> ReadIntake(const HttpRequest& request) {
  Intake intake;
  ASSIGN_OR_RETURN(intake.stream_name, StreamNameOf(request));
  ASSIGN_OR_RETURN(const KeySource source, KeySourceOf(request));
  RETURN_IF_ERROR(SplitBody(request, &intake));
  for (size_t i = 0; i < intake.records.size(); ++i) {
    std::string key = source.key;
    if (!source.field.empty()) {
      ASSIGN_OR_RETURN(key, KeyIn(intake.records[i], source.field, i + 1));
    }
    intake.keys.push_back(key.empty() ? MakeRequestId() : std::move(key));
  }
  return intake;
}

void Reply(HttpExchange& exchange, int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers = {{"content-type", "application/json"},
                      {"x-amzn-requestid", MakeRequestId()}};
  if (!exchange.request().Header("origin").empty()) {
    response.headers.push_back({"access-control-allow-origin", "*"});
  }
  response.body = absl::Cord(std::move(body));
  exchange.Respond(std::move(response));
}

void Refuse(HttpExchange& exchange, const AwsError& error) {
  const bool missing = error.code == "ResourceNotFoundException";
  Reply(exchange, missing ? 404 : error.http_status,
        EncodeError(MessageFormat::kJson, error));
}

// 200 says that every record is committed: whoever sends again on anything
// else loses nothing.
void ReplyPut(HttpExchange& exchange, const PutRecordsResponse& put,
              bool is_batch) {
  const auto failed = std::count_if(
      put.records.begin(), put.records.end(),
      [](const PutResult& result) { return !result.status.ok(); });
  MessageWriter writer(MessageFormat::kJson);
  writer.BeginMap();
  if (is_batch) {
    writer.Key("FailedRecordCount").Integer(failed);
    writer.Key("Records").BeginList();
    for (const PutResult& result : put.records) {
      writer.BeginMap();
      WritePlaceOrError(result, &writer);
      writer.EndMap();
    }
    writer.EndList();
  } else {
    WritePlaceOrError(put.records[0], &writer);
  }
  writer.EndMap();
  Reply(exchange, failed == 0 ? 200 : 503, writer.Take());
}

void Put(std::shared_ptr<HttpExchange> exchange, Broker& broker,
         Intake intake) {
  // Held by the callback: the Broker's request is views of it.
  const auto held = std::make_shared<Intake>(std::move(intake));
  PutRecordsRequest request;
  request.stream.name = held->stream_name;
  for (size_t i = 0; i < held->records.size(); ++i) {
    request.records.push_back({held->records[i], held->keys[i], ""});
  }
  broker.PutRecords(request, kKinesisCallTimeout,
                    [exchange, held](absl::StatusOr<PutRecordsResponse> put) {
                      if (!put.ok())
                        return Refuse(*exchange, ToAwsError(put.status()));
                      ReplyPut(*exchange, *put, held->is_batch);
                    });
}

void AnswerPreflight(HttpExchange& exchange) {
  const HttpRequest& request = exchange.request();
  exchange.Respond(
      {200,
       {{"allow", kAllowed},
        {"access-control-allow-origin", "*"},
        {"access-control-allow-methods", kAllowed},
        {"access-control-allow-headers",
         std::string(request.Header("access-control-request-headers"))}},
       absl::Cord()});
}

}  // namespace

bool RecordIntake::Takes(const HttpRequest& request) {
  const absl::string_view path = PathOf(request.target);
  return path.size() > kPathBegin.size() + kPathEnd.size() &&
         absl::StartsWith(path, kPathBegin) && absl::EndsWith(path, kPathEnd);
}

RecordIntake::RecordIntake(const ServedBroker* served, Check authenticate)
    : served_(served), authenticate_(std::move(authenticate)) {}

void RecordIntake::Serve(std::shared_ptr<HttpExchange> exchange) {
  const HttpRequest& request = exchange->request();
  if (request.method == "OPTIONS") return AnswerPreflight(*exchange);
  if (request.method != "POST") {
    return Refuse(*exchange, {405, "MethodNotAllowedException",
                              "records are put with POST"});
  }
  if (const std::optional<AwsError> refused = authenticate_(request)) {
    return Refuse(*exchange, *refused);
  }
  const absl::StatusOr<Broker*> broker = served_->Get();
  if (!broker.ok()) return Refuse(*exchange, ToAwsError(broker.status()));
  absl::StatusOr<Intake> intake = ReadIntake(request);
  if (!intake.ok()) return Refuse(*exchange, ToAwsError(intake.status()));
  Put(std::move(exchange), **broker, *std::move(intake));
}

}  // namespace trireme
