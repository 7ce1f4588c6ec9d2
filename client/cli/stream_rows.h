// What a table says of one stream, in whichever command.
#ifndef TRIREME_CLIENT_CLI_STREAM_ROWS_H_
#define TRIREME_CLIENT_CLI_STREAM_ROWS_H_

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/format.h"
#include "client/cli/table.h"
#include "trireme/v1/streams.pb.h"

namespace trireme::cli {

// `Message`: StreamDescription or StreamDescriptionSummary.
template <typename Message>
void AddStreamRows(Table& table, const Message& stream) {
  table.AddRow({"name", stream.stream_name()});
  table.AddRow({"arn", stream.stream_arn()});
  table.AddRow({"status", v1::StreamStatus_Name(stream.stream_status())});
  table.AddRow({"mode", v1::StreamMode_Name(
                            stream.stream_mode_details().stream_mode())});
  table.AddRow({"created", FormatTime(stream.stream_creation_timestamp())});
  table.AddRow(
      {"retention", absl::StrCat(stream.retention_period_hours(), " hours")});
  if (stream.encryption_type() == v1::KMS) {
    table.AddRow({"key", stream.key_id()});
  }
  for (const v1::EnhancedMetrics& metrics : stream.enhanced_monitoring()) {
    if (metrics.shard_level_metrics().empty()) continue;
    table.AddRow({"shard-level metrics",
                  absl::StrJoin(metrics.shard_level_metrics(), ", ")});
  }
}

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_STREAM_ROWS_H_
