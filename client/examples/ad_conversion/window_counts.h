// Counts the events of one shard, of clicks or of orders, by their minute and
// ad. The counts are the state of a tumbling window; when the window ends they
// are put to the stream of counts as one record:
//
//   {"run": "5f..", "stream": "clickstream", "shard": "shardId-000000000000",
//    "first": "4967...0", "minute_over": 28930001,
//    "minutes": {"28930001": {"ad-0": 17, "ad-3": 9}}}
//
// `first` is the position of the first record that is counted. Windows
// that are handled again, after a failure or by another worker, begin with the
// same record: who reads the counts knows them by it. Every record of the
// shard up to `minute_over` is in this window or in one before.
#ifndef TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_WINDOW_COUNTS_H_
#define TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_WINDOW_COUNTS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "client/batch_function.h"
#include "client/client.h"

namespace trireme::examples {

class WindowCounts : public client::BatchFunction {
 public:
  // `client` must outlive it.
  WindowCounts(client::Client& client, std::string counts_stream,
               std::string run)
      : client_(client),
        counts_stream_(std::move(counts_stream)),
        run_(std::move(run)) {}

  client::BatchResult Handle(const client::Batch& batch) override;

 private:
  std::string NewState(const client::Batch& batch) const;
  absl::Status Put(const client::Batch& batch);

  client::Client& client_;
  const std::string counts_stream_;
  const std::string run_;
};

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_AD_CONVERSION_WINDOW_COUNTS_H_
