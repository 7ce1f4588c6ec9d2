// Parts of requests and answers that several operations share
// (kinesis-contract.md §1.1). Each Write adds members to the map that is open.
#ifndef TRIREME_SERVER_KINESIS_DESCRIPTIONS_H_
#define TRIREME_SERVER_KINESIS_DESCRIPTIONS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "server/api.h"
#include "server/aws/message_writer.h"
#include "server/consumer_api.h"
#include "server/record_encoding.h"
#include "server/resource_names.h"
#include "server/shard_lineage.h"
#include "storage/catalog.h"
#include "storage/hash_key.h"

namespace trireme {

absl::string_view StreamModeName(StreamMode mode);
StreamMode StreamModeNamed(absl::string_view name);
RecordDistribution RecordDistributionNamed(absl::string_view name);

void WriteNames(const Stream& stream, const Account& account,
                MessageWriter* writer);
// What all descriptions of a stream have.
void WriteSummary(const Stream& stream, const Account& account,
                  MessageWriter* writer);
// What the two full descriptions have beyond that.
void WriteSettings(const Stream& stream, MessageWriter* writer);
void WriteShards(const std::vector<const Shard*>& shards,
                 MessageWriter* writer);
// Nothing when there are none.
void WriteChildShards(const std::vector<ChildShard>& children,
                      MessageWriter* writer);
// `encrypted`: their stream is.
void WriteRecords(const RecordRun& records, bool encrypted,
                  MessageWriter* writer);
// Where a record was put; and, of one of a batch, that or why it was not.
void WritePlace(const PutResult& put, MessageWriter* writer);
void WritePlaceOrError(const PutResult& put, MessageWriter* writer);
// Nothing when the stream is not encrypted, as the service does.
void WriteEncryptionType(bool encrypted, MessageWriter* writer);
void WriteStrings(absl::string_view name,
                  const std::vector<absl::string_view>& values,
                  MessageWriter* writer);
// [{Key, Value}, ...].
void WriteTags(const Tags& tags, MessageWriter* writer);
void WriteWarmThroughput(const WarmThroughput& warm, MessageWriter* writer);
void WriteConsumer(const FoundConsumer& consumer, absl::string_view status,
                   const Account& account, MessageWriter* writer);
// Nothing when it is empty.
void WriteNextToken(absl::string_view token, MessageWriter* writer);
void WriteCommitment(const AccountSettings& settings, MessageWriter* writer);

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_DESCRIPTIONS_H_
