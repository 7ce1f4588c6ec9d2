#include "client/cli/format.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "client/client.h"
#include "client/utf8.h"

namespace trireme::cli {
namespace {

bool AllDigits(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

bool IsPrintable(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = client::Utf8CharacterBytes(text, i);
    if (bytes == 0) return false;
    const auto c = static_cast<unsigned char>(text[i]);
    if (bytes == 1 && c != '\t' && (c < 0x20 || c == 0x7F)) return false;
    // C1 controls.
    if (c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      return false;
    }
    i += bytes;
  }
  return true;
}

bool ParseTime(const std::string& text, absl::Time& time) {
  std::string error;
  for (const char* format :
       {absl::RFC3339_full, "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%E*S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    if (absl::ParseTime(format, text, &time, &error)) return true;
  }
  double unix_seconds = 0;
  if (absl::StartsWith(text, "@") &&
      absl::SimpleAtod(text.substr(1), &unix_seconds)) {
    time = absl::UnixEpoch() + absl::Seconds(unix_seconds);
    return true;
  }
  absl::Duration ago;
  if (absl::ParseDuration(text, &ago)) {
    time = absl::Now() - (ago < absl::ZeroDuration() ? -ago : ago);
    return true;
  }
  return false;
}

}  // namespace

std::string FormatCount(uint64_t count) {
  std::string digits = absl::StrCat(count);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(i, 1, ',');
  }
  return digits;
}

std::string Counted(uint64_t count, absl::string_view singular) {
  return absl::StrCat(FormatCount(count), " ", singular, count == 1 ? "" : "s");
}

std::string FormatBytes(uint64_t bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 5) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.*f %s", unit == 0 ? 0 : 1, value, units[unit]);
}

std::string FormatMegabytes(double bytes) {
  return absl::StrFormat("%.1f MB", bytes / 1e6);
}

std::string FormatDecimals(double value, int decimals) {
  return absl::StrFormat("%.*f", decimals, value);
}

std::string DurationText(absl::Duration value) {
  if (value < absl::Seconds(1)) {
    return absl::StrFormat("%.2f ms", absl::ToDoubleMilliseconds(value));
  }
  if (value < absl::Minutes(1)) {
    return absl::StrFormat("%.1f s", absl::ToDoubleSeconds(value));
  }
  const int64_t seconds = absl::ToInt64Seconds(value);
  const std::string clock = absl::StrFormat(
      "%02d:%02d:%02d", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
  return seconds < 86'400 ? clock : absl::StrCat(seconds / 86'400, "d ", clock);
}

std::string FormatTime(const google::protobuf::Timestamp& time) {
  return TimeText(absl::FromUnixSeconds(time.seconds()) +
                  absl::Nanoseconds(time.nanos()));
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::string DataText(absl::string_view data) {
  if (IsPrintable(data)) return std::string(data);
  return absl::StrCat("base64:", absl::Base64Escape(data));
}

Json RecordJson(absl::string_view shard_id, const v1::Record& record) {
  Json json;
  json["ShardId"] = std::string(shard_id);
  json["SequenceNumber"] = record.sequence_number();
  json["ApproximateArrivalTimestamp"] =
      FormatTime(record.approximate_arrival_timestamp());
  json["Data"] = absl::Base64Escape(record.data());
  if (!record.partition_key().empty()) {
    json["PartitionKey"] = record.partition_key();
  }
  return json;
}

Json RecordJson(absl::string_view shard_id, const client::UserRecord& record) {
  Json json;
  json["ShardId"] = std::string(shard_id);
  json["SequenceNumber"] = record.position.sequence_number;
  if (record.aggregated) {
    json["SubSequenceNumber"] = record.position.sub_sequence_number;
  }
  json["ApproximateArrivalTimestamp"] =
      TimeText(record.approximate_arrival_timestamp);
  json["Data"] = absl::Base64Escape(record.data);
  if (!record.partition_key.empty()) {
    json["PartitionKey"] = record.partition_key;
  }
  if (!record.explicit_hash_key.empty()) {
    json["ExplicitHashKey"] = record.explicit_hash_key;
  }
  return json;
}

Json ShardJson(const v1::Shard& shard) {
  Json json;
  json["ShardId"] = shard.shard_id();
  if (!shard.parent_shard_id().empty()) {
    json["ParentShardId"] = shard.parent_shard_id();
  }
  if (!shard.adjacent_parent_shard_id().empty()) {
    json["AdjacentParentShardId"] = shard.adjacent_parent_shard_id();
  }
  json["HashKeyRange"] = {
      {"StartingHashKey", shard.hash_key_range().starting_hash_key()},
      {"EndingHashKey", shard.hash_key_range().ending_hash_key()}};
  Json& range = json["SequenceNumberRange"];
  range["StartingSequenceNumber"] =
      shard.sequence_number_range().starting_sequence_number();
  if (!shard.sequence_number_range().ending_sequence_number().empty()) {
    range["EndingSequenceNumber"] =
        shard.sequence_number_range().ending_sequence_number();
  }
  json["ReplicationGroup"] = shard.replication_group();
  return json;
}

std::string Dump(const Json& json, bool indented) {
  return json.dump(indented ? 2 : -1, ' ', false,
                   Json::error_handler_t::replace);
}

absl::StatusOr<absl::Duration> ParseDuration(const std::string& text) {
  absl::Duration duration;
  double seconds = 0;
  if (absl::SimpleAtod(text, &seconds)) {
    duration = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(text, &duration)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is not a duration, for example 500ms, 10s or 2m"));
  }
  if (duration <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the duration '", text, "' is not positive"));
  }
  return duration;
}

absl::StatusOr<v1::StartingPosition> ParseFrom(const std::string& text) {
  if (absl::EqualsIgnoreCase(text, "trim-horizon") ||
      absl::EqualsIgnoreCase(text, "trim_horizon")) {
    return client::FromTrimHorizon();
  }
  if (absl::EqualsIgnoreCase(text, "latest")) return client::FromLatest();
  if (AllDigits(text)) return client::AtSequenceNumber(text);
  if (absl::StartsWith(text, "after:") && AllDigits(text.substr(6))) {
    return client::AfterSequenceNumber(text.substr(6));
  }
  absl::Time time;
  if (ParseTime(text, time)) return client::FromTime(time);
  return absl::InvalidArgumentError(absl::StrCat(
      "'", text, "' is none of trim-horizon, latest, a time (", kTimeExamples,
      "), a sequence number, after:SEQUENCE_NUMBER"));
}

std::string ParseShardId(const std::string& text) {
  uint64_t number = 0;
  if (AllDigits(text) && absl::SimpleAtoi(text, &number)) {
    return absl::StrFormat("shardId-%012d", number);
  }
  return text;
}

bool IsShardId(absl::string_view text) {
  return absl::ConsumePrefix(&text, "shardId-") && text.size() == 12 &&
         AllDigits(text);
}

}  // namespace trireme::cli
