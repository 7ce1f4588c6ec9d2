#include "server/dynamodb/page.h"

#include <utility>

#include "server/dynamodb/candidates.h"
#include "server/dynamodb/condition.h"
#include "server/dynamodb/item_bytes.h"
#include "server/dynamodb/item_keys.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr size_t kPageBytesMax = 1u << 20;

// The key that the next page begins behind.
Item LastKeyOf(const PageRequest& request, const Item& item) {
  Item key = KeyOf(request.table->definition.key, item);
  if (request.index != nullptr) key.merge(KeyOf(request.index->key, item));
  return key;
}

// What the index holds of an item.
Item ProjectedInto(const PageRequest& request, Item item) {
  if (request.index == nullptr ||
      request.index->projection == Projection::kAll) {
    return item;
  }
  Item projected = LastKeyOf(request, item);
  for (const std::string& name : request.index->projected) {
    const auto found = item.find(name);
    if (found != item.end()) projected.insert(*found);
  }
  return projected;
}

}  // namespace

absl::StatusOr<Page> ReadPage(const TableReader& reader,
                              const PageRequest& request) {
  ASSIGN_OR_RETURN(Candidates candidates, Candidates::Open(reader, request));
  Page page;
  size_t bytes = 0;
  while (const std::string* const stored = candidates.Next()) {
    if (request.segment.total > 1 &&
        SegmentOf(request.schema(), *stored, request.segment.total) !=
            request.segment.number) {
      continue;
    }
    ASSIGN_OR_RETURN(Item item, DecodeItem(*stored));
    if (request.keys.has_value() && request.keys->range.has_value() &&
        !Holds(*request.keys->range, item)) {
      continue;
    }
    item = ProjectedInto(request, std::move(item));
    ++page.looked_at;
    bytes += StoredBytes(item);
    Item last_key = LastKeyOf(request, item);
    if (!request.filter.has_value() || Holds(*request.filter, item)) {
      page.items.push_back(std::move(item));
    }
    if (page.looked_at == request.items_max || bytes >= kPageBytesMax) {
      page.last_key = std::move(last_key);
      break;
    }
  }
  return page;
}

}  // namespace trireme::dynamodb
