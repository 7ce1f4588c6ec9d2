// How values look to people and to programs, and how people write them.
#ifndef TRIREME_CLIENT_CLI_FORMAT_H_
#define TRIREME_CLIENT_CLI_FORMAT_H_

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/user_record.h"
#include "trireme/v1/records.pb.h"
#include "trireme/v1/streams.pb.h"

namespace trireme::cli {

using Json = nlohmann::ordered_json;

std::string FormatCount(uint64_t count);  // 97,806
// "1 record", "97,806 records".
std::string Counted(uint64_t count, absl::string_view singular);
std::string FormatBytes(uint64_t bytes);    // 9.2 MiB
std::string FormatMegabytes(double bytes);  // 9.7 MB, decimal
std::string FormatDecimals(double value, int decimals);
std::string DurationText(absl::Duration value);  // 2d 03:04:05 or 1.25 ms
std::string TimeText(absl::Time time);           // UTC, ms
// How people write times.
inline constexpr char kTimeExamples[] =
    "2026-11-23T17:00:00Z, \"2026-11-23 17:00\" UTC, 10m for ten minutes ago, "
    "@1795453200";
std::string FormatTime(const google::protobuf::Timestamp& time);

// A record's data for people: itself when it is printable UTF-8, else base64
// with the mark "base64:".
std::string DataText(absl::string_view data);

// As AWS's command line shows them; data in base64.
Json RecordJson(absl::string_view shard_id, const v1::Record& record);
// The same, and which one it is of the records that share its number.
Json RecordJson(absl::string_view shard_id, const client::UserRecord& record);
Json ShardJson(const v1::Shard& shard);
// One line, or indented. Never throws.
std::string Dump(const Json& json, bool indented);

// "10s", "1.5m", or a bare number of seconds. Errors: InvalidArgument.
absl::StatusOr<absl::Duration> ParseDuration(const std::string& text);

// trim-horizon | latest | TIME | SEQ | after:SEQ, where TIME is RFC 3339, or a
// duration meaning so long ago, or @ and unix seconds. Errors: InvalidArgument.
absl::StatusOr<v1::StartingPosition> ParseFrom(const std::string& text);

// "3" and "shardId-000000000003" alike.
std::string ParseShardId(const std::string& text);
bool IsShardId(absl::string_view text);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_FORMAT_H_
