#include "client/examples/ad_conversion/window_counts.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace trireme::examples {
namespace {

using Json = nlohmann::json;

// Records that are no event of ours are not counted: they would stop the shard
// for ever if they were errors.
void Count(const client::UserRecord& record, Json* counts) {
  Json event = Json::parse(record.data, nullptr, /*allow_exceptions=*/false);
  if (!event.is_object()) return;
  if (event["minute_over"].is_number_integer()) {
    (*counts)["minute_over"] = std::max((*counts)["minute_over"].get<int64_t>(),
                                        event["minute_over"].get<int64_t>());
    return;
  }
  if (!event["ad"].is_string() || !event["time"].is_number_integer()) return;
  const int64_t minute = event["time"].get<int64_t>() / 60;
  Json& count = (*counts)["minutes"][absl::StrCat(minute)]
                         [event["ad"].get<std::string>()];
  count = count.is_null() ? 1 : count.get<int64_t>() + 1;
}

}  // namespace

client::BatchResult WindowCounts::Handle(const client::Batch& batch) {
  client::BatchResult result;
  if (batch.window->is_final) {
    result.status = Put(batch);
    return result;
  }
  Json counts = Json::parse(batch.window->state.empty()
                                ? NewState(batch)
                                : std::string(batch.window->state));
  for (const client::UserRecord& record : batch.records) {
    Count(record, &counts);
  }
  result.state = counts.dump();
  return result;
}

std::string WindowCounts::NewState(const client::Batch& batch) const {
  const client::RecordPosition& first = batch.records.front().position;
  return Json{{"run", run_},
              {"stream", std::string(batch.stream_name)},
              {"shard", std::string(batch.shard_id)},
              {"first", absl::StrCat(first.sequence_number, ".",
                                     first.sub_sequence_number)},
              {"minute_over", 0},
              {"minutes", Json::object()}}
      .dump();
}

// An error, or an outcome that nobody knows: the window's end is handled again.
absl::Status WindowCounts::Put(const client::Batch& batch) {
  v1::PutRecordRequest request;
  request.set_stream_name(counts_stream_);
  request.set_partition_key(std::string(batch.shard_id));
  request.set_data(std::string(batch.window->state));
  return client_.PutRecord(request).status();
}

}  // namespace trireme::examples
