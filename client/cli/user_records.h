// `--deaggregate` of get and tail: the user records in the records of a stream.
// The caller serialises.
#ifndef TRIREME_CLIENT_CLI_USER_RECORDS_H_
#define TRIREME_CLIENT_CLI_USER_RECORDS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/console.h"
#include "client/client.h"
#include "client/hash_key.h"
#include "client/user_record.h"
#include "trireme/v1/records.pb.h"
#include "trireme/v1/streams.pb.h"

namespace trireme::cli {

class UserRecords {
 public:
  explicit UserRecords(Console& console) : console_(console) {}

  // `shards` of `stream`: aggregates that are not their shard's alone are left
  // out (client/aggregation.h), unless the stream puts records anywhere: then
  // hash keys tell nothing.
  absl::Status Learn(client::Client& client, const std::string& stream,
                     const std::vector<v1::Shard>& shards);
  // Another shard of it.
  void Learn(const v1::ChildShard& shard);

  // What the record holds, decompressed. One that cannot be is given as it is,
  // and said so.
  std::vector<client::UserRecord> In(const std::string& shard_id,
                                     const v1::Record& record);

 private:
  void Learn(const std::string& shard_id, const v1::HashKeyRange& range);

  Console& console_;  // Set at construction.

  bool by_hash_key_ = false;  // As the stream's records are put.

  std::map<std::string, client::HashKeyRange> ranges_;
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_USER_RECORDS_H_
