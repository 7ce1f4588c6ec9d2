#include "client/event_filter.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/error.h"
#include "client/event_pattern.h"
#include "client/status_macros.h"
#include "client/utf8.h"

namespace trireme::client {
namespace {

using Json = nlohmann::json;

absl::Status Refuse(absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "InvalidArgumentException", "EventFilter", message);
}

// How deep brackets nest; of text that is JSON, what it is nested.
size_t DepthOf(absl::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

absl::StatusOr<Json> ReadJson(const std::string& text) {
  // The library tells the place only by an exception.
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    return Refuse(absl::StrCat("is not JSON from byte ", error.byte, " on"));
  } catch (const Json::exception& error) {
    return Refuse(absl::StrCat("is not JSON: ", error.what()));
  }
}

absl::StatusOr<EventPattern> ReadPattern(const std::string& text) {
  if (!IsUtf8(text)) return Refuse("is not UTF-8");
  if (const size_t characters = Utf8Characters(text);
      characters > EventFilter::kCharactersMax) {
    return Refuse(absl::StrCat("has ", characters, " characters; at most ",
                               EventFilter::kCharactersMax, " are allowed"));
  }
  if (const size_t depth = DepthOf(text); depth > EventFilter::kDepthMax) {
    return Refuse(absl::StrCat("is ", depth, " levels deep; at most ",
                               EventFilter::kDepthMax, " are allowed"));
  }
  CLIENT_ASSIGN_OR_RETURN(const Json json, ReadJson(text));
  return EventPattern::Parse(json);
}

Json Metadata(const UserRecord& record) {
  return {{"partitionKey", record.partition_key},
          {"sequenceNumber", record.position.sequence_number},
          {"subSequenceNumber", record.position.sub_sequence_number},
          {"approximateArrivalTimestamp",
           absl::ToDoubleSeconds(record.approximate_arrival_timestamp -
                                 absl::UnixEpoch())}};
}

}  // namespace

struct EventFilter::Patterns {
  std::vector<EventPattern> all;
  bool read_data = false;
  bool read_data_text = false;
};

absl::StatusOr<EventFilter> EventFilter::Parse(
    absl::Span<const std::string> patterns) {
  if (patterns.size() > kPatternsMax) {
    return Refuse(absl::StrCat("filters has ", patterns.size(),
                               " patterns; at most ", kPatternsMax,
                               " are allowed"));
  }
  auto read = std::make_shared<Patterns>();
  for (size_t i = 0; i < patterns.size(); ++i) {
    const absl::StatusOr<EventPattern> pattern = ReadPattern(patterns[i]);
    if (!pattern.ok()) {
      return Refuse(
          absl::StrCat("filters[", i, "]: ", pattern.status().message()));
    }
    read->read_data |= pattern->reads_data();
    read->read_data_text |= pattern->reads_data_text();
    read->all.push_back(*pattern);
  }
  return EventFilter(std::move(read));
}

bool EventFilter::Matches(const UserRecord& record) const {
  if (patterns_->all.empty()) return true;
  Json event = Metadata(record);
  if (patterns_->read_data_text) event[EventPattern::kDataText] = record.data;
  if (patterns_->read_data && DepthOf(record.data) <= kDepthMax) {
    Json data = Json::parse(record.data, nullptr, /*allow_exceptions=*/false);
    if (!data.is_discarded()) event["data"] = std::move(data);
  }
  return std::any_of(
      patterns_->all.begin(), patterns_->all.end(),
      [&event](const EventPattern& pattern) { return pattern.Matches(event); });
}

}  // namespace trireme::client
