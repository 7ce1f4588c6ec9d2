#include "client/aggregation.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"

namespace trireme::client {
namespace {

constexpr absl::string_view kMagic = "\xF3\x89\x9A\xC2";
constexpr size_t kPartitionKeyBytesMax = 4 * 256;  // Characters of UTF-8.

uint64_t VarintBytes(uint64_t value) {
  uint64_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

// Of a field of up to 15: its tag, length and bytes.
uint64_t FieldBytes(uint64_t bytes) { return 1 + VarintBytes(bytes) + bytes; }

// `key`'s index, and what its entry adds to the table.
template <typename Table>
std::pair<uint64_t, uint64_t> Place(const Table& table,
                                    const std::string& key) {
  const auto found = table.find(key);
  if (found != table.end()) return {found->second, 0};
  return {table.size(), FieldBytes(key.size())};
}

template <typename Table, typename Keys>
uint64_t IndexOf(std::string key, Table& table, Keys* keys) {
  const auto [found, is_new] = table.try_emplace(key, table.size());
  if (is_new) *keys->Add() = std::move(key);
  return found->second;
}

// Of the record's message; none if it is not one of ours.
std::optional<v1::AggregatedRecord> Parse(absl::string_view data) {
  if (data.size() <= kAggregateOverheadBytes ||
      !absl::StartsWith(data, kMagic)) {
    return std::nullopt;
  }
  const absl::string_view digest = data.substr(data.size() - sizeof(Md5Digest));
  data.remove_prefix(kMagic.size());
  data.remove_suffix(digest.size());
  const std::optional<Md5Digest> md5 = Md5(data);
  if (!md5.has_value() ||
      absl::string_view(md5->data(), md5->size()) != digest) {
    return std::nullopt;
  }
  v1::AggregatedRecord message;
  if (!message.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
    return std::nullopt;
  }
  return message;
}

// What all keys of the members come to; none when they cannot be.
std::optional<uint64_t> KeyBytes(const v1::AggregatedRecord& message) {
  const auto& keys = message.partition_key_table();
  const auto& hash_keys = message.explicit_hash_key_table();
  for (const std::string& key : keys) {
    if (key.size() > kPartitionKeyBytesMax) return std::nullopt;
  }
  for (const std::string& key : hash_keys) {
    if (!ParseHashKey(key).has_value()) return std::nullopt;
  }
  uint64_t bytes = 0;
  for (const auto& member : message.records()) {
    const uint64_t key = member.partition_key_index();
    if (key >= static_cast<uint64_t>(keys.size())) return std::nullopt;
    bytes += keys[static_cast<int>(key)].size();
    if (!member.has_explicit_hash_key_index()) continue;
    const uint64_t hash_key = member.explicit_hash_key_index();
    if (hash_key >= static_cast<uint64_t>(hash_keys.size())) {
      return std::nullopt;
    }
    bytes += hash_keys[static_cast<int>(hash_key)].size();
  }
  return bytes;
}

bool IsSound(const v1::AggregatedRecord& message) {
  if (message.records_size() > kAggregateRecordsMax) return false;
  const auto bytes = KeyBytes(message);
  return bytes.has_value() && *bytes <= kAggregateKeyBytesMax;
}

absl::Time TimeOf(const v1::Record& record) {
  const auto& time = record.approximate_arrival_timestamp();
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

}  // namespace

Aggregate::Aggregate()
    : arena_(std::make_unique<google::protobuf::Arena>()),
      message_(google::protobuf::Arena::CreateMessage<v1::AggregatedRecord>(
          arena_.get())) {}

uint64_t Aggregate::BytesWith(const ProducerRecord& record) const {
  const auto [key, key_bytes] = Place(partition_keys_, record.partition_key);
  uint64_t bytes = 1 + VarintBytes(key) + FieldBytes(record.data.size());
  uint64_t table_bytes = key_bytes;
  if (!record.explicit_hash_key.empty()) {
    const auto [hash_key, hash_key_bytes] =
        Place(explicit_hash_keys_, record.explicit_hash_key);
    bytes += 1 + VarintBytes(hash_key);
    table_bytes += hash_key_bytes;
  }
  return bytes_ + table_bytes + FieldBytes(bytes);
}

void Aggregate::Add(ProducerRecord record) {
  bytes_ = BytesWith(record);
  v1::AggregatedRecord::Record& added = *message_->add_records();
  added.set_partition_key_index(
      IndexOf(std::move(record.partition_key), partition_keys_,
              message_->mutable_partition_key_table()));
  if (!record.explicit_hash_key.empty()) {
    added.set_explicit_hash_key_index(
        IndexOf(std::move(record.explicit_hash_key), explicit_hash_keys_,
                message_->mutable_explicit_hash_key_table()));
  }
  added.set_data(std::move(record.data));
}

HashKey Aggregate::FirstHashKey() const {
  const auto& first = message_->records(0);
  const int key = static_cast<int>(first.partition_key_index());
  const int hash_key = static_cast<int>(first.explicit_hash_key_index());
  return HashKeyOf(message_->partition_key_table(key),
                   first.has_explicit_hash_key_index()
                       ? message_->explicit_hash_key_table(hash_key)
                       : "")
      .value();
}

std::string Aggregate::Encode() const {
  std::string encoded(kMagic);
  encoded.reserve(bytes_);
  message_->AppendToString(&encoded);
  // Whoever aggregates has hashed keys before.
  const Md5Digest digest =
      Md5(absl::string_view(encoded).substr(kMagic.size())).value();
  return encoded.append(digest.data(), digest.size());
}

std::vector<ProducerRecord> Aggregate::TakeRecords() {
  std::vector<ProducerRecord> records;
  records.reserve(count());
  for (auto& member : *message_->mutable_records()) {
    ProducerRecord& record = records.emplace_back();
    record.partition_key = message_->partition_key_table(
        static_cast<int>(member.partition_key_index()));
    if (member.has_explicit_hash_key_index()) {
      record.explicit_hash_key = message_->explicit_hash_key_table(
          static_cast<int>(member.explicit_hash_key_index()));
    }
    record.data = std::move(*member.mutable_data());
  }
  *this = Aggregate();
  return records;
}

UserRecord AsItIs(const v1::Record& record) {
  UserRecord plain;
  plain.position.sequence_number = record.sequence_number();
  plain.approximate_arrival_timestamp = TimeOf(record);
  plain.partition_key = record.partition_key();
  plain.data = record.data();
  return plain;
}

void Deaggregate(const v1::Record& record, const HashKeyRange* range,
                 std::vector<UserRecord>* to) {
  std::optional<v1::AggregatedRecord> message = Parse(record.data());
  if (!message.has_value() || !IsSound(*message)) {
    to->push_back(AsItIs(record));
    return;
  }
  const size_t before = to->size();
  uint64_t next = 0;
  for (auto& member : *message->mutable_records()) {
    UserRecord user;
    user.position = {record.sequence_number(), next++};
    user.aggregated = true;
    user.partition_key = message->partition_key_table(
        static_cast<int>(member.partition_key_index()));
    if (member.has_explicit_hash_key_index()) {
      user.explicit_hash_key = message->explicit_hash_key_table(
          static_cast<int>(member.explicit_hash_key_index()));
    }
    if (range != nullptr) {
      const auto key = HashKeyOf(user.partition_key, user.explicit_hash_key);
      if (key.has_value() && !range->Contains(*key)) {
        return to->resize(before);
      }
    }
    user.approximate_arrival_timestamp = TimeOf(record);
    user.data = std::move(*member.mutable_data());
    to->push_back(std::move(user));
  }
}

}  // namespace trireme::client
