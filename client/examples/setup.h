// What the examples begin with: a client, the streams they use, a name for the
// run, and how they read.
#ifndef TRIREME_CLIENT_EXAMPLES_SETUP_H_
#define TRIREME_CLIENT_EXAMPLES_SETUP_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/client.h"
#include "client/consumer.h"
#include "client/producer.h"

namespace trireme::examples {

// One that has been answered: errors say so at once when nobody listens.
absl::StatusOr<std::unique_ptr<client::Client>> Connect(
    const std::vector<std::string>& endpoints);

// One that exists is left as it is, whatever its shards.
absl::Status MakeStreamIfMissing(client::Client& client,
                                 const std::string& name, int shards);

// A name that no other run has. All records carry it, so that a run is not
// confused by what earlier ones left in the streams.
std::string NewRun();

// For BatchOptions::filters: the records of this run.
std::string FilterOf(const std::string& run);

// A worker of `group`. A service would read from TRIM_HORIZON, with a group
// name that never changes; an example wants what is put from now on. A minute
// is for clocks that differ.
client::ConsumerOptions ReadingFromNow(const std::string& stream,
                                       const std::string& group);

// Keeps the first error that records of a Producer met. Must outlive it.
class PutErrors {
 public:
  client::PutCallback Note();
  absl::Status first();

 private:
  absl::Mutex mu_;
  absl::Status first_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_SETUP_H_
