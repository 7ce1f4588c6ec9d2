// A stream of the catalogue as a row of the store, and back
// (proto/trireme/v1/command.proto, StreamRow).
#ifndef TRIREME_STORAGE_CATALOG_TABLES_H_
#define TRIREME_STORAGE_CATALOG_TABLES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/catalog.h"

namespace trireme {

std::string EncodeStream(const Stream& stream);
// DataLoss for what is not a stream: bad ranges, shards out of order, open
// shards that do not cover the hash key space.
absl::StatusOr<std::shared_ptr<const Stream>> DecodeStream(
    absl::string_view row);

// Fills `open` from the shards that have no end.
void ListOpenShards(Stream* stream);

}  // namespace trireme

#endif  // TRIREME_STORAGE_CATALOG_TABLES_H_
