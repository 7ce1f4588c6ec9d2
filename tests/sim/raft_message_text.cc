#include "tests/sim/raft_message_text.h"

#include "absl/strings/str_cat.h"

namespace trireme::sim {

using raft::MessageType;

const char* TypeName(MessageType type) {
  switch (type) {
    case MessageType::kPreVote:
      return "pre-vote";
    case MessageType::kPreVoteReply:
      return "pre-vote-reply";
    case MessageType::kVote:
      return "vote";
    case MessageType::kVoteReply:
      return "vote-reply";
    case MessageType::kAppend:
      return "append";
    case MessageType::kAppendReply:
      return "append-reply";
    case MessageType::kHeartbeat:
      return "heartbeat";
    case MessageType::kHeartbeatReply:
      return "heartbeat-reply";
    case MessageType::kSnapshot:
      return "snapshot";
    case MessageType::kTimeoutNow:
      return "timeout-now";
    case MessageType::kRecovered:
      return "recovered";
  }
  return "unknown";
}

std::string ToString(const raft::Message& message) {
  std::string text =
      absl::StrCat(TypeName(message.type), " ", message.from.value(), "->",
                   message.to.value(), " term ", message.term);
  const bool positioned = message.type != MessageType::kVoteReply &&
                          message.type != MessageType::kPreVoteReply &&
                          message.type != MessageType::kHeartbeatReply &&
                          message.type != MessageType::kTimeoutNow;
  if (positioned) {
    absl::StrAppend(&text, " log ", message.log_index, "/", message.log_term);
  }
  if (message.commit != 0) absl::StrAppend(&text, " commit ", message.commit);
  if (!message.entries.empty()) {
    absl::StrAppend(&text, " entries ", message.entries.front().index, "..",
                    message.entries.back().index);
  }
  if (message.reject) {
    absl::StrAppend(&text, " rejected hint ", message.hint_index, "/",
                    message.hint_term);
  } else if (message.type == MessageType::kAppendReply) {
    absl::StrAppend(&text, " match ", message.match);
  } else if (message.type == MessageType::kVoteReply ||
             message.type == MessageType::kPreVoteReply) {
    absl::StrAppend(&text, " granted");
  }
  if (message.recovering) absl::StrAppend(&text, " recovering");
  if (message.read_round != 0) {
    absl::StrAppend(&text, " round ", message.read_round);
  }
  if (message.transfer) absl::StrAppend(&text, " transfer");
  return text;
}

}  // namespace trireme::sim
