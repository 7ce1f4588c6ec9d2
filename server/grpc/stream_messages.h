// What the calls of streams.proto share: parts of their messages as the
// Broker's values, and how they end.
#ifndef TRIREME_SERVER_GRPC_STREAM_MESSAGES_H_
#define TRIREME_SERVER_GRPC_STREAM_MESSAGES_H_

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/grpc/record_messages.h"
#include "server/resource_names.h"
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

// The settings that both descriptions of a stream have.
template <typename Description>
void SetSettings(const Stream& stream, Description* message) {
  v1::EnhancedMetrics& metrics = *message->add_enhanced_monitoring();
  for (const absl::string_view name : stream.shard_metrics.Names()) {
    metrics.add_shard_level_metrics(std::string(name));
  }
  message->set_encryption_type(stream.kms_key_id.empty() ? v1::NONE : v1::KMS);
  message->set_key_id(stream.kms_key_id);
}

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_STREAM_MESSAGES_H_
