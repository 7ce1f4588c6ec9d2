// TableDefinition is what a table of DynamoDB is, beside its name and its
// items: kept as bytes with it (proto/trireme/v1/table_commands.proto).
#ifndef TRIREME_SERVER_DYNAMODB_TABLE_DEFINITION_H_
#define TRIREME_SERVER_DYNAMODB_TABLE_DEFINITION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/dynamodb/attribute_value.h"
#include "server/table_api.h"

namespace trireme::dynamodb {

struct KeyPart {
  std::string name;
  AttributeType type = AttributeType::kString;  // S, N or B.

  friend bool operator==(const KeyPart&, const KeyPart&) = default;
};
// The hash key, then the range key, if there is one.
using KeySchema = std::vector<KeyPart>;

// Written to disk; never renumber.
enum class Projection : uint8_t { kAll = 0, kKeysOnly = 1, kInclude = 2 };

// What is asked for is kept and shown; nothing is held to it.
struct Throughput {
  uint64_t read_units = 0;
  uint64_t write_units = 0;
};

struct TableIndex {
  std::string name;
  KeySchema key;
  Projection projection = Projection::kAll;
  std::vector<std::string> projected;  // Of kInclude.
  Throughput throughput;
};

struct TableDefinition {
  KeySchema key;
  std::vector<TableIndex> indexes;
  std::vector<KeyPart> attributes;
  std::map<std::string, std::string> tags;
  bool deletion_protection = false;
  bool pay_per_request = false;
  Throughput throughput;
  std::string table_class;

  // Null when there is none of that name.
  const TableIndex* FindIndex(absl::string_view name) const;
};

std::string EncodeDefinition(const TableDefinition& definition);
// DataLoss when it is malformed.
absl::StatusOr<TableDefinition> DecodeDefinition(absl::string_view bytes);

// A table that a request is about.
struct Table {
  FoundTable found;
  TableDefinition definition;

  const std::string& name() const { return found.head.name; }
};
using TablePtr = std::shared_ptr<const Table>;

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_TABLE_DEFINITION_H_
