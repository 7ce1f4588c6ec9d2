// What the commands that change a stream's retention do to the catalogue, as
// pure functions like all of catalog_commands.h.
#ifndef TRIREME_STORAGE_RETENTION_COMMANDS_H_
#define TRIREME_STORAGE_RETENTION_COMMANDS_H_

#include <cstdint>

#include "storage/catalog_decision.h"

namespace trireme {

namespace v1 {
class CompleteRetentionCommand;
class UpdateRetentionCommand;
}  // namespace v1

CatalogDecision UpdateRetention(const CatalogState& state,
                                const v1::UpdateRetentionCommand& command);
CatalogDecision CompleteRetention(const CatalogState& state,
                                  const v1::CompleteRetentionCommand& command,
                                  int64_t stamp_ms);

}  // namespace trireme

#endif  // TRIREME_STORAGE_RETENTION_COMMANDS_H_
