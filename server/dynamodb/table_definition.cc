#include "server/dynamodb/table_definition.h"

#include "trireme/v1/table_commands.pb.h"

namespace trireme::dynamodb {
namespace {

absl::Status Malformed() {
  return absl::DataLossError("a malformed definition of a table");
}

template <typename Parts>
void EncodeParts(const std::vector<KeyPart>& parts, Parts* messages) {
  for (const KeyPart& part : parts) {
    v1::KeyPart& message = *messages->Add();
    message.set_name(part.name);
    message.set_type(static_cast<uint32_t>(part.type));
  }
}

// False when one has no type that a key can have.
template <typename Parts>
bool DecodeParts(const Parts& messages, std::vector<KeyPart>* parts) {
  for (const v1::KeyPart& message : messages) {
    if (message.type() < static_cast<uint32_t>(AttributeType::kString) ||
        message.type() > static_cast<uint32_t>(AttributeType::kBinary)) {
      return false;
    }
    parts->push_back(
        {message.name(), static_cast<AttributeType>(message.type())});
  }
  return true;
}

void Encode(const Throughput& throughput, v1::Throughput* message) {
  message->set_read_units(throughput.read_units);
  message->set_write_units(throughput.write_units);
}
Throughput Decode(const v1::Throughput& message) {
  return {message.read_units(), message.write_units()};
}

bool IsKey(const KeySchema& key) { return key.size() == 1 || key.size() == 2; }

bool DecodeIndexes(const v1::TableDefinition& message,
                   std::vector<TableIndex>* indexes) {
  for (const v1::TableIndex& encoded : message.indexes()) {
    TableIndex& index = indexes->emplace_back();
    index.name = encoded.name();
    index.projected = {encoded.projected().begin(), encoded.projected().end()};
    index.throughput = Decode(encoded.throughput());
    if (!DecodeParts(encoded.key(), &index.key) || !IsKey(index.key) ||
        encoded.projection() > static_cast<uint32_t>(Projection::kInclude)) {
      return false;
    }
    index.projection = static_cast<Projection>(encoded.projection());
  }
  return true;
}

}  // namespace

const TableIndex* TableDefinition::FindIndex(absl::string_view name) const {
  for (const TableIndex& index : indexes) {
    if (index.name == name) return &index;
  }
  return nullptr;
}

std::string EncodeDefinition(const TableDefinition& definition) {
  v1::TableDefinition message;
  EncodeParts(definition.key, message.mutable_key());
  EncodeParts(definition.attributes, message.mutable_attributes());
  for (const TableIndex& index : definition.indexes) {
    v1::TableIndex& encoded = *message.add_indexes();
    encoded.set_name(index.name);
    EncodeParts(index.key, encoded.mutable_key());
    encoded.set_projection(static_cast<uint32_t>(index.projection));
    for (const std::string& name : index.projected) encoded.add_projected(name);
    Encode(index.throughput, encoded.mutable_throughput());
  }
  message.mutable_tags()->insert(definition.tags.begin(),
                                 definition.tags.end());
  message.set_deletion_protection(definition.deletion_protection);
  message.set_pay_per_request(definition.pay_per_request);
  Encode(definition.throughput, message.mutable_throughput());
  message.set_table_class(definition.table_class);
  return message.SerializeAsString();
}

absl::StatusOr<TableDefinition> DecodeDefinition(absl::string_view bytes) {
  v1::TableDefinition message;
  TableDefinition definition;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      !DecodeParts(message.key(), &definition.key) || !IsKey(definition.key) ||
      !DecodeParts(message.attributes(), &definition.attributes) ||
      !DecodeIndexes(message, &definition.indexes)) {
    return Malformed();
  }
  definition.tags = {message.tags().begin(), message.tags().end()};
  definition.deletion_protection = message.deletion_protection();
  definition.pay_per_request = message.pay_per_request();
  definition.throughput = Decode(message.throughput());
  definition.table_class = message.table_class();
  return definition;
}

}  // namespace trireme::dynamodb
