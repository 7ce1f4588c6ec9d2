// What the calls of streams.proto share: parts of their messages as the
// Broker's values, and how they end.
#ifndef TRIREME_SERVER_GRPC_STREAM_MESSAGES_H_
#define TRIREME_SERVER_GRPC_STREAM_MESSAGES_H_

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/grpc/record_messages.h"
#include "server/resource_names.h"
#include "server/validation.h"
#include "storage/catalog.h"
#include "trireme/v1/streams.pb.h"

namespace trireme {

inline void ToTimestamp(absl::Time time, google::protobuf::Timestamp* message) {
  const int64_t millis = absl::ToUnixMillis(time);
  message->set_seconds(millis / 1000);
  message->set_nanos(static_cast<int32_t>(millis % 1000 * 1'000'000));
}

// Views into `message`.
template <typename Message>
StreamAddress AddressOf(const Message& message) {
  if constexpr (requires { message.resource_arn(); }) {
    return {"", message.resource_arn(), /*is_resource=*/true};
  } else if constexpr (requires { message.stream_id(); }) {
    return {message.stream_name(), message.stream_arn(),
            /*is_resource=*/false, message.stream_id()};
  } else {
    return {message.stream_name(), message.stream_arn()};
  }
}

template <typename Message>
std::optional<absl::Time> CreationOf(const Message& message) {
  if (!message.has_stream_creation_timestamp()) return std::nullopt;
  return TimeOf(message.stream_creation_timestamp());
}

template <typename Message>
Tags TagsOf(const Message& message) {
  return {message.tags().begin(), message.tags().end()};
}

// ValidationException: `value` is none of those that a request may hold. 0 is
// shown as nothing.
inline absl::Status BadEnum(absl::string_view member, int value,
                            const std::vector<absl::string_view>& values) {
  Violations violations;
  violations.AddEnum(member, value == 0 ? "" : absl::StrCat(value), values);
  return violations.ToStatus();
}
inline absl::StatusOr<StreamMode> ModeOf(const v1::StreamModeDetails& details) {
  const v1::StreamMode mode = details.stream_mode();
  if (mode == v1::PROVISIONED) return StreamMode::kProvisioned;
  if (mode == v1::ON_DEMAND) return StreamMode::kOnDemand;
  return BadEnum("streamModeDetails.streamMode", mode,
                 {"PROVISIONED", "ON_DEMAND"});
}
inline absl::StatusOr<RecordDistribution> DistributionOf(
    v1::RecordDistributionStrategy strategy) {
  if (strategy == v1::AUTO) return RecordDistribution::kAuto;
  if (strategy == v1::USER_PARTITION_KEY) {
    return RecordDistribution::kUserPartitionKey;
  }
  return BadEnum("recordDistributionStrategy", strategy,
                 {"AUTO", "USER_PARTITION_KEY"});
}

// Ends a call with an empty message.
template <typename Call>
auto Acknowledge(Call call) {
  return [call = std::move(call)](absl::Status status) {
    call->Acknowledge(status);
  };
}

// Ends a call with `convert(found, account)`.
template <typename Call, typename Convert>
auto RespondWith(Call call, Convert convert) {
  return [call = std::move(call), convert](auto found) {
    if (!found.ok()) return call->Reply(found.status());
    call->Reply(convert(*found, call->broker().account()));
  };
}

inline v1::StreamMode ToMessage(StreamMode mode) {
  return mode == StreamMode::kOnDemand ? v1::ON_DEMAND : v1::PROVISIONED;
}
inline void ToMessage(const WarmThroughput& warm, v1::WarmThroughput* message) {
  message->set_target_mibps(static_cast<int32_t>(warm.target_mibps));
  message->set_current_mibps(static_cast<int32_t>(warm.current_mibps));
}

// The settings that both descriptions of a stream have.
template <typename Description>
void SetSettings(const Stream& stream, Description* message) {
  v1::EnhancedMetrics& metrics = *message->add_enhanced_monitoring();
  for (const absl::string_view name : stream.shard_metrics.Names()) {
    metrics.add_shard_level_metrics(std::string(name));
  }
  message->set_encryption_type(IsEncrypted(stream) ? v1::KMS : v1::NONE);
  message->set_key_id(stream.kms_key_id);
}

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_STREAM_MESSAGES_H_
