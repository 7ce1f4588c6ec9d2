// Bytes that claim to be an aggregate or compressed. They are read within
// bounds, whatever they say; what was written is read back.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/aggregation.h"
#include "client/compression.h"
#include "client/unpack.h"
#include "storage/check.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/input_message.h"

namespace trireme {
namespace {

using client::UserRecord;

// One byte of it, sometimes.
void Damage(Input& input, std::string& data) {
  if (data.empty() || input.Mostly(2)) return;
  data[input.Below(data.size())] = static_cast<char>(input.Byte());
}

std::string Sealed(const std::string& message) {
  const client::Md5Digest digest = *client::Md5(message);
  return absl::StrCat("\xF3\x89\x9A\xC2", message,
                      std::string(digest.data(), digest.size()));
}

void ReadBytes(Input& input, std::string data) {
  v1::Record record;
  record.set_data(data);
  const client::HashKeyRange range{input.Number(), absl::Uint128Max() >> 1};
  std::vector<UserRecord> records;
  const absl::Status status =
      client::Unpack(record, input.Mostly(2) ? nullptr : &range, &records);
  CHECK(status.ok() || absl::IsResourceExhausted(status), status.ToString());
  uint64_t bytes = 0;
  for (const UserRecord& user : records) bytes += user.data.size();
  CHECK(bytes <= client::kCompressionRatioMax * data.size());
}

// Any message at all, with the right digest.
void ReadMessage(Input& input) {
  v1::AggregatedRecord message;
  TakeMessage(input, &message);
  std::string bytes = message.SerializePartialAsString();
  Damage(input, bytes);
  ReadBytes(input, Sealed(bytes));
}

void WriteAndRead(Input& input) {
  client::Aggregate aggregate;
  std::vector<client::ProducerRecord> put;
  for (uint64_t i = 1 + input.Below(20); i > 0; --i) {
    client::ProducerRecord& record = put.emplace_back();
    record.partition_key = input.Bytes(input.Byte() % 4);
    record.data = input.Bytes(input.Byte() % 32);
    if (!input.Mostly(3)) record.explicit_hash_key = absl::StrCat(input.Byte());
    aggregate.Add(record);
  }
  std::string data = aggregate.Encode();
  CHECK(data.size() == aggregate.bytes());
  client::Compressor compressor(3);
  if (auto compressed = compressor.Compress(data); compressed.has_value()) {
    data = *compressed;
  }
  v1::Record record;
  record.set_data(data);
  std::vector<UserRecord> read;
  CHECK(client::Unpack(record, nullptr, &read).ok());
  CHECK(read.size() == put.size());
  for (size_t i = 0; i < read.size(); ++i) {
    CHECK(read[i].aggregated && read[i].position.sub_sequence_number == i);
    CHECK(read[i].partition_key == put[i].partition_key &&
          read[i].explicit_hash_key == put[i].explicit_hash_key &&
          read[i].data == put[i].data);
  }
  Damage(input, data);
  ReadBytes(input, data);
}

void Run(Input input) {
  switch (input.Byte() % 4) {
    case 0:
      return ReadBytes(input, Sealed(input.Bytes(input.Byte())));
    case 1:
      return ReadBytes(input, "\x28\xB5\x2F\xFD" + input.Bytes(input.Byte()));
    case 2:
      return ReadMessage(input);
    default:
      return WriteAndRead(input);
  }
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Run(trireme::Input(data, size));
  return 0;
}
