// Candidates are the items that a page may hold, in the page's order: of a
// table, read piece by piece; or of an index, which is made from the table's
// items for each page.
//
// Lives as long as the page is read.
#ifndef TRIREME_SERVER_DYNAMODB_CANDIDATES_H_
#define TRIREME_SERVER_DYNAMODB_CANDIDATES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/dynamodb/page.h"
#include "server/dynamodb/table_reader.h"

namespace trireme::dynamodb {

class Candidates {
 public:
  // Both must outlive it. ValidationException for a start key that is none.
  static absl::StatusOr<Candidates> Open(const TableReader& reader,
                                         const PageRequest& request);

  // The next item's bytes; valid until the next call. Null at the end.
  const std::string* Next();

 private:
  Candidates(const TableReader& reader, const PageRequest& request)
      : reader_(reader), request_(request) {}

  absl::Status OpenTable();
  absl::Status OpenIndex();
  // Reads on, if there is more.
  bool Refill();
  // Where the item stands in the index; nothing when it is not in it.
  std::optional<std::string> PlaceOf(absl::string_view bytes,
                                     absl::string_view key) const;

  const TableReader& reader_;
  const PageRequest& request_;
  ItemRange range_;
  FoundItems found_;
  size_t next_ = 0;
};

// The segment of a parallel scan that an item is in.
uint32_t SegmentOf(const KeySchema& schema, absl::string_view item,
                   uint32_t total);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_CANDIDATES_H_
