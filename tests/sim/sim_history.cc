#include "tests/sim/sim_history.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/entry_payload.h"
#include "storage/record.h"

namespace trireme::sim {
namespace {

bool SameBytes(const Payload& a, const Payload& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr && *a == *b;
}

RecordId NumberAtFront(absl::string_view text) {
  RecordId id = 0;
  return absl::SimpleAtoi(text.substr(0, text.find(' ')), &id) ? id : 0;
}

}  // namespace

void History::Fail(absl::string_view checker, absl::string_view what) {
  trace_->Add(absl::StrCat("FAILED ", checker, ": ", what));
  failures_.push_back(absl::StrCat(checker, ": ", what));
}

void History::OnMessage(GroupId group, const raft::Message& message) {
  if (message.type != raft::MessageType::kAppend &&
      message.type != raft::MessageType::kHeartbeat &&
      message.type != raft::MessageType::kSnapshot) {
    return;
  }
  const auto [leader, is_new] =
      leaders_.try_emplace({group, message.term}, message.from);
  if (is_new || leader->second == message.from) return;
  Fail("election_safety",
       absl::StrCat("nodes ", leader->second.value(), " and ",
                    message.from.value(), " lead group ", group.value(),
                    " in term ", message.term));
}

void History::OnApplied(NodeId node, const CommittedEntry& entry,
                        const ApplyResult& result, int64_t stamp_ms,
                        uint32_t state) {
  auto& log = committed_[entry.group.value()];
  if (entry.index == log.size() + 1) {
    if (!log.empty() && stamp_ms < log.back().stamp_ms) {
      Fail("sequence_order", absl::StrCat("entry ", entry.index, " of group ",
                                          entry.group.value(), " is stamped ",
                                          log.back().stamp_ms - stamp_ms,
                                          " ms before its predecessor"));
    }
    log.push_back({entry.term, entry.payload, stamp_ms, state});
    OnFirstApplied(entry, result);
    return;
  }
  CheckHeld(node, entry.group, entry.index, entry.term, entry.payload);
  if (entry.index <= log.size() && log[entry.index - 1].state != state) {
    Fail("log_agreement",
         absl::StrCat("node ", node.value(), " made another state of entry ",
                      entry.index, " of group ", entry.group.value()));
  }
}

void History::CheckHeld(NodeId node, GroupId group, LogIndex index, Term term,
                        const Payload& payload) {
  const auto& log = committed_[group.value()];
  if (index <= log.size() && log[index - 1].term == term &&
      SameBytes(log[index - 1].payload, payload)) {
    return;
  }
  Fail("log_agreement",
       absl::StrCat("node ", node.value(), " holds entry ", index, " of group ",
                    group.value(), " in term ", term, "; it was ",
                    index <= log.size() ? absl::StrCat("committed in term ",
                                                       log[index - 1].term)
                                        : "never applied in order"));
}

void History::OnFirstApplied(const CommittedEntry& entry,
                             const ApplyResult& result) {
  if (!entry.has_payload) return;
  const absl::StatusOr<DecodedPayload> payload = DecodePayload(*entry.payload);
  if (!payload.ok()) {
    return Fail("log_agreement", payload.status().ToString());
  }
  if (payload->kind == PayloadKind::kCommand) {
    if (!result.status.ok() || !commands_are_numbered_) return;
    return OnWritten(NumberAtFront(payload->command), entry.group,
                     MakeCounter(entry.index, 0));
  }
  for (const AppliedBatch& applied : result.batches) {
    if (!applied.status.ok()) continue;
    RecordBatchReader reader(applied.written.batch);
    RecordView record;
    uint32_t position = 0;
    for (; reader.Next(&record); ++position) {
      OnWritten(NumberAtFront(record.partition_key), entry.group,
                MakeCounter(entry.index, position));
    }
    if (!reader.status().ok() || position != applied.written.record_count) {
      Fail("log_agreement", "a batch holds other records than it says");
    }
  }
}

void History::OnWritten(RecordId record, GroupId group, Counter counter) {
  if (record == 0 || record >= fates_.size()) {
    return Fail("log_agreement", "a record nobody sent was written");
  }
  Fate& fate = fates_[record];
  if (fate.written) {
    Fail("applied_once", absl::StrCat("record ", record, " was written twice"));
  }
  if (fate.refused) {
    Fail("nothing_refused_is_written",
         absl::StrCat("record ", record, " of group ", group.value(),
                      " was written at index ", CounterIndex(counter),
                      " after it had been refused"));
  }
  fate.written = true;
  fate.group = group;
  fate.counter = counter;
}

RecordId History::NewRecord(std::optional<Lane> lane) {
  fates_.emplace_back().lane = lane;
  return fates_.size() - 1;
}

void History::OnAcked(RecordId record, GroupId group, Counter counter) {
  Fate& fate = fates_[record];
  fate.acked = true;
  ++acked_count_;
  LogIndex& acked = acked_[group.value()];
  acked = std::max(acked, CounterIndex(counter));
  if (fate.written && fate.group == group && fate.counter == counter) return;
  Fail("acked_is_durable",
       absl::StrCat(
           "record ", record, " was acknowledged at index ",
           CounterIndex(counter), " position ", CounterPosition(counter),
           " of group ", group.value(),
           fate.written ? " but stands elsewhere" : " but is applied nowhere"));
}

void History::OnRefused(RecordId record, absl::string_view why) {
  Fate& fate = fates_[record];
  fate.refused = true;
  if (!fate.written) return;
  Fail("nothing_refused_is_written",
       absl::StrCat("record ", record, " stands at index ",
                    CounterIndex(fate.counter), " of group ",
                    fate.group.value(), " but was refused: ", why));
}

void History::CheckTakenOrder() {
  std::map<Lane, RecordId> last_acked;  // The highest in the log.
  for (RecordId record = 1; record < fates_.size(); ++record) {
    const Fate& fate = fates_[record];
    if (!fate.written || !fate.lane.has_value()) continue;
    RecordId& last = last_acked[*fate.lane];
    if (fate.counter < fates_[last].counter) {
      Fail("taken_order",
           absl::StrCat("record ", record, " stands at index ",
                        CounterIndex(fate.counter), " of group ",
                        fate.group.value(), ", before record ", last, " at ",
                        CounterIndex(fates_[last].counter), ", which node ",
                        fate.lane->node.value(), " took earlier"));
    } else if (fate.acked) {
      last = record;
    }
  }
}

}  // namespace trireme::sim
