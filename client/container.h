// A record of the stream on its way there: one user record as it is, or an
// aggregate of several of one shard; and what its Producer knows of it. Owned
// by a lane.
#ifndef TRIREME_CLIENT_CONTAINER_H_
#define TRIREME_CLIENT_CONTAINER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/aggregation.h"
#include "client/compression.h"
#include "client/hash_key.h"
#include "client/outcomes.h"
#include "client/producer_options.h"
#include "client/producer_record.h"
#include "client/shard_map.h"

namespace trireme::client {

// A user record that Put was given.
struct UserPut {
  ProducerRecord record;  // Its tag and time to live are the member's.
  Member member;
};

class Container {
 public:
  explicit Container(UserPut put);
  // Others of `shard` may join it.
  Container(UserPut put, const ShardMap::Shard& shard);

  // Takes the record if the limits allow it.
  bool Join(UserPut& put, const AggregationOptions& limits);
  // About how long its entry of a request is, uncompressed.
  uint64_t EntryBytes() const {
    constexpr uint64_t kFieldsAndHashKey = 64;
    return kFieldsAndHashKey + (is_aggregate() ? aggregate_->bytes() : bytes_);
  }
  // No one joins it any more: one user record alone goes as it is.
  void Seal();

  bool is_aggregate() const { return aggregate_ != nullptr; }
  const absl::InlinedVector<Member, 1>& members() const { return members_; }
  // When the first of those expires whose outcome is not told.
  absl::Time expires() const { return expires_; }
  // The shard that all its members belonged to, and whose shard that is. Empty:
  // not known.
  const std::string& shard_id() const { return shard_id_; }
  const std::string& stream_id() const { return stream_id_; }

  // `compressor`: null for none.
  void FillEntry(Compressor* compressor, v1::PutRecordsEntry* entry) const;

  // What is told when it ends with `why`.
  const absl::Status& Error(const absl::Status& why) const {
    return may_be_written ? last_error : why;
  }
  void KeepError(const absl::Status& why) {
    if (!may_be_written) last_error = why;
  }

  // Every member that is not told yet gets the outcome.
  static void Succeed(Container container, const PutOutcome& outcome,
                      Outcomes& outcomes);
  static void Fail(Container container, const absl::Status& why,
                   Outcomes& outcomes);
  // Gives up members whose time is over, for `why` unless an attempt has
  // failed. They leave it, unless it may be written: then it stays what it is,
  // for its number stands for that. False when nobody waits for it any more;
  // then it is finished.
  bool GiveUpExpired(absl::Time now, const absl::Status& why,
                     Outcomes& outcomes);
  // Leaves it empty.
  std::vector<UserPut> TakePuts();
  // An aggregate's members in two aggregates, which are `alone`; the first one
  // has its number.
  static std::vector<Container> Halve(Container container);
  // Of an aggregate: an open shard of that id has its first member's hash key.
  bool BelongsAsBefore(const ShardMap& shards) const;

  // In exactly-once delivery; it is the container's in all attempts. 0: none.
  uint64_t number = 0;
  int attempts = 0;
  absl::Status last_error;
  bool alone = false;  // Shared a request that was refused as a whole.
  // An attempt had an unknown outcome: no later one can say that the record
  // was not written.
  bool may_be_written = false;
  // Where it was written; it is not known yet which members belong there.
  std::optional<PutOutcome> misplaced;
  absl::Time seal_at = absl::InfiniteFuture();  // While others may join it.

 private:
  void AddMember(Member member);
  void PutBack(UserPut put);  // That TakePuts has taken.
  bool GiveUpUnknown(absl::Time now, Outcomes& outcomes);

  // One of the two.
  ProducerRecord record_;
  std::unique_ptr<Aggregate> aggregate_;

  absl::InlinedVector<Member, 1> members_;  // In order.
  uint64_t bytes_ = 0;
  uint64_t key_bytes_ = 0;  // Of those that joined.
  absl::Time expires_ = absl::InfiniteFuture();
  std::string shard_id_;
  std::string stream_id_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_CONTAINER_H_
