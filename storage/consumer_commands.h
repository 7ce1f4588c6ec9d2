// What the commands about registered consumers do to the catalogue, as pure
// functions like all of catalog_commands.h.
#ifndef TRIREME_STORAGE_CONSUMER_COMMANDS_H_
#define TRIREME_STORAGE_CONSUMER_COMMANDS_H_

#include <cstdint>

#include "storage/catalog_decision.h"

namespace trireme {

namespace v1 {
class DeregisterConsumerCommand;
class RegisterConsumerCommand;
class TagConsumerCommand;
}  // namespace v1

CatalogDecision RegisterConsumer(const CatalogState& state,
                                 const v1::RegisterConsumerCommand& command,
                                 int64_t stamp_ms);
CatalogDecision DeregisterConsumer(
    const CatalogState& state, const v1::DeregisterConsumerCommand& command);
CatalogDecision TagConsumer(const CatalogState& state,
                            const v1::TagConsumerCommand& command);

}  // namespace trireme

#endif  // TRIREME_STORAGE_CONSUMER_COMMANDS_H_
