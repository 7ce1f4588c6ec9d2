#include "replication/wire.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/crc32c.h"
#include "storage/errors.h"
#include "storage/producer_stamp.h"
#include "storage/record.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

v1::WireStatus EncodeStatus(const absl::Status& status) {
  v1::WireStatus wire;
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(std::string(status.message()));
  wire.set_reason(static_cast<uint32_t>(ReasonOf(status)));
  if (const auto after = RetryAfterOf(status); after.has_value()) {
    wire.set_retry_after_ms(absl::ToInt64Milliseconds(*after));
  }
  return wire;
}

absl::Status DecodeReason(const v1::WireStatus& wire) {
  const auto reason = static_cast<ErrorReason>(wire.reason());
  if (wire.reason() > 0 && IsErrorReason(wire.reason())) {
    return MakeError(reason, wire.message());
  }
  // One that is there is an error, whatever it says.
  const auto code = static_cast<absl::StatusCode>(wire.code());
  return absl::Status(
      code == absl::StatusCode::kOk ? absl::StatusCode::kUnknown : code,
      wire.message());
}

absl::Status DecodeStatus(const v1::WireStatus& wire) {
  absl::Status status = DecodeReason(wire);
  if (!wire.has_retry_after_ms()) return status;
  return WithRetryAfter(std::move(status),
                        absl::Milliseconds(wire.retry_after_ms()));
}

void EncodeMessage(const raft::Message& message, v1::GroupMessage* wire) {
  wire->set_type(static_cast<uint32_t>(message.type));
  wire->set_from(message.from.value());
  wire->set_to(message.to.value());
  wire->set_term(message.term);
  wire->set_incarnation(message.incarnation);
  wire->set_log_index(message.log_index);
  wire->set_log_term(message.log_term);
  wire->set_commit(message.commit);
  wire->set_reject(message.reject);
  wire->set_match(message.match);
  wire->set_hint_index(message.hint_index);
  wire->set_hint_term(message.hint_term);
  wire->set_recovering(message.recovering);
  wire->set_read_round(message.read_round);
  wire->set_transfer(message.transfer);
  for (const raft::Entry& entry : message.entries) {
    v1::LogEntry* const encoded = wire->add_entries();
    encoded->set_term(entry.term);
    encoded->set_type(static_cast<uint32_t>(entry.type));
    encoded->set_payload_crc(entry.payload_crc);
    if (entry.payload != nullptr) encoded->set_payload(*entry.payload);
  }
}

absl::StatusOr<raft::Entry> DecodeEntry(v1::LogEntry& wire, LogIndex index) {
  if (wire.type() > static_cast<uint32_t>(raft::EntryType::kConfig)) {
    return absl::InvalidArgumentError(
        absl::StrCat("entry ", index, " has the unknown type ", wire.type()));
  }
  raft::Entry entry;
  entry.index = index;
  entry.term = wire.term();
  entry.type = static_cast<raft::EntryType>(wire.type());
  entry.payload_crc = wire.payload_crc();
  entry.payload_bytes = static_cast<uint32_t>(wire.payload().size());
  if (Crc32c(wire.payload()) != entry.payload_crc) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the payload of entry ", index, " was damaged on its way"));
  }
  if (entry.payload_bytes > 0) {
    entry.payload = MakePayload(std::move(*wire.mutable_payload()));
  }
  return entry;
}

absl::StatusOr<raft::Message> DecodeMessage(v1::GroupMessage& wire) {
  if (wire.type() < static_cast<uint32_t>(raft::MessageType::kPreVote) ||
      wire.type() > static_cast<uint32_t>(raft::MessageType::kRecovered)) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown message type ", wire.type()));
  }
  raft::Message message;
  message.type = static_cast<raft::MessageType>(wire.type());
  message.from = NodeId(wire.from());
  message.to = NodeId(wire.to());
  message.term = wire.term();
  message.incarnation = wire.incarnation();
  message.log_index = wire.log_index();
  message.log_term = wire.log_term();
  message.commit = wire.commit();
  message.reject = wire.reject();
  message.match = wire.match();
  message.hint_index = wire.hint_index();
  message.hint_term = wire.hint_term();
  message.recovering = wire.recovering();
  message.read_round = wire.read_round();
  message.transfer = wire.transfer();
  message.entries.reserve(static_cast<size_t>(wire.entries_size()));
  LogIndex index = message.log_index;
  for (v1::LogEntry& entry : *wire.mutable_entries()) {
    ASSIGN_OR_RETURN(raft::Entry decoded, DecodeEntry(entry, ++index));
    message.entries.push_back(std::move(decoded));
  }
  return message;
}

void EncodeProposal(const ForwardedProposal& proposal,
                    v1::ForwardedProposal* wire) {
  wire->set_request(proposal.request);
  wire->set_group(proposal.group.value());
  wire->set_term(proposal.term);
  wire->set_timeout_ms(absl::ToInt64Milliseconds(proposal.timeout));
  wire->set_command(proposal.body->command);
  for (const PutBatch& put : proposal.body->puts) {
    v1::PutBatch* const encoded = wire->add_puts();
    encoded->set_stream(put.shard.stream.value());
    encoded->set_shard(put.shard.shard.value());
    encoded->set_record_count(put.record_count);
    encoded->set_batch(put.batch);
    if (put.stamp != nullptr) EncodeStamp(*put.stamp, encoded->mutable_stamp());
  }
  for (const RateCharge& charge : proposal.body->charges) {
    v1::RateCharge* const encoded = wire->add_charges();
    encoded->set_bucket(charge.bucket);
    encoded->set_per_second(charge.rate.per_second);
    encoded->set_burst(charge.rate.burst);
    encoded->set_amount(charge.amount);
    encoded->set_after_the_fact(charge.after_the_fact);
  }
}

// What is proposed here ends in the log of every replica, and none could apply
// a batch that is not what it says: it is looked at before.
absl::Status CheckPut(const PutBatch& put) {
  RecordBatchReader reader(put.batch);
  uint64_t records = 0;
  for (RecordView record; reader.Next(&record);) ++records;
  if (!reader.status().ok() || records == 0 || records != put.record_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("a forwarded batch of ", put.batch.size(), " bytes holds ",
                     records, " records; it should hold ", put.record_count));
  }
  if (put.stamp != nullptr &&
      (put.stamp->numbers.size() != records || put.stamp->producer.empty() ||
       put.stamp->producer.size() > kProducerIdBytesMax)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a forwarded stamp of a producer of ", put.stamp->producer.size(),
        " bytes has ", put.stamp->numbers.size(), " numbers for ", records,
        " records"));
  }
  return absl::OkStatus();
}

// Arithmetic with more than these would overflow.
constexpr uint64_t kChargeAmountMax = 1u << 31;

absl::StatusOr<RateCharge> DecodeCharge(v1::RateCharge& wire) {
  if (wire.per_second() < 1 || wire.per_second() > kChargeAmountMax ||
      wire.burst() > kChargeAmountMax || wire.amount() > kChargeAmountMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a charge of ", wire.amount(), " to a bucket of ",
                     wire.burst(), " that refills at ", wire.per_second(),
                     "/s; the limits are 0..", kChargeAmountMax, ", and 1/s"));
  }
  return RateCharge{std::move(*wire.mutable_bucket()),
                    {wire.per_second(), wire.burst()},
                    wire.amount(),
                    wire.after_the_fact()};
}

absl::StatusOr<ForwardedProposal> DecodeProposal(v1::ForwardedProposal& wire) {
  ForwardedProposal proposal;
  proposal.request = wire.request();
  proposal.group = GroupId(wire.group());
  proposal.term = wire.term();
  proposal.timeout = absl::Milliseconds(wire.timeout_ms());
  auto body = std::make_shared<ProposalBody>();
  body->command = std::move(*wire.mutable_command());
  uint64_t records = 0;
  for (v1::PutBatch& put : *wire.mutable_puts()) {
    body->puts.push_back({{StreamId(put.stream()), ShardIndex(put.shard())},
                          put.record_count(),
                          std::move(*put.mutable_batch())});
    if (put.has_stamp()) {
      body->puts.back().stamp = std::make_shared<const ProducerStamp>(
          DecodeStamp(put.mutable_stamp()));
    }
    RETURN_IF_ERROR(CheckPut(body->puts.back()));
    records += put.record_count();
  }
  if (records > kEntryPositionsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a forwarded proposal has ", records,
                     " records; an entry holds ", kEntryPositionsMax));
  }
  for (v1::RateCharge& charge : *wire.mutable_charges()) {
    ASSIGN_OR_RETURN(body->charges.emplace_back(), DecodeCharge(charge));
  }
  const int kinds = (body->command.empty() ? 0 : 1) +
                    (body->puts.empty() ? 0 : 1) +
                    (body->charges.empty() ? 0 : 1);
  if (kinds != 1) {
    return absl::InvalidArgumentError(
        "a forwarded proposal must be records, a command or charges");
  }
  proposal.body = std::move(body);
  return proposal;
}

void EncodeFate(const RecordFate& fate, v1::RecordFate* wire) {
  if (!fate.status.ok()) *wire->mutable_status() = EncodeStatus(fate.status);
  wire->set_shard(fate.number.shard.value());
  wire->set_shard_created_s(fate.number.shard_created_s);
  wire->set_counter(fate.number.counter);
  wire->set_record_s(fate.number.record_s);
  wire->set_duplicate(fate.duplicate);
}

RecordFate DecodeFate(const v1::RecordFate& wire) {
  return {wire.has_status() ? DecodeStatus(wire.status()) : absl::OkStatus(),
          {wire.shard_created_s(), ShardIndex(wire.shard()), wire.counter(),
           wire.record_s()},
          wire.duplicate()};
}

void EncodeOutcome(const ForwardedOutcome& forwarded,
                   v1::ForwardedOutcome* wire) {
  const ProposalOutcome& outcome = forwarded.outcome;
  wire->set_request(forwarded.request);
  if (!outcome.status.ok()) {
    *wire->mutable_status() = EncodeStatus(outcome.status);
  }
  wire->set_stamp_ms(outcome.stamp_ms);
  wire->set_reply(outcome.reply);
  for (const PutPlace& place : outcome.places) {
    v1::PutPlace* const encoded = wire->add_places();
    if (!place.status.ok()) {
      *encoded->mutable_status() = EncodeStatus(place.status);
    }
    encoded->set_first_counter(place.first);
    encoded->set_refused(place.refused);
    for (const RecordFate& fate : place.fates) {
      EncodeFate(fate, encoded->add_fates());
    }
  }
}

ForwardedOutcome DecodeOutcome(v1::ForwardedOutcome& wire) {
  ForwardedOutcome forwarded;
  forwarded.request = wire.request();
  ProposalOutcome& outcome = forwarded.outcome;
  if (wire.has_status()) outcome.status = DecodeStatus(wire.status());
  outcome.stamp_ms = wire.stamp_ms();
  outcome.reply = std::move(*wire.mutable_reply());
  for (const v1::PutPlace& place : wire.places()) {
    PutPlace& decoded = outcome.places.emplace_back(PutPlace{
        place.has_status() ? DecodeStatus(place.status()) : absl::OkStatus(),
        place.first_counter(), place.refused()});
    for (const v1::RecordFate& fate : place.fates()) {
      decoded.fates.push_back(DecodeFate(fate));
    }
  }
  return forwarded;
}

void EncodeReport(const NodeReport& report, v1::NodeReport* wire) {
  wire->set_node(report.node.value());
  wire->set_zone(report.zone);
  wire->set_client_address(report.client_address);
  wire->set_version(report.version);
  wire->set_uptime_ms(absl::ToInt64Milliseconds(report.uptime));
  wire->set_disk_free_bytes(report.disk_free_bytes);
  wire->set_disk_used_bytes(report.disk_used_bytes);
  wire->set_log_write_us(absl::ToInt64Microseconds(report.log_write_time));
  wire->set_draining(report.draining);
  for (const GroupReport& group : report.groups) {
    v1::GroupReport* const encoded = wire->add_groups();
    encoded->set_group(group.group.value());
    encoded->set_leader(group.leader.value());
    encoded->set_term(group.term);
    encoded->set_commit_index(group.commit_index);
    encoded->set_applied_index(group.applied_index);
    encoded->set_recovering(group.recovering);
    encoded->set_leads(group.leads);
    for (const GroupReport::Peer& peer : group.peers) {
      v1::PeerProgress* const progress = encoded->add_peers();
      progress->set_node(peer.node.value());
      progress->set_match(peer.match);
      progress->set_recovering(peer.recovering);
    }
  }
}

NodeReport DecodeReport(const v1::NodeReport& wire) {
  NodeReport report;
  report.node = NodeId(wire.node());
  report.zone = wire.zone();
  report.client_address = wire.client_address();
  report.version = wire.version();
  report.uptime = absl::Milliseconds(wire.uptime_ms());
  report.disk_free_bytes = wire.disk_free_bytes();
  report.disk_used_bytes = wire.disk_used_bytes();
  report.log_write_time = absl::Microseconds(wire.log_write_us());
  report.draining = wire.draining();
  for (const v1::GroupReport& encoded : wire.groups()) {
    GroupReport& group = report.groups.emplace_back();
    group.group = GroupId(encoded.group());
    group.leader = NodeId(encoded.leader());
    group.term = encoded.term();
    group.commit_index = encoded.commit_index();
    group.applied_index = encoded.applied_index();
    group.recovering = encoded.recovering();
    group.leads = encoded.leads();
    for (const v1::PeerProgress& peer : encoded.peers()) {
      group.peers.push_back(
          {NodeId(peer.node()), peer.match(), peer.recovering()});
    }
  }
  return report;
}

}  // namespace

v1::Envelope EncodeEnvelope(const Envelope& envelope) {
  v1::Envelope wire;
  wire.set_from(envelope.from.value());
  wire.set_incarnation(envelope.incarnation);
  if (envelope.sent_at != absl::InfinitePast()) {
    wire.set_sent_ms(absl::ToUnixMillis(envelope.sent_at));
  }
  for (const auto& [group, message] : envelope.messages) {
    v1::GroupMessage* const encoded = wire.add_messages();
    encoded->set_group(group.value());
    EncodeMessage(message, encoded);
  }
  for (const ForwardedProposal& proposal : envelope.proposals) {
    EncodeProposal(proposal, wire.add_proposals());
  }
  for (const ForwardedOutcome& outcome : envelope.outcomes) {
    EncodeOutcome(outcome, wire.add_outcomes());
  }
  for (const ForwardedRead& read : envelope.reads) {
    v1::ForwardedRead* const encoded = wire.add_reads();
    encoded->set_request(read.request);
    encoded->set_group(read.group.value());
  }
  for (const ForwardedReadIndex& answer : envelope.read_indexes) {
    v1::ForwardedReadIndex* const encoded = wire.add_read_indexes();
    encoded->set_request(answer.request);
    encoded->set_group(answer.group.value());
    if (answer.index.ok()) {
      encoded->set_index(*answer.index);
    } else {
      *encoded->mutable_status() = EncodeStatus(answer.index.status());
    }
  }
  if (envelope.report != nullptr) {
    EncodeReport(*envelope.report, wire.mutable_report());
  }
  return wire;
}

absl::StatusOr<Envelope> DecodeEnvelope(v1::Envelope& wire) {
  Envelope envelope;
  envelope.from = NodeId(wire.from());
  envelope.incarnation = wire.incarnation();
  if (wire.sent_ms() != 0) {
    envelope.sent_at = absl::FromUnixMillis(wire.sent_ms());
  }
  for (v1::GroupMessage& encoded : *wire.mutable_messages()) {
    ASSIGN_OR_RETURN(raft::Message message, DecodeMessage(encoded));
    if (message.from != envelope.from) {
      return absl::InvalidArgumentError(absl::StrCat(
          "node ", envelope.from.value(),
          " sends a message in the name of node ", message.from.value()));
    }
    envelope.messages.emplace_back(GroupId(encoded.group()),
                                   std::move(message));
  }
  for (v1::ForwardedProposal& encoded : *wire.mutable_proposals()) {
    ASSIGN_OR_RETURN(ForwardedProposal proposal, DecodeProposal(encoded));
    envelope.proposals.push_back(std::move(proposal));
  }
  for (v1::ForwardedOutcome& encoded : *wire.mutable_outcomes()) {
    envelope.outcomes.push_back(DecodeOutcome(encoded));
  }
  for (const v1::ForwardedRead& read : wire.reads()) {
    envelope.reads.push_back({read.request(), GroupId(read.group())});
  }
  for (const v1::ForwardedReadIndex& answer : wire.read_indexes()) {
    ForwardedReadIndex decoded{answer.request(), GroupId(answer.group()),
                               answer.index()};
    if (answer.has_status()) decoded.index = DecodeStatus(answer.status());
    envelope.read_indexes.push_back(std::move(decoded));
  }
  if (wire.has_report()) {
    envelope.report =
        std::make_shared<const NodeReport>(DecodeReport(wire.report()));
  }
  return envelope;
}

v1::NodeIdentity EncodeIdentity(const Identity& identity) {
  v1::NodeIdentity wire;
  wire.set_cluster(identity.cluster);
  wire.set_node(identity.node.value());
  wire.set_group_count(identity.group_count);
  wire.set_incarnation(identity.incarnation);
  wire.set_formed(identity.formed);
  wire.set_rejoined(identity.rejoined);
  wire.set_started(identity.started);
  for (const auto& [node, incarnation] : identity.founders) {
    v1::FirstMember* const member = wire.add_founders();
    member->set_node(node.value());
    member->set_incarnation(incarnation);
  }
  return wire;
}

Identity DecodeIdentity(const v1::NodeIdentity& wire) {
  Identity identity;
  identity.cluster = wire.cluster();
  identity.node = NodeId(wire.node());
  identity.group_count = wire.group_count();
  identity.incarnation = wire.incarnation();
  identity.formed = wire.formed();
  identity.rejoined = wire.rejoined();
  identity.started = wire.started();
  for (const v1::FirstMember& member : wire.founders()) {
    identity.founders[NodeId(member.node())] = member.incarnation();
  }
  return identity;
}

}  // namespace trireme
