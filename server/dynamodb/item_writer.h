// ItemWriter carries planned writes out, all or none: it evaluates them against
// the items as this node knows them, and commits what comes of it by a
// compare-and-set of the items' versions (docs/decisions/0012). Whoever loses a
// race is told the items as they are and evaluates again. A condition that does
// not hold of what this node knows is evaluated again on what is fresh.
//
// Lives by itself until its callback was called.
#ifndef TRIREME_SERVER_DYNAMODB_ITEM_WRITER_H_
#define TRIREME_SERVER_DYNAMODB_ITEM_WRITER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/dynamodb/planned_write.h"
#include "server/dynamodb/table_reader.h"

namespace trireme::dynamodb {

struct WriteOutcome {
  // IsConditionFailed, or ValidationException of an update that does not suit
  // the item: then nothing is written, of the others either.
  absl::Status status;
  std::optional<Item> before;  // Not of a blind write.
  std::optional<Item> after;
};

class ItemWriter : public std::enable_shared_from_this<ItemWriter> {
 public:
  using Outcomes = std::vector<WriteOutcome>;
  // One each, in order; an error of the call as a whole otherwise.
  using Done = absl::AnyInvocable<void(absl::StatusOr<Outcomes>)>;

  static void Start(Broker* broker, std::vector<PlannedWrite> writes,
                    absl::Duration timeout, Done done);

 private:
  // An item as it was last heard of.
  struct Seen {
    TablePtr table;
    std::string key;
    ItemVersion version = 0;
    std::optional<Item> item;
  };

  ItemWriter(Broker* broker, std::vector<PlannedWrite> writes,
             absl::Duration timeout, Done done);

  // Looks at what this node knows, then tries.
  void Look();
  absl::Status ReadAll();
  absl::Status FindItems();
  // Evaluates and commits, or refuses.
  void Try();
  // False when one of the writes is refused.
  bool EvaluateAll(Outcomes* outcomes);
  void Commit(Outcomes outcomes);
  void OnCommitted(Outcomes outcomes,
                   absl::StatusOr<std::vector<WriteConflict>> conflicts);
  // The same again on what is fresh; refused with `why` if it was that already.
  void LookAgain(absl::StatusOr<Outcomes> why);
  absl::Duration left() const;

  // Set at construction.
  Broker* const broker_;
  const TableReader reader_;
  const std::vector<PlannedWrite> writes_;
  const absl::Duration deadline_;  // Of the monotonic clock.

  // One call after another; never two at a time.
  Done done_;
  std::vector<Seen> seen_;
  bool is_fresh_ = false;  // What was seen was so during this call.
  int tries_ = 0;
};

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_ITEM_WRITER_H_
