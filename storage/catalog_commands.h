// What commands to the meta group do to the catalogue, as a pure function of
// the catalogue and the command: every replica decides the same. The
// StateMachine writes and publishes the decision.
#ifndef TRIREME_STORAGE_CATALOG_COMMANDS_H_
#define TRIREME_STORAGE_CATALOG_COMMANDS_H_

#include <cstdint>

#include "storage/catalog_decision.h"

namespace trireme {

namespace v1 {
class Command;
}

// True for commands to the meta group.
bool IsCatalogCommand(const v1::Command& command);
CatalogDecision DecideCatalogCommand(const CatalogState& state,
                                     const v1::Command& command,
                                     int64_t stamp_ms);

}  // namespace trireme

#endif  // TRIREME_STORAGE_CATALOG_COMMANDS_H_
