// A message of the consensus core as one line of text, for traces and for the
// expectations of scenarios.
#ifndef TRIREME_TESTS_SIM_RAFT_MESSAGE_TEXT_H_
#define TRIREME_TESTS_SIM_RAFT_MESSAGE_TEXT_H_

#include <string>

#include "replication/raft/message.h"

namespace trireme::sim {

// "append", "vote-reply", ...
const char* TypeName(raft::MessageType type);
// "append 1->2 term 3 log 5/2 commit 4 entries 6..8"; zero fields left out.
std::string ToString(const raft::Message& message);

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_RAFT_MESSAGE_TEXT_H_
