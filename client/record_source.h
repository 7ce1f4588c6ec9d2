// Where the records of one shard come from, page by page: pushed by a
// subscription or read with iterators (client/shard_consumer.h).
#ifndef TRIREME_CLIENT_RECORD_SOURCE_H_
#define TRIREME_CLIENT_RECORD_SOURCE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"

namespace trireme::client {

struct RecordPage {
  std::vector<v1::Record> records;  // In the order of the shard.
  absl::Duration behind_latest;
  bool at_end = false;  // The shard is closed, and these are its last.
};

// One thread, but for Interrupt.
class RecordSource {
 public:
  virtual ~RecordSource() = default;

  // Waits for the next page: none when `until` came first, on Interrupt, or
  // after an error that is tried again.
  // Errors: those that repeating does not cure; the source is used up then.
  virtual absl::StatusOr<std::optional<RecordPage>> Next(absl::Time until) = 0;
  // Ends Next soon, or the next one. Any thread.
  virtual void Interrupt() = 0;
};

struct ShardStart {
  std::string stream_name;
  std::string shard_id;
  v1::StartingPosition from;
  // Optional: what went wrong and is tried again.
  std::function<void(const absl::Status&)> on_error = {};
};

// By SubscribeToShard. Holds `bytes_max` of records, or one event, and lets the
// server wait meanwhile; all that is held is one page. `client` must outlive
// it, below too.
std::unique_ptr<RecordSource> PushFrom(Client& client, const ShardStart& start,
                                       size_t bytes_max);
// By GetRecords: at once while there is more, else every `idle_interval`.
std::unique_ptr<RecordSource> PollFrom(Client& client, const ShardStart& start,
                                       int records_max,
                                       absl::Duration idle_interval);

// The number behind which the shard's next record will come. Waits until
// somebody tells, or `until`: DeadlineExceeded. Empty: the shard is closed.
absl::StatusOr<std::string> FindTip(Client& client, const std::string& stream,
                                    const std::string& shard_id,
                                    absl::Time until);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_RECORD_SOURCE_H_
