#include "server/dynamodb/candidates.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/dynamodb_error.h"
#include "server/dynamodb/item_bytes.h"
#include "server/dynamodb/item_keys.h"
#include "storage/crc32c.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

absl::Status InvalidStart() {
  return ValidationError("The provided starting key is invalid");
}

// The lowest bytes above all that begin with `prefix`; empty: there are none.
std::string EndOfPrefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

bool HasPart(const Item& key, const KeyPart& part) {
  const auto found = key.find(part.name);
  return found != key.end() && found->second.type == part.type;
}

}  // namespace

uint32_t SegmentOf(const KeySchema& schema, absl::string_view item,
                   uint32_t total) {
  const std::optional<AttributeValue> hash =
      FindAttribute(item, schema[0].name);
  // Alike on all nodes: the next page may be read on another.
  return hash.has_value() ? Crc32c(OrderedBytes(*hash)) % total : 0;
}

absl::StatusOr<Candidates> Candidates::Open(const TableReader& reader,
                                            const PageRequest& request) {
  Candidates candidates(reader, request);
  candidates.range_.table = request.table->found.number;
  RETURN_IF_ERROR(request.index == nullptr ? candidates.OpenTable()
                                           : candidates.OpenIndex());
  return candidates;
}

absl::Status Candidates::OpenTable() {
  range_.backwards = request_.backwards;
  if (request_.keys.has_value()) {
    range_.from = OrderedBytes(request_.keys->hash);
    range_.to = EndOfPrefix(range_.from);
  }
  if (request_.start_key.has_value()) {
    absl::StatusOr<std::string> start =
        KeyBytes(*request_.table, *request_.start_key);
    if (!start.ok() || *start < range_.from ||
        (!range_.to.empty() && *start >= range_.to)) {
      return InvalidStart();
    }
    if (range_.backwards) {
      range_.to = *std::move(start);
    } else {
      range_.from = *std::move(start) + '\0';
    }
  }
  found_ = reader_.tables().List(range_);
  return absl::OkStatus();
}

bool Candidates::Refill() {
  if (!found_.has_more) return false;
  const std::string& last = found_.items.back().key;
  if (range_.backwards) {
    range_.to = last;
  } else {
    range_.from = last + '\0';
  }
  found_ = reader_.tables().List(range_);
  next_ = 0;
  return !found_.items.empty();
}

const std::string* Candidates::Next() {
  if (next_ == found_.items.size() && !Refill()) return nullptr;
  return found_.items[next_++].item.bytes.get();
}

std::optional<std::string> Candidates::PlaceOf(absl::string_view bytes,
                                               absl::string_view key) const {
  std::string place;
  for (size_t i = 0; i < request_.index->key.size(); ++i) {
    const KeyPart& part = request_.index->key[i];
    const std::optional<AttributeValue> value = FindAttribute(bytes, part.name);
    if (!value.has_value() || value->type != part.type) return std::nullopt;
    if (i == 0 && request_.keys.has_value() && *value != request_.keys->hash) {
      return std::nullopt;
    }
    place += OrderedBytes(*value);
  }
  return absl::StrCat(place, key);
}

absl::Status Candidates::OpenIndex() {
  std::string start;
  if (request_.start_key.has_value()) {
    const Item& given = *request_.start_key;
    for (const KeyPart& part : request_.index->key) {
      if (!HasPart(given, part)) return InvalidStart();
    }
    const KeySchema& table_key = request_.table->definition.key;
    const absl::StatusOr<std::string> key =
        KeyBytes(*request_.table, KeyOf(table_key, given));
    if (!key.ok()) return InvalidStart();
    const std::optional<std::string> place = PlaceOf(EncodeItem(given), *key);
    if (!place.has_value()) return InvalidStart();
    start = *place;
  }
  FoundItems placed;
  found_ = reader_.tables().List(range_);
  do {
    for (FoundItem& found : found_.items) {
      std::optional<std::string> place = PlaceOf(*found.item.bytes, found.key);
      if (!place.has_value()) continue;
      const bool is_behind =
          start.empty() ||
          (request_.backwards ? *place < start : *place > start);
      if (is_behind) {
        placed.items.push_back({*std::move(place), std::move(found.item)});
      }
    }
  } while (Refill());
  std::sort(placed.items.begin(), placed.items.end(),
            [this](const FoundItem& a, const FoundItem& b) {
              return request_.backwards ? b.key < a.key : a.key < b.key;
            });
  found_ = std::move(placed);
  next_ = 0;
  return absl::OkStatus();
}

}  // namespace trireme::dynamodb
