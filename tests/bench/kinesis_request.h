// Requests of Kinesis's API as bytes, made before they are sent so that a load
// costs little, and the few members of answers that a load looks at, found
// without reading the rest. JSON and CBOR.
#ifndef TRIREME_TESTS_BENCH_KINESIS_REQUEST_H_
#define TRIREME_TESTS_BENCH_KINESIS_REQUEST_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/aws/message_format.h"

namespace trireme::bench {

// Signed in shape only: a server without access keys does not verify it.
struct KinesisRequest {
  KinesisRequest(std::string operation, MessageFormat format, std::string body);

  // Without HTTP/2's pseudo-header fields.
  std::vector<std::pair<std::string, std::string>> HeaderFields() const;

  std::string operation;
  MessageFormat format;
  std::string body;
  std::string head;  // What comes before the body in HTTP/1.1.
};

// With string members alone.
using Members = std::vector<std::pair<std::string, std::string>>;
KinesisRequest MakeKinesisRequest(const std::string& operation,
                                  MessageFormat format, const Members& members);
// The `number`-th one; its key is one of RunUnary's.
KinesisRequest MakePutRecord(MessageFormat format, const std::string& stream,
                             int number, uint32_t record_bytes);
KinesisRequest MakePutRecords(MessageFormat format, const std::string& stream,
                              int first_number, int records,
                              uint32_t record_bytes);
KinesisRequest MakeGetRecords(MessageFormat format, absl::string_view iterator,
                              int records_max);

// Writes now into the record of a PutRecord in JSON, for RecordStamps.
void StampPutRecord(int64_t now, KinesisRequest* request);

// The first string member of that name; empty when there is none.
std::string StringMember(MessageFormat format, absl::string_view name,
                         absl::string_view answer);
// The first unsigned member of that name; 0 when there is none.
uint64_t UnsignedMember(MessageFormat format, absl::string_view name,
                        absl::string_view answer);
// Of a GetRecords.
uint64_t CountRecords(absl::string_view answer);
// Of the records of `record_bytes` in JSON, when they were stamped.
std::vector<int64_t> RecordStamps(uint32_t record_bytes,
                                  absl::string_view json);

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_KINESIS_REQUEST_H_
