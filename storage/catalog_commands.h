// What commands to the meta group do to the catalogue, as a pure function of
// the catalogue and the command: every replica decides the same. The
// StateMachine writes and publishes the decision.
#ifndef TRIREME_STORAGE_CATALOG_COMMANDS_H_
#define TRIREME_STORAGE_CATALOG_COMMANDS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "storage/catalog.h"

namespace trireme {

namespace v1 {
class Command;
}

// Bounds what one command may make every replica allocate; the service's own
// limits are checked by whoever proposes.
inline constexpr uint32_t kStreamShardsMax = 1'000'000;

struct CatalogState {
  const Catalog& catalog;
  uint32_t next_stream_id = 1;
  uint32_t group_count = 0;  // The meta group included.
};

struct CatalogDecision {
  absl::Status status;  // Not OK: nothing changes.
  std::string reply;
  std::shared_ptr<const Stream> put;  // Null: none.
  std::optional<StreamId> remove;
  std::optional<uint32_t> next_stream_id;
};

// True for commands to the meta group.
bool IsCatalogCommand(const v1::Command& command);
CatalogDecision DecideCatalogCommand(const CatalogState& state,
                                     const v1::Command& command,
                                     int64_t stamp_ms);

}  // namespace trireme

#endif  // TRIREME_STORAGE_CATALOG_COMMANDS_H_
