// What the commands that change a stream's tags and settings do to the
// catalogue, as pure functions like all of catalog_commands.h.
#ifndef TRIREME_STORAGE_SETTINGS_COMMANDS_H_
#define TRIREME_STORAGE_SETTINGS_COMMANDS_H_

#include "storage/catalog_decision.h"

namespace trireme {

namespace v1 {
class TagStreamCommand;
class UpdateStreamSettingsCommand;
}  // namespace v1

CatalogDecision TagStream(const CatalogState& state,
                          const v1::TagStreamCommand& command);
CatalogDecision UpdateStreamSettings(
    const CatalogState& state, const v1::UpdateStreamSettingsCommand& command);

}  // namespace trireme

#endif  // TRIREME_STORAGE_SETTINGS_COMMANDS_H_
