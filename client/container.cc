#include "client/container.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/error.h"

namespace trireme::client {
namespace {

constexpr char kCall[] = "PutRecordsStream";

// Of a member whose time is over; `why` may be OK.
absl::Status GivenUp(const Member& member, const absl::Status& why) {
  if (member.has_time_to_live) {
    return MakeError(
        absl::StatusCode::kDeadlineExceeded, kExpired, kCall,
        absl::StrCat("the record was not written within its time to live of ",
                     absl::FormatDuration(member.expires - member.put_at),
                     why.ok() ? "" : ": ", why.message()));
  }
  if (!why.ok()) return why;
  return MakeError(absl::StatusCode::kDeadlineExceeded, kNotConnected, kCall,
                   "the record was not sent in time");
}

}  // namespace

Container::Container(UserPut put) : record_(std::move(put.record)) {
  AddMember(std::move(put.member));
}

Container::Container(UserPut put, const ShardMap::Shard& shard)
    : aggregate_(std::make_unique<Aggregate>()),
      shard_id_(shard.id),
      stream_id_(shard.stream_id) {
  aggregate_->Add(std::move(put.record));
  AddMember(std::move(put.member));
}

void Container::AddMember(Member member) {
  bytes_ += member.bytes();
  expires_ = std::min(expires_, member.expires);
  members_.push_back(std::move(member));
}

bool Container::Join(UserPut& put, const AggregationOptions& limits) {
  const uint64_t key_bytes =
      put.record.partition_key.size() + put.record.explicit_hash_key.size();
  if (aggregate_->count() >= limits.aggregate_records_max ||
      key_bytes_ + key_bytes > kAggregateKeyBytesMax ||
      aggregate_->BytesWith(put.record) > limits.aggregate_bytes_max) {
    return false;
  }
  key_bytes_ += key_bytes;
  aggregate_->Add(std::move(put.record));
  AddMember(std::move(put.member));
  return true;
}

void Container::Seal() {
  seal_at = absl::InfiniteFuture();
  if (aggregate_ == nullptr || aggregate_->count() != 1) return;
  record_ = std::move(aggregate_->TakeRecords().front());
  aggregate_.reset();
}

void Container::FillEntry(Compressor* compressor,
                          v1::PutRecordsEntry* entry) const {
  if (is_aggregate()) {
    entry->set_partition_key(kAggregatePartitionKey);
    entry->set_explicit_hash_key(HashKeyText(aggregate_->FirstHashKey()));
    entry->set_data(aggregate_->Encode());
  } else {
    entry->set_partition_key(record_.partition_key);
    entry->set_explicit_hash_key(record_.explicit_hash_key);
    entry->set_data(record_.data);
  }
  entry->set_number(number);
  if (compressor == nullptr) return;
  if (auto compressed = compressor->Compress(entry->data());
      compressed.has_value()) {
    entry->set_data(*std::move(compressed));
  }
}

void Container::Succeed(Container container, const PutOutcome& outcome,
                        Outcomes& outcomes) {
  if (container.is_aggregate()) outcomes.Reserve(container.members_.size());
  PutOutcome of_member = outcome;
  for (Member& member : container.members_) {
    if (!member.is_told) outcomes.Add(member, of_member);
    outcomes.Release(member);
    ++of_member.sub_sequence_number;
  }
  outcomes.AddContainer();
  outcomes.Settle(container.number);
}

void Container::Fail(Container container, const absl::Status& why,
                     Outcomes& outcomes) {
  for (Member& member : container.members_) {
    if (!member.is_told) outcomes.Add(member, container.Error(why));
    outcomes.Release(member);
  }
  outcomes.Settle(container.number);
}

bool Container::GiveUpExpired(absl::Time now, const absl::Status& why,
                              Outcomes& outcomes) {
  if (now < expires_) return true;
  if (may_be_written) return GiveUpUnknown(now, outcomes);
  const absl::Status& cause = last_error.ok() ? why : last_error;
  for (UserPut& put : TakePuts()) {
    if (put.member.expires > now) {
      PutBack(std::move(put));
      continue;
    }
    const absl::Status error = GivenUp(put.member, cause);
    outcomes.AddError(error);
    outcomes.Add(put.member, error);
    outcomes.Release(put.member);
  }
  if (members_.empty()) {
    outcomes.Settle(number);
    return false;
  }
  if (seal_at == absl::InfiniteFuture()) Seal();
  return true;
}

bool Container::GiveUpUnknown(absl::Time now, Outcomes& outcomes) {
  bool is_awaited = false;
  expires_ = absl::InfiniteFuture();
  for (Member& member : members_) {
    if (member.is_told) continue;
    if (member.expires > now) {
      is_awaited = true;
      expires_ = std::min(expires_, member.expires);
      continue;
    }
    outcomes.AddError(last_error);
    outcomes.Add(member, last_error);
  }
  if (is_awaited) return true;
  outcomes.Settle(number);
  for (const Member& member : members_) outcomes.Release(member);
  return false;
}

void Container::PutBack(UserPut put) {
  if (is_aggregate()) {
    aggregate_->Add(std::move(put.record));
  } else {
    record_ = std::move(put.record);
  }
  AddMember(std::move(put.member));
}

std::vector<Container> Container::Halve(Container container) {
  const ShardMap::Shard shard{container.stream_id_, container.shard_id_, {}, 0};
  std::vector<UserPut> puts = container.TakePuts();
  std::vector<Container> halves;
  for (size_t i = 0; i < puts.size(); ++i) {
    if (i == 0 || i == puts.size() / 2) {
      Container& half = halves.emplace_back(std::move(puts[i]), shard);
      half.attempts = container.attempts;
      half.last_error = container.last_error;
      half.alone = true;
    } else {
      halves.back().PutBack(std::move(puts[i]));
    }
  }
  for (Container& half : halves) half.Seal();
  halves.front().number = container.number;
  return halves;
}

bool Container::BelongsAsBefore(const ShardMap& shards) const {
  const ShardMap::Shard* const shard =
      shards.ShardOf(aggregate_->FirstHashKey());
  return shard != nullptr && shard->id == shard_id_;
}

std::vector<UserPut> Container::TakePuts() {
  std::vector<UserPut> puts;
  puts.reserve(members_.size());
  if (is_aggregate()) {
    for (ProducerRecord& record : aggregate_->TakeRecords()) {
      puts.emplace_back().record = std::move(record);
    }
  } else {
    puts.emplace_back().record = std::move(record_);
  }
  for (size_t i = 0; i < puts.size(); ++i) {
    puts[i].member = std::move(members_[i]);
  }
  members_.clear();
  bytes_ = 0;
  expires_ = absl::InfiniteFuture();
  return puts;
}

}  // namespace trireme::client
