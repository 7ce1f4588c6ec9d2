// What writers were told: one row for each record that was ever sent, and the
// checker that compares the rows with what a cluster holds afterwards. A record
// is known by its id alone; its key and data follow from the id, so damaged
// bytes are found too. Any thread; Check after the writers have ended.
#ifndef TRIREME_TESTS_CLUSTER_HISTORY_H_
#define TRIREME_TESTS_CLUSTER_HISTORY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trireme/v1/records.pb.h"

namespace trireme {

enum class Outcome {
  kUnknown,  // Also: not answered yet.
  kAcked,
  kRefused,  // Definitely not written.
};

// Where a record was stored, as the API says it.
struct Place {
  std::string shard_id;
  std::string sequence_number;
};

struct Write {
  int writer = 0;
  std::string key;
  std::string data;
  Outcome outcome = Outcome::kUnknown;
  Place place;  // When acked.
  absl::Time invoked;
  absl::Time answered;  // When acked.
  int sends = 0;        // More than one: may have been overtaken.
};

// A shard's records as one reader got them, in its order.
using ShardRecords = std::vector<v1::Record>;
using StreamRecords = std::map<std::string, ShardRecords>;  // By shard id.

class History {
 public:
  // A new record of `writer`; the result is its id. Its data are unlike those
  // of any other.
  uint64_t Invoke(int writer, absl::string_view key, size_t data_bytes);
  std::string key(uint64_t id) const;
  std::string data(uint64_t id) const;
  void Sent(uint64_t id);
  void Acked(uint64_t id, Place place);
  void Refused(uint64_t id);
  void Unknown(uint64_t id);

  size_t acked_count() const;
  size_t unknown_count() const;
  size_t refused_count() const;
  // Waits until each of `shards` shards has `count` acks more than now, so
  // that no shard without a leader goes unseen. False: timeout.
  bool AwaitAcked(size_t count, size_t shards, absl::Duration timeout);
  // The longest time between two acks of one shard that overlaps the time from
  // `start` on. A shard without an ack after `start` counts until now.
  absl::Duration LongestGap(absl::Time start) const;

  // The longest that a write which began after `start` waited for its ack.
  absl::Duration LongestWait(absl::Time start) const;

  // Everything that must hold of what one reader got; all findings, or OK.
  absl::Status Check(const StreamRecords& stored) const;

 private:
  // Set by Check; errors are gathered up to a limit.
  struct Findings;
  // The ids of the records, in their order.
  std::vector<uint64_t> CheckShard(const std::string& shard,
                                   const ShardRecords& records,
                                   std::vector<int>* times_seen,
                                   Findings* findings) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CheckRealTimeOrder(const std::string& shard,
                          const std::vector<uint64_t>& ids,
                          Findings* findings) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // `ids`: of all shards, parents before their children.
  void CheckKeyOrder(const std::vector<uint64_t>& ids, Findings* findings) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  std::vector<Write> writes_ ABSL_GUARDED_BY(mu_);  // By id.
  std::map<std::string, size_t> acked_by_shard_ ABSL_GUARDED_BY(mu_);
  size_t acked_ ABSL_GUARDED_BY(mu_) = 0;
  size_t unknown_ ABSL_GUARDED_BY(mu_) = 0;  // Told so.
  size_t refused_ ABSL_GUARDED_BY(mu_) = 0;
};

// A later reader got what an earlier one got, and perhaps more at the end of a
// shard: writes of unknown outcome may still be under way between the two.
absl::Status CheckContinues(absl::string_view earlier_name,
                            const StreamRecords& earlier,
                            absl::string_view later_name,
                            const StreamRecords& later);

}  // namespace trireme

#endif  // TRIREME_TESTS_CLUSTER_HISTORY_H_
