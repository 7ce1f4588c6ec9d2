#include "server/shard_iterator.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr char kIteratorKind[] = "shard-iterator";
constexpr uint8_t kVersion = 2;

absl::string_view KindOf(ListOperation operation) {
  switch (operation) {
    case ListOperation::kListStreams:
      return "list-streams-token";
    case ListOperation::kListShards:
      return "list-shards-token";
    case ListOperation::kListStreamConsumers:
      return "list-stream-consumers-token";
    case ListOperation::kDescribeConsumerGroup:
      return "describe-consumer-group-token";
  }
  return "";
}

// Big-endian, so that tokens are the same on every machine.
template <typename T>
void AppendInteger(T value, std::string* out) {
  for (int shift = static_cast<int>(sizeof(T) - 1) * 8; shift >= 0;
       shift -= 8) {
    out->push_back(static_cast<char>(static_cast<uint64_t>(value) >> shift));
  }
}

// Takes an integer off the front; the caller has checked the length.
template <typename T>
T TakeInteger(absl::string_view* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = value << 8 | static_cast<uint8_t>((*bytes)[i]);
  }
  bytes->remove_prefix(sizeof(T));
  return static_cast<T>(value);
}

constexpr size_t kIteratorBytes = 1 + 8 + 4 + 4 + 8 + 4;
constexpr size_t kNextTokenBytesMin = 1 + 8 + 4 + 4 + 8 + 8;

std::string DateText(absl::Time time) {
  return absl::FormatTime("%a %b %d %H:%M:%S UTC %Y", time,
                          absl::UTCTimeZone());
}

}  // namespace

std::string EncodeShardIterator(const TokenSigner& signer,
                                const ShardIterator& iterator, absl::Time now) {
  std::string payload;
  AppendInteger(kVersion, &payload);
  AppendInteger(absl::ToUnixMillis(now), &payload);
  AppendInteger(iterator.shard.stream.value(), &payload);
  AppendInteger(iterator.shard.shard.value(), &payload);
  AppendInteger(iterator.next, &payload);
  AppendInteger(iterator.generation, &payload);
  return signer.Sign(kIteratorKind, payload);
}

absl::StatusOr<ShardIterator> DecodeShardIterator(const TokenSigner& signer,
                                                  absl::string_view token,
                                                  absl::Time now) {
  // AWS takes an iterator in the quotes a shell script left around it.
  if (token.size() >= 2 && token.front() == '"' && token.back() == '"') {
    token = token.substr(1, token.size() - 2);
  }
  const std::optional<std::string> payload = signer.Open(kIteratorKind, token);
  if (!payload.has_value() || payload->size() != kIteratorBytes ||
      static_cast<uint8_t>((*payload)[0]) != kVersion) {
    return MakeError(ErrorReason::kInvalidArgument, "Invalid ShardIterator.");
  }
  absl::string_view rest = *payload;
  rest.remove_prefix(1);
  const absl::Time issued = absl::FromUnixMillis(TakeInteger<int64_t>(&rest));
  if (now - issued > kShardIteratorLife) {
    return MakeError(
        ErrorReason::kExpiredIterator,
        absl::StrCat("Iterator expired. The iterator was created at time ",
                     DateText(issued), " while right now it is ", DateText(now),
                     " which is further in the future than the tolerated "
                     "delay of ",
                     absl::ToInt64Milliseconds(kShardIteratorLife),
                     " milliseconds."));
  }
  ShardIterator iterator;
  iterator.shard.stream = StreamId(TakeInteger<uint32_t>(&rest));
  iterator.shard.shard = ShardIndex(TakeInteger<uint32_t>(&rest));
  iterator.next = TakeInteger<uint64_t>(&rest);
  iterator.generation = TakeInteger<uint32_t>(&rest);
  return iterator;
}

std::string EncodeNextToken(const TokenSigner& signer, ListOperation operation,
                            const ListPosition& position, absl::Time now) {
  std::string payload;
  AppendInteger(kVersion, &payload);
  AppendInteger(absl::ToUnixMillis(now), &payload);
  AppendInteger(position.stream.value(), &payload);
  AppendInteger(position.shard.value(), &payload);
  AppendInteger(position.window.began_by_s, &payload);
  AppendInteger(position.window.ended_from_s, &payload);
  payload += position.name;
  return signer.Sign(KindOf(operation), payload);
}

absl::StatusOr<ListPosition> DecodeNextToken(const TokenSigner& signer,
                                             ListOperation operation,
                                             absl::string_view token,
                                             absl::Time now) {
  const std::optional<std::string> payload =
      signer.Open(KindOf(operation), token);
  if (!payload.has_value() || payload->size() < kNextTokenBytesMin ||
      static_cast<uint8_t>((*payload)[0]) != kVersion) {
    return MakeError(ErrorReason::kInvalidArgument, "Invalid NextToken.");
  }
  absl::string_view rest = *payload;
  rest.remove_prefix(1);
  const absl::Time issued = absl::FromUnixMillis(TakeInteger<int64_t>(&rest));
  if (now - issued > kNextTokenLife) {
    return MakeError(
        ErrorReason::kExpiredNextToken,
        absl::StrCat("NextToken expired. It was created at ", DateText(issued),
                     " and is valid for ", absl::ToInt64Seconds(kNextTokenLife),
                     " seconds; list from the start again."));
  }
  ListPosition position;
  position.stream = StreamId(TakeInteger<uint32_t>(&rest));
  position.shard = ShardIndex(TakeInteger<uint32_t>(&rest));
  position.window.began_by_s = TakeInteger<int64_t>(&rest);
  position.window.ended_from_s = TakeInteger<int64_t>(&rest);
  position.name = std::string(rest);
  return position;
}

}  // namespace trireme
