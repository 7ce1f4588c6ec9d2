#include "client/failure_destination.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"

namespace trireme::client {
namespace {

using Json = nlohmann::ordered_json;

std::string IsoTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

absl::string_view Condition(DiscardReason reason) {
  switch (reason) {
    case DiscardReason::kRetryAttemptsExhausted:
      return "RetryAttemptsExhausted";
    case DiscardReason::kRecordAgeExceeded:
      return "RecordAgeExceeded";
  }
  return "";
}

Json RequestContext(const DiscardedBatch& batch) {
  return {{"requestId", batch.request_id},
          {"consumerGroup", std::string(batch.group_name)},
          {"workerId", std::string(batch.worker_id)},
          {"condition", std::string(Condition(batch.reason))},
          {"approximateInvokeCount", batch.invoke_count}};
}

Json ResponseContext(const DiscardedBatch& batch) {
  Json context = {{"functionError", nullptr}};
  if (batch.error.has_value()) {
    context["functionError"] = "Unhandled";
    context["errorMessage"] = batch.error->ToString();
  }
  return context;
}

Json BatchInfo(const DiscardedBatch& batch) {
  const UserRecord& first = batch.records.front();
  const UserRecord& last = batch.records.back();
  Json info = {{"shardId", std::string(batch.shard_id)},
               {"startSequenceNumber", first.position.sequence_number},
               {"endSequenceNumber", last.position.sequence_number},
               {"approximateArrivalOfFirstRecord",
                IsoTime(first.approximate_arrival_timestamp)},
               {"approximateArrivalOfLastRecord",
                IsoTime(last.approximate_arrival_timestamp)},
               {"batchSize", batch.records.size()},
               {"streamName", std::string(batch.stream_name)}};
  if (!batch.stream_arn.empty()) {
    info["streamArn"] = std::string(batch.stream_arn);
  }
  // A batch may begin or end within an aggregated record.
  if (first.aggregated) {
    info["startSubSequenceNumber"] = first.position.sub_sequence_number;
  }
  if (last.aggregated) {
    info["endSubSequenceNumber"] = last.position.sub_sequence_number;
  }
  return info;
}

Json RecordJson(const UserRecord& record) {
  Json json = {{"partitionKey", record.partition_key},
               {"sequenceNumber", record.position.sequence_number}};
  if (record.aggregated) {
    json["subSequenceNumber"] = record.position.sub_sequence_number;
  }
  json["data"] = absl::Base64Escape(record.data);
  json["approximateArrivalTimestamp"] = absl::ToDoubleSeconds(
      record.approximate_arrival_timestamp - absl::UnixEpoch());
  return json;
}

std::string Written(const Json& json) {
  // A partition key may be anything.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json FailureRecord(const DiscardedBatch& batch) {
  Json json = {{"requestContext", RequestContext(batch)}};
  if (batch.reason == DiscardReason::kRetryAttemptsExhausted) {
    json["responseContext"] = ResponseContext(batch);
  }
  json["version"] = "1.0";
  json["timestamp"] = IsoTime(batch.time);
  json["KinesisBatchInfo"] = BatchInfo(batch);
  return json;
}

}  // namespace

std::string FailureRecordJson(const DiscardedBatch& batch, bool with_records) {
  Json json = FailureRecord(batch);
  if (with_records) {
    Json records = Json::array();
    for (const UserRecord& record : batch.records) {
      records.push_back({{"kinesis", RecordJson(record)}});
    }
    json["payload"] = {{"Records", std::move(records)}};
  }
  return Written(json);
}

StreamFailureDestination::StreamFailureDestination(Client& client,
                                                   Options options)
    : client_(client), options_(std::move(options)) {}

absl::Status StreamFailureDestination::Send(const DiscardedBatch& batch) {
  v1::PutRecordRequest request;
  request.set_stream_name(options_.stream_name);
  request.set_partition_key(std::string(batch.shard_id));
  request.set_data(FailureRecordJson(batch, options_.with_records));
  // The stream's limit counts the key as well.
  if (options_.with_records &&
      request.data().size() + request.partition_key().size() >
          options_.record_bytes_max) {
    Json json = FailureRecord(batch);
    json["payloadOmitted"] = true;
    request.set_data(Written(json));
  }
  return client_.PutRecord(request).status();
}

}  // namespace trireme::client
