#include "tests/bench/kinesis_request.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/aws/message_writer.h"
#include "storage/check.h"
#include "tests/bench/load.h"

namespace trireme::bench {
namespace {

constexpr int kKeys = 997;         // As in load.cc.
constexpr size_t kStampBytes = 9;  // 8, and one more to fill base64's quads.
constexpr size_t kStampCharacters = 12;
constexpr absl::string_view kJsonData = "\"Data\":\"";

absl::string_view ContentType(MessageFormat format) {
  return format == MessageFormat::kJson ? "application/x-amz-json-1.1"
                                        : "application/x-amz-cbor-1.1";
}

void WriteRecord(int number, uint32_t record_bytes, MessageWriter* writer) {
  writer->Key("PartitionKey").String(absl::StrCat("key-", number % kKeys));
  writer->Key("Data").Bytes(std::string(record_bytes, 'd'));
}

// What follows the name of a member: in JSON after its quote and colon. Empty
// when there is none.
absl::string_view AfterName(MessageFormat format, absl::string_view name,
                            absl::string_view answer) {
  const size_t found = answer.find(name);
  if (found == absl::string_view::npos) return "";
  answer.remove_prefix(found + name.size());
  if (format == MessageFormat::kJson) {
    answer.remove_prefix(std::min<size_t>(answer.size(), 2));
  }
  return answer;
}

// Takes the head of a CBOR item off: its argument.
uint64_t TakeCborArgument(absl::string_view* bytes) {
  if (bytes->empty()) return 0;
  const unsigned low = static_cast<unsigned char>(bytes->front()) & 0x1f;
  bytes->remove_prefix(1);
  if (low < 24) return low;
  CHECK(low < 28, "no number or string of known length");
  uint64_t value = 0;
  const size_t size = std::min(bytes->size(), size_t{1} << (low - 24));
  for (const char byte : bytes->substr(0, size)) {
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  bytes->remove_prefix(size);
  return value;
}

}  // namespace

KinesisRequest::KinesisRequest(std::string operation, MessageFormat format,
                               std::string body)
    : operation(std::move(operation)), format(format), body(std::move(body)) {
  head = "POST / HTTP/1.1\r\nhost: kinesis\r\n";
  for (const auto& [name, value] : HeaderFields()) {
    absl::StrAppend(&head, name, ": ", value, "\r\n");
  }
  head += "\r\n";
}

std::vector<std::pair<std::string, std::string>> KinesisRequest::HeaderFields()
    const {
  return {
      {"content-type", std::string(ContentType(format))},
      {"x-amz-target", "Kinesis_20131202." + operation},
      {"x-amz-date", "20260101T000000Z"},
      {"authorization",
       "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/"
       "kinesis/aws4_request, SignedHeaders=content-type;host;x-amz-date;"
       "x-amz-target, Signature=" +
           std::string(64, '0')},
      {"content-length", absl::StrCat(body.size())},
  };
}

KinesisRequest MakeKinesisRequest(const std::string& operation,
                                  MessageFormat format,
                                  const Members& members) {
  MessageWriter writer(format);
  writer.BeginMap();
  for (const auto& [name, value] : members) writer.Key(name).String(value);
  writer.EndMap();
  return {operation, format, writer.Take()};
}

KinesisRequest MakePutRecord(MessageFormat format, const std::string& stream,
                             int number, uint32_t record_bytes) {
  MessageWriter writer(format);
  writer.BeginMap();
  writer.Key("StreamName").String(stream);
  WriteRecord(number, record_bytes, &writer);
  writer.EndMap();
  return {"PutRecord", format, writer.Take()};
}

KinesisRequest MakePutRecords(MessageFormat format, const std::string& stream,
                              int first_number, int records,
                              uint32_t record_bytes) {
  MessageWriter writer(format);
  writer.BeginMap();
  writer.Key("StreamName").String(stream);
  writer.Key("Records").BeginList();
  for (int i = 0; i < records; ++i) {
    writer.BeginMap();
    WriteRecord(first_number + i, record_bytes, &writer);
    writer.EndMap();
  }
  writer.EndList();
  writer.EndMap();
  return {"PutRecords", format, writer.Take()};
}

KinesisRequest MakeGetRecords(MessageFormat format, absl::string_view iterator,
                              int records_max) {
  MessageWriter writer(format);
  writer.BeginMap();
  writer.Key("ShardIterator").String(iterator);
  writer.Key("Limit").Integer(records_max);
  writer.EndMap();
  return {"GetRecords", format, writer.Take()};
}

void StampPutRecord(int64_t now, KinesisRequest* request) {
  std::string stamp(kStampBytes, 'd');
  std::memcpy(stamp.data(), &now, sizeof(now));
  const size_t data = absl::string_view(request->body).find(kJsonData);
  CHECK(data != std::string::npos, "no PutRecord in JSON");
  request->body.replace(data + kJsonData.size(), kStampCharacters,
                        absl::Base64Escape(stamp));
}

std::string StringMember(MessageFormat format, absl::string_view name,
                         absl::string_view answer) {
  absl::string_view value = AfterName(format, name, answer);
  if (value.empty()) return "";
  if (format == MessageFormat::kCbor) {
    const uint64_t size = TakeCborArgument(&value);
    return std::string(value.substr(0, size));
  }
  if (value.front() != '"') return "";  // Null.
  value.remove_prefix(1);
  return std::string(value.substr(0, value.find('"')));
}

uint64_t UnsignedMember(MessageFormat format, absl::string_view name,
                        absl::string_view answer) {
  absl::string_view value = AfterName(format, name, answer);
  if (format == MessageFormat::kCbor) return TakeCborArgument(&value);
  uint64_t number = 0;
  for (const char digit : value) {
    if (digit < '0' || digit > '9') break;
    number = number * 10 + static_cast<uint64_t>(digit - '0');
  }
  return number;
}

uint64_t CountRecords(absl::string_view answer) {
  constexpr absl::string_view kOfEachRecord = "SequenceNumber";
  uint64_t count = 0;
  for (size_t at = answer.find(kOfEachRecord); at != absl::string_view::npos;
       at = answer.find(kOfEachRecord, at + kOfEachRecord.size())) {
    ++count;
  }
  return count;
}

std::vector<int64_t> RecordStamps(uint32_t record_bytes,
                                  absl::string_view json) {
  std::vector<int64_t> stamps;
  for (size_t at = json.find(kJsonData); at != absl::string_view::npos;
       at = json.find(kJsonData, at)) {
    at += kJsonData.size();
    const size_t characters = json.find('"', at) - at;
    std::string stamp;
    if (characters >= record_bytes &&
        absl::Base64Unescape(json.substr(at, kStampCharacters), &stamp)) {
      stamps.push_back(SentAt(stamp));
    }
  }
  return stamps;
}

}  // namespace trireme::bench
