// What the commands that reshard a stream do to the catalogue, as pure
// functions like all of catalog_commands.h (docs/decisions/0005).
#ifndef TRIREME_STORAGE_RESHARD_COMMANDS_H_
#define TRIREME_STORAGE_RESHARD_COMMANDS_H_

#include <cstdint>

#include "storage/catalog_decision.h"

namespace trireme {

namespace v1 {
class SplitShardCommand;
class MergeShardsCommand;
class UpdateShardCountCommand;
class CompleteReshardsCommand;
class CompleteForgetCommand;
class ForgetShardsCommand;
}  // namespace v1

CatalogDecision SplitShard(const CatalogState& state,
                           const v1::SplitShardCommand& command,
                           int64_t stamp_ms);
CatalogDecision MergeShards(const CatalogState& state,
                            const v1::MergeShardsCommand& command,
                            int64_t stamp_ms);
CatalogDecision UpdateShardCount(const CatalogState& state,
                                 const v1::UpdateShardCountCommand& command,
                                 int64_t stamp_ms);
CatalogDecision CompleteReshards(const CatalogState& state,
                                 const v1::CompleteReshardsCommand& command,
                                 int64_t stamp_ms);

CatalogDecision ForgetShards(const CatalogState& state,
                             const v1::ForgetShardsCommand& command,
                             int64_t stamp_ms);
CatalogDecision CompleteForget(const CatalogState& state,
                               const v1::CompleteForgetCommand& command);

}  // namespace trireme

#endif  // TRIREME_STORAGE_RESHARD_COMMANDS_H_
