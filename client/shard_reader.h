// Reads one shard with iterators, page by page. Renews an iterator that
// expired (300 seconds) behind the last record read, so a slow reader neither
// fails nor reads twice. One thread.
#ifndef TRIREME_CLIENT_SHARD_READER_H_
#define TRIREME_CLIENT_SHARD_READER_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/client.h"

namespace trireme::client {

class ShardReader {
 public:
  // `client` must outlive it.
  ShardReader(Client& client, std::string stream_name, std::string shard_id,
              v1::StartingPosition from)
      : client_(client),
        stream_name_(std::move(stream_name)),
        shard_id_(std::move(shard_id)),
        position_(std::move(from)) {}

  // The next page of up to `limit` records, which may be empty.
  absl::StatusOr<v1::GetRecordsResponse> Next(int limit = 10'000);

  // The shard is closed and read to its end.
  bool at_end() const { return at_end_; }
  // The last page was empty and nothing was behind it: all is read for now.
  bool caught_up() const { return caught_up_; }

 private:
  // Set at construction.
  Client& client_;
  const std::string stream_name_;
  const std::string shard_id_;

  v1::StartingPosition position_;
  std::string iterator_;
  bool at_end_ = false;
  bool caught_up_ = false;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_SHARD_READER_H_
