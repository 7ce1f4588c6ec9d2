#include "client/cli/user_records.h"

#include "client/aggregation.h"
#include "client/unpack.h"

namespace trireme::cli {

absl::Status UserRecords::Learn(client::Client& client,
                                const std::string& stream,
                                const std::vector<v1::Shard>& shards) {
  const auto summary = client.DescribeStreamSummary(stream);
  if (!summary.ok()) return summary.status();
  by_hash_key_ = summary->record_distribution_strategy() != v1::AUTO;
  for (const v1::Shard& shard : shards) {
    Learn(shard.shard_id(), shard.hash_key_range());
  }
  return absl::OkStatus();
}

void UserRecords::Learn(const v1::ChildShard& shard) {
  Learn(shard.shard_id(), shard.hash_key_range());
}

void UserRecords::Learn(const std::string& shard_id,
                        const v1::HashKeyRange& range) {
  if (!by_hash_key_) return;
  if (const auto parsed = client::ParseHashKeyRange(range);
      parsed.has_value()) {
    ranges_[shard_id] = *parsed;
  }
}

std::vector<client::UserRecord> UserRecords::In(const std::string& shard_id,
                                                const v1::Record& record) {
  const auto known = ranges_.find(shard_id);
  const client::HashKeyRange* const range =
      known == ranges_.end() ? nullptr : &known->second;
  std::vector<client::UserRecord> records;
  const absl::Status status = client::Unpack(record, range, &records);
  if (!status.ok()) {
    console_.err << "trireme: " << shard_id << ", " << record.sequence_number()
                 << ": " << std::string(status.message())
                 << "; shown as it is\n";
    records.push_back(client::AsItIs(record));
  }
  return records;
}

}  // namespace trireme::cli
