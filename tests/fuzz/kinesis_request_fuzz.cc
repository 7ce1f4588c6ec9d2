// An AWS client that sends anything at all to the Kinesis API: each call is
// answered once, with a message that its client can read, and never with a
// failure of the server's. An input that begins with '{' or a map of CBOR is
// the body of a call; any other is choices of which one is made.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/aws/aws_endpoint.h"
#include "server/aws/message_reader.h"
#include "server/aws/message_writer.h"
#include "server/kinesis/kinesis_api.h"
#include "server/kinesis/operations.h"
#include "storage/check.h"
#include "tests/fuzz/input.h"
#include "tests/unit/broker_fixture.h"
#include "tests/unit/fake_exchange.h"

namespace trireme {
namespace {

constexpr char kJsonType[] = "application/x-amz-json-1.1";
constexpr char kCborType[] = "application/x-amz-cbor-1.1";
constexpr char kArn[] = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
constexpr auto kMembers =
    std::to_array<absl::string_view>({"StreamName",
                                      "StreamARN",
                                      "StreamId",
                                      "ShardCount",
                                      "Limit",
                                      "ShardId",
                                      "ShardIteratorType",
                                      "ShardIterator",
                                      "Data",
                                      "PartitionKey",
                                      "Records",
                                      "ExplicitHashKey",
                                      "Timestamp",
                                      "StartingSequenceNumber",
                                      "Tags",
                                      "TagKeys",
                                      "ResourceARN",
                                      "ConsumerName",
                                      "ConsumerARN",
                                      "NextToken",
                                      "MaxResults",
                                      "ShardFilter",
                                      "Type",
                                      "StartingPosition",
                                      "StreamModeDetails",
                                      "StreamMode",
                                      "ShardToSplit",
                                      "ShardToMerge",
                                      "AdjacentShardToMerge",
                                      "NewStartingHashKey",
                                      "RetentionPeriodHours",
                                      "TargetShardCount",
                                      "ScalingType",
                                      "ShardLevelMetrics",
                                      "EncryptionType",
                                      "KeyId",
                                      "Policy",
                                      "DryRun",
                                      "MaxRecordSizeInKiB",
                                      "Status",
                                      "MinimumThroughputBillingCommitment",
                                      "WarmThroughputMiBps",
                                      "RecordDistributionStrategy",
                                      "SequenceNumber",
                                      "StreamCreationTimestamp"});
constexpr auto kStrings =
    std::to_array<absl::string_view>({"s",
                                      kArn,
                                      "shardId-000000000000",
                                      "shardId-000000000001",
                                      "LATEST",
                                      "TRIM_HORIZON",
                                      "AT_TIMESTAMP",
                                      "AT_SEQUENCE_NUMBER",
                                      "ON_DEMAND",
                                      "PROVISIONED",
                                      "AUTO",
                                      "KMS",
                                      "NONE",
                                      "ALL",
                                      "ENABLED",
                                      "UNIFORM_SCALING",
                                      "FROM_TRIM_HORIZON",
                                      "AT_LATEST",
                                      "c",
                                      "{}",
                                      "0",
                                      "170141183460469231731687303715884105728",
                                      "",
                                      "YQ=="});

void WriteValue(Input& input, int depth, MessageWriter* writer) {
  switch (input.Byte() % (depth > 3 ? 6 : 8)) {
    case 0:
      return writer->String(input.Bytes(input.Byte() % 8));
    case 1:
      return writer->Integer(static_cast<int64_t>(input.Number()));
    case 2:
      return writer->Boolean(input.Byte() % 2 == 0);
    case 3:
      return writer->Bytes(input.Bytes(input.Byte() % 16));
    case 4:
      return writer->Time(absl::FromUnixMillis(
          1'700'000'000'000 + static_cast<int64_t>(input.Byte()) - 128));
    case 6:
      writer->BeginList();
      for (uint64_t n = input.Byte() % 4; n > 0; --n) {
        WriteValue(input, depth + 1, writer);
      }
      return writer->EndList();
    case 7:
      writer->BeginMap();
      for (uint64_t n = input.Byte() % 6; n > 0; --n) {
        writer->Key(kMembers[input.Byte() % kMembers.size()]);
        WriteValue(input, depth + 1, writer);
      }
      return writer->EndMap();
    default:
      return writer->String(kStrings[input.Byte() % kStrings.size()]);
  }
}

std::string SomeMessage(Input& input, MessageFormat format) {
  MessageWriter writer(format);
  writer.BeginMap();
  if (input.Mostly(8)) writer.Key("StreamName").String("s");
  for (uint64_t n = input.Byte() % 8; n > 0; --n) {
    writer.Key(kMembers[input.Byte() % kMembers.size()]);
    WriteValue(input, 0, &writer);
  }
  writer.EndMap();
  return writer.Take();
}

class Service {
 public:
  Service()
      : api_(&served_),
        endpoint_({&api_},
                  {nullptr, [](const HttpRequest&) { return std::nullopt; }}) {
    served_.Set(&node_.broker);
    node_.CreateActive("s", 2);
    for (const KinesisOperation& operation : AllKinesisOperations()) {
      names_.push_back(operation.name);
    }
  }

  void Call(absl::string_view operation, MessageFormat format,
            std::string body) {
    HttpRequest request;
    request.method = "POST";
    request.headers = {
        {"content-type",
         format == MessageFormat::kCbor ? kCborType : kJsonType},
        {"x-amz-target", absl::StrCat("Kinesis_20131202.", operation)}};
    request.body = std::move(body);
    auto exchange = std::make_shared<FakeExchange>(std::move(request));
    endpoint_.Serve(exchange);
    Settle(*exchange);
    CHECK(exchange->answered(), std::string(operation));
    exchange->Close();
    Settle(*exchange);
    Check(*exchange, format);
    node_.lifecycle.RunOnce();
    node_.Settle();
  }
  absl::string_view Name(uint64_t i) const { return names_[i % names_.size()]; }

 private:
  void Settle(FakeExchange& exchange) {
    do {
      node_.Settle();
    } while (exchange.RunOne());
  }
  static void Check(const FakeExchange& exchange, MessageFormat format) {
    const int status = exchange.response().status;
    CHECK(status == 200 || status == 400, exchange.body());
    if (exchange.header("content-type") ==
            "application/vnd.amazon.eventstream" ||
        (status == 200 && exchange.body().empty())) {
      return;
    }
    const auto message = ReadMessage(format, exchange.body());
    CHECK(message.has_value(), exchange.body());
    CHECK((status == 400) == message->contains("__type"), exchange.body());
  }

  TestNode node_;
  ServedBroker served_;
  KinesisApi api_;
  AwsEndpoint endpoint_;
  std::vector<absl::string_view> names_;
};

bool IsBody(const uint8_t* data, size_t size) {
  return size > 0 && (data[0] == '{' || (data[0] & 0xe0) == 0xa0);
}

void RunInput(const uint8_t* data, size_t size) {
  static Service* const service = new Service();
  Input input(data, size);
  if (IsBody(data, size)) {
    const MessageFormat format =
        data[0] == '{' ? MessageFormat::kJson : MessageFormat::kCbor;
    const std::string body = input.Rest();
    service->Call(service->Name(data[size - 1]), format, body);
    return;
  }
  while (!input.empty()) {
    const absl::string_view name = service->Name(input.Byte());
    const MessageFormat format =
        input.Byte() % 2 == 0 ? MessageFormat::kJson : MessageFormat::kCbor;
    service->Call(name, format, SomeMessage(input, format));
  }
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::RunInput(data, size);
  return 0;
}
