#include "replication/wire.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "storage/crc32c.h"
#include "storage/errors.h"
#include "storage/record.h"

namespace trireme {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::MessageDifferencer;

// Sets every field of a message, and of the messages in it, each to a value of
// its own; repeated ones get two elements.
class EveryField {
 public:
  void Fill(Message* message) {
    const Descriptor* const type = message->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* const field = type->field(i);
      FillOne(message, field);
      if (field->is_repeated()) FillOne(message, field);
    }
  }

 private:
  void FillOne(Message* message, const FieldDescriptor* field) {
    const Reflection* const reflection = message->GetReflection();
    const bool repeated = field->is_repeated();
    const uint32_t number = ++last_;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection->SetBool(message, field, true);
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection->SetInt32(message, field,
                                    static_cast<int32_t>(number));
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection->SetInt64(message, field, number);
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection->SetUInt32(message, field, number);
      case FieldDescriptor::CPPTYPE_UINT64:
        if (repeated) return reflection->AddUInt64(message, field, number);
        return reflection->SetUInt64(message, field,
                                     uint64_t{number} << 32 | number);
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection->SetString(message, field, std::to_string(number));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(repeated ? reflection->AddMessage(message, field)
                             : reflection->MutableMessage(message, field));
      default:
        FAIL() << field->full_name() << " is of a type not thought of";
    }
  }

  uint32_t last_ = 0;
};

// Of the values EveryField gives, those that mean nothing.
void MakeMeaningful(v1::WireStatus* status) {
  const absl::Status typed = MakeError(ErrorReason::kDiskFull, "");
  status->set_reason(static_cast<uint32_t>(ErrorReason::kDiskFull));
  status->set_code(static_cast<int>(typed.code()));
}

void SetRecords(uint32_t count, v1::PutBatch* put) {
  std::string batch;
  for (uint32_t i = 0; i < count; ++i) AppendRecord({"key", ""}, &batch);
  put->set_record_count(count);
  put->set_batch(std::move(batch));
  if (put->has_stamp()) {
    put->mutable_stamp()->clear_numbers();
    for (uint32_t i = 0; i < count; ++i)
      put->mutable_stamp()->add_numbers(100 + i);
  }
}

void MakeMeaningful(v1::Envelope* envelope) {
  for (v1::GroupMessage& message : *envelope->mutable_messages()) {
    message.set_from(envelope->from());
    message.set_type(static_cast<uint32_t>(raft::MessageType::kAppend));
    for (v1::LogEntry& entry : *message.mutable_entries()) {
      entry.set_type(static_cast<uint32_t>(raft::EntryType::kConfig));
      entry.set_payload_crc(Crc32c(entry.payload()));
    }
  }
  uint32_t records = 1;
  for (v1::ForwardedProposal& proposal : *envelope->mutable_proposals()) {
    for (v1::PutBatch& put : *proposal.mutable_puts()) {
      SetRecords(++records, &put);
    }
    for (v1::RateCharge& charge : *proposal.mutable_charges()) {
      charge.set_per_second(++records);
      charge.set_burst(++records);
      charge.set_amount(++records);
    }
  }
  // Records, a command or charges; a read's index or why there is none.
  *envelope->add_proposals() = envelope->proposals(1);
  envelope->mutable_proposals(0)->clear_command();
  envelope->mutable_proposals(0)->clear_charges();
  envelope->mutable_proposals(1)->clear_puts();
  envelope->mutable_proposals(1)->clear_charges();
  envelope->mutable_proposals(2)->clear_puts();
  envelope->mutable_proposals(2)->clear_command();
  envelope->mutable_read_indexes(0)->clear_index();
  envelope->mutable_read_indexes(1)->clear_status();
  MakeMeaningful(envelope->mutable_read_indexes(0)->mutable_status());
  for (v1::ForwardedOutcome& outcome : *envelope->mutable_outcomes()) {
    MakeMeaningful(outcome.mutable_status());
    for (v1::PutPlace& place : *outcome.mutable_places()) {
      MakeMeaningful(place.mutable_status());
      for (v1::RecordFate& fate : *place.mutable_fates())
        MakeMeaningful(fate.mutable_status());
    }
  }
}

v1::Envelope FullEnvelope() {
  v1::Envelope envelope;
  EveryField().Fill(&envelope);
  MakeMeaningful(&envelope);
  return envelope;
}

absl::Status Refusal(v1::Envelope envelope) {
  return DecodeEnvelope(envelope).status();
}

// The number of fields of an aggregate, as initializers that it takes.
struct AnyValue {
  template <typename T>
  operator T() const;  // NOLINT: implicit on purpose; never called.
};
template <typename Aggregate, typename... Values>
constexpr int FieldCount() {
  if constexpr (requires { Aggregate{Values{}..., AnyValue{}}; }) {
    return FieldCount<Aggregate, Values..., AnyValue>();
  } else {
    return static_cast<int>(sizeof...(Values));
  }
}

template <typename Wire>
int WireFieldCount() {
  return Wire::descriptor()->field_count();
}

TEST(WireTest, EveryFieldOfAnEnvelopeComesThrough) {
  const v1::Envelope sent = FullEnvelope();
  v1::Envelope wire = sent;
  const absl::StatusOr<Envelope> decoded = DecodeEnvelope(wire);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  MessageDifferencer differencer;
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(sent, EncodeEnvelope(*decoded)))
      << difference;
}

TEST(WireTest, EveryFieldOfAnIdentityComesThrough) {
  v1::NodeIdentity sent;
  EveryField().Fill(&sent);
  MessageDifferencer differencer;
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(sent, EncodeIdentity(DecodeIdentity(sent))))
      << difference;
}

// A field that is added to a value and not to its message fails here.
TEST(WireTest, EveryFieldOfAValueHasOneOnTheWire) {
  EXPECT_EQ(FieldCount<Envelope>(), WireFieldCount<v1::Envelope>());
  // The group stands beside the message.
  EXPECT_EQ(FieldCount<raft::Message>() + 1,
            WireFieldCount<v1::GroupMessage>());
  // The index follows from the message, payload_bytes from the payload.
  EXPECT_EQ(FieldCount<raft::Entry>() - 2, WireFieldCount<v1::LogEntry>());
  // The fields of the body stand beside the others.
  EXPECT_EQ(FieldCount<ForwardedProposal>() - 1 + FieldCount<ProposalBody>(),
            WireFieldCount<v1::ForwardedProposal>());
  // So does the key's one more.
  EXPECT_EQ(FieldCount<PutBatch>() - 1 + FieldCount<ShardKey>(),
            WireFieldCount<v1::PutBatch>());
  EXPECT_EQ(FieldCount<RateCharge>() - 1 + FieldCount<Rate>(),
            WireFieldCount<v1::RateCharge>());
  EXPECT_EQ(FieldCount<ForwardedOutcome>() - 1 + FieldCount<ProposalOutcome>(),
            WireFieldCount<v1::ForwardedOutcome>());
  EXPECT_EQ(FieldCount<PutPlace>(), WireFieldCount<v1::PutPlace>());
  EXPECT_EQ(FieldCount<RecordFate>() - 1 + FieldCount<SequenceNumber>(),
            WireFieldCount<v1::RecordFate>());
  EXPECT_EQ(FieldCount<ProducerStamp>(), WireFieldCount<v1::ProducerStamp>());
  EXPECT_EQ(FieldCount<ForwardedRead>(), WireFieldCount<v1::ForwardedRead>());
  EXPECT_EQ(FieldCount<NodeReport>(), WireFieldCount<v1::NodeReport>());
  EXPECT_EQ(FieldCount<GroupReport>(), WireFieldCount<v1::GroupReport>());
  EXPECT_EQ(FieldCount<GroupReport::Peer>(),
            WireFieldCount<v1::PeerProgress>());
  EXPECT_EQ(FieldCount<Identity>(), WireFieldCount<v1::NodeIdentity>());
}

TEST(WireTest, EntriesAreNumberedFromTheOneBefore) {
  v1::Envelope wire = FullEnvelope();
  wire.mutable_messages(0)->set_log_index(41);
  const absl::StatusOr<Envelope> decoded = DecodeEnvelope(wire);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const std::vector<raft::Entry>& entries = decoded->messages[0].second.entries;
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].index, 42u);
  EXPECT_EQ(entries[1].index, 43u);
  EXPECT_EQ(entries[1].payload_bytes, entries[1].payload->size());
}

TEST(WireTest, ReasonsOfErrorsComeThrough) {
  Envelope envelope;
  ProposalOutcome& outcome = envelope.outcomes.emplace_back().outcome;
  outcome.status = MakeError(ErrorReason::kOutcomeUnknown, "the leader died");
  outcome.places.push_back({absl::CancelledError("of no special kind"), 7});
  v1::Envelope wire = EncodeEnvelope(envelope);
  const absl::StatusOr<Envelope> decoded = DecodeEnvelope(wire);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->outcomes[0].outcome.status, outcome.status);
  EXPECT_EQ(decoded->outcomes[0].outcome.places[0].status,
            outcome.places[0].status);
}

TEST(WireTest, APayloadThatWasDamagedOnItsWayIsRefused) {
  v1::Envelope wire = FullEnvelope();
  wire.mutable_messages(1)->mutable_entries(0)->set_payload("another");
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
}

TEST(WireTest, MessagesAndEntriesOfUnknownTypesAreRefused) {
  v1::Envelope wire = FullEnvelope();
  wire.mutable_messages(0)->set_type(0);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
  wire = FullEnvelope();
  wire.mutable_messages(0)->set_type(
      static_cast<uint32_t>(raft::MessageType::kRecovered) + 1);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
  wire = FullEnvelope();
  wire.mutable_messages(0)->mutable_entries(0)->set_type(
      static_cast<uint32_t>(raft::EntryType::kConfig) + 1);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
}

TEST(WireTest, AMessageInAnotherNodesNameIsRefused) {
  v1::Envelope wire = FullEnvelope();
  wire.mutable_messages(1)->set_from(wire.from() + 1);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
}

TEST(WireTest, AProposalIsRecordsOrACommand) {
  v1::Envelope wire = FullEnvelope();
  wire.mutable_proposals(0)->set_command("both");
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
  wire = FullEnvelope();
  wire.mutable_proposals(1)->clear_command();
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
}

// The log would hold what no replica can apply, for ever.
TEST(WireTest, AStampThatDoesNotFitItsBatchIsRefused) {
  v1::Envelope wire = FullEnvelope();
  v1::ProducerStamp* const stamp =
      wire.mutable_proposals(0)->mutable_puts(0)->mutable_stamp();
  stamp->add_numbers(1);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
  stamp->mutable_numbers()->RemoveLast();
  EXPECT_TRUE(Refusal(wire).ok());
  stamp->set_producer("");
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
  stamp->set_producer(std::string(kProducerIdBytesMax + 1, 'p'));
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
}

TEST(WireTest, ABatchThatIsNotWhatItSaysIsRefused) {
  v1::Envelope wire = FullEnvelope();
  v1::PutBatch* const put = wire.mutable_proposals(0)->mutable_puts(0);
  EXPECT_TRUE(Refusal(wire).ok());
  put->set_record_count(put->record_count() + 1);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
  put->set_record_count(0);
  put->clear_batch();
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
  put->set_record_count(1);
  put->set_batch("torn");
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
}

TEST(WireTest, AProposalHasNoMoreRecordsThanAnEntryHasPositions) {
  v1::Envelope wire = FullEnvelope();
  wire.mutable_proposals(0)->clear_puts();
  SetRecords(kEntryPositionsMax, wire.mutable_proposals(0)->add_puts());
  EXPECT_TRUE(Refusal(wire).ok());
  SetRecords(1, wire.mutable_proposals(0)->add_puts());
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
}

TEST(WireTest, AChargeThatCannotBeCountedIsRefused) {
  v1::Envelope wire = FullEnvelope();
  v1::RateCharge* const charge = wire.mutable_proposals(2)->mutable_charges(0);
  EXPECT_TRUE(Refusal(wire).ok());
  charge->set_amount(uint64_t{1} << 40);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
  charge->set_amount(1);
  charge->set_per_second(0);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(wire)));
}

TEST(WireTest, AStatusThatIsThereIsAnError) {
  v1::Envelope wire = FullEnvelope();
  wire.mutable_read_indexes(0)->mutable_status()->Clear();
  const absl::StatusOr<Envelope> decoded = DecodeEnvelope(wire);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(absl::IsUnknown(decoded->read_indexes[0].index.status()));
}

}  // namespace
}  // namespace trireme
