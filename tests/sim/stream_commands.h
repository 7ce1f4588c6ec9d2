// The product's commands that change a stream, for simulations.
#ifndef TRIREME_TESTS_SIM_STREAM_COMMANDS_H_
#define TRIREME_TESTS_SIM_STREAM_COMMANDS_H_

#include <cstdint>
#include <string>

#include "storage/catalog.h"
#include "trireme/v1/command.pb.h"

namespace trireme::sim {

v1::Command CreateCommand(const std::string& name, uint32_t shards);
v1::Command DeleteCommand(const std::string& name);
// Before the hash key that so much of the shard's range is below.
v1::Command SplitCommand(const Stream& stream, uint32_t shard,
                         uint32_t percent);
v1::Command MergeCommand(const Stream& stream, uint32_t shard,
                         uint32_t adjacent);
v1::Command CountCommand(const Stream& stream, uint32_t target);
v1::Command RetentionCommand(const Stream& stream, uint32_t hours);
v1::Command ModeCommand(const Stream& stream, StreamMode mode);
// Empty: not encrypted.
v1::Command EncryptionCommand(const Stream& stream, const std::string& key_id);

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_STREAM_COMMANDS_H_
