// What the commands that change tags, settings and policies do to the
// catalogue, as pure functions like all of catalog_commands.h.
#ifndef TRIREME_STORAGE_SETTINGS_COMMANDS_H_
#define TRIREME_STORAGE_SETTINGS_COMMANDS_H_

#include <cstdint>

#include "storage/catalog_decision.h"

namespace trireme {

namespace v1 {
class TagStreamCommand;
class UpdateStreamSettingsCommand;
class SetPolicyCommand;
class ChangeMonitoringCommand;
class ChangeEncryptionCommand;
class UpdateAccountSettingsCommand;
class ChangeCapacityCommand;
}  // namespace v1

CatalogDecision TagStream(const CatalogState& state,
                          const v1::TagStreamCommand& command);
CatalogDecision UpdateStreamSettings(
    const CatalogState& state, const v1::UpdateStreamSettingsCommand& command);
CatalogDecision SetPolicy(const CatalogState& state,
                          const v1::SetPolicyCommand& command);
CatalogDecision ChangeMonitoring(const CatalogState& state,
                                 const v1::ChangeMonitoringCommand& command);
CatalogDecision ChangeEncryption(const CatalogState& state,
                                 const v1::ChangeEncryptionCommand& command,
                                 int64_t stamp_ms);
CatalogDecision ChangeCapacity(const CatalogState& state,
                               const v1::ChangeCapacityCommand& command,
                               int64_t stamp_ms);
CatalogDecision UpdateAccountSettings(
    const CatalogState& state, const v1::UpdateAccountSettingsCommand& command,
    int64_t stamp_ms);

}  // namespace trireme

#endif  // TRIREME_STORAGE_SETTINGS_COMMANDS_H_
