// A client that asks a node anything at all, tokens of its own making
// included: each request is answered exactly once, and an error is typed, says
// its piece in UTF-8 and fits the trailers that clients take.
#include <grpcpp/support/slice.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "google/rpc/error_details.pb.h"
#include "server/grpc/grpc_status.h"
#include "server/grpc/record_messages.h"
#include "server/signed_token.h"
#include "storage/check.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/input_message.h"
#include "tests/unit/broker_fixture.h"
#include "trireme/v1/streams.pb.h"

namespace trireme {
namespace {

// gRPC's default for what a client takes, less what else is in a trailer.
constexpr size_t kTrailerBytesMax = 8192 - 512;
constexpr char kStream[] = "s";
constexpr char kArn[] = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

size_t PercentEncodedBytes(absl::string_view text) {
  size_t bytes = 0;
  for (const char c : text) bytes += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;
  return bytes;
}

void CheckError(const absl::Status& status) {
  if (status.ok()) return;
  const grpc::Status sent = ToGrpcStatus(status);
  CHECK(sent.error_code() != grpc::StatusCode::INTERNAL &&
            sent.error_code() != grpc::StatusCode::UNKNOWN,
        status.ToString());
  const size_t bytes = PercentEncodedBytes(sent.error_message()) +
                       (sent.error_details().size() + 2) / 3 * 4;
  CHECK(bytes <= kTrailerBytesMax,
        absl::StrCat(bytes, " bytes of trailers: ", status.ToString()));
  // Fails for text that is not UTF-8.
  google::rpc::Status details;
  CHECK(details.ParseFromString(sent.error_details()), status.ToString());
}

class Sink : public SubscriptionSink {
 public:
  void Write(SubscriptionEvent event) override {
    CHECK(!writing && !finished);
    ToBuffer(event);
    writing = true;
  }
  void Finish(absl::Status status) override {
    CHECK(!writing && !finished);
    finished = true;
    CheckError(status);
  }
  void Abandon() override {}

  bool writing = false;
  bool finished = false;
};

// A node with one stream, in the middle of its life.
class Node {
 public:
  Node() : signer_("test", "") {}

  void Take(Input& input) {
    if (node_.replica.state().catalog().Find(kStream) == nullptr) {
      node_.CreateActive(kStream, 2);
    }
    switch (input.Byte() % 21) {
      case 0:
        return PutRecord(input);
      case 1:
        return PutRecords(input);
      case 2:
        return GetShardIterator(input);
      case 3:
        return GetRecords(input);
      case 4:
        return SubscribeToShard(input);
      case 5:
        return CreateStream(input);
      case 6:
        return DeleteStream(input);
      case 7:
        return DescribeStream(input);
      case 8:
        return ListStreams(input);
      case 9:
        return RegisterStreamConsumer(input);
      case 10:
        return DeregisterStreamConsumer(input);
      case 11:
        return DescribeStreamConsumer(input);
      case 12:
        return ListStreamConsumers(input);
      case 13:
        return ChangeMonitoring(input);
      case 14:
        return ChangeEncryption(input);
      case 15:
        return PutPolicy(input);
      case 16:
        return DeletePolicy(input);
      case 17:
        return ChangeMode(input);
      case 18:
        return ChangeWarmThroughput(input);
      case 19:
        return ChangeDistribution(input);
      default:
        return ListShards(input);
    }
  }

 private:
  template <typename T>
  using Answer = TestNode::Answer<T>;

  // As it comes from the wire; false when it is no message.
  bool TakeRequest(Input& input, google::protobuf::Message* request) {
    std::string bytes;
    if (input.Mostly(8)) {
      TakeMessage(input, request);
      MakeBelievable(input, request);
      bytes = request->SerializeAsString();
    } else {
      bytes = input.Rest();
    }
    const grpc::Slice slice(bytes);
    const absl::Status parsed =
        ParseMessage(grpc::ByteBuffer(&slice, 1), request);
    CheckError(parsed);
    return parsed.ok();
  }

  // Mostly names what there is.
  void MakeBelievable(Input& input, google::protobuf::Message* message) {
    const auto& reflection = *message->GetReflection();
    const auto& type = *message->GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const auto* const field = type.field(i);
      if (field->is_repeated()) continue;
      if (field->message_type() != nullptr) {
        if (!reflection.HasField(*message, field)) continue;
        MakeBelievable(input, reflection.MutableMessage(message, field));
      } else if (field->type() ==
                     google::protobuf::FieldDescriptor::TYPE_STRING &&
                 input.Mostly(4)) {
        reflection.SetString(message, field, Known(input, field->name()));
      }
    }
  }
  std::string Known(Input& input, const std::string& field) {
    if (field == "stream_name") return kStream;
    if (field == "consumer_name") return std::string(1, 'a' + input.Byte() % 3);
    if (field == "consumer_arn") return input.Mostly(2) ? last_consumer_ : "";
    if (field == "resource_arn") return kArn;
    if (field == "policy") return "{\"a\": 1}";
    if (field == "key_id") return "alias/k";
    if (field == "shard_id") return absl::StrCat(input.Byte() % 3);
    if (field == "partition_key") return "key";
    if (field == "stream_id") return input.Mostly(4) ? "" : KnownId();
    if (field == "shard_iterator") return Token(input, "shard-iterator");
    if (field == "next_token" && input.Mostly(2)) {
      return Token(input, "next-token");
    }
    const bool is_number = absl::StrContains(field, "sequence_number");
    return is_number && input.Mostly(2) ? last_number_ : "";
  }
  std::string KnownId() {
    return StreamIdToString(node_.replica.state().catalog().Find(kStream)->id);
  }
  std::string Token(Input& input, const std::string& kind) {
    if (input.Mostly(2) && !last_iterator_.empty()) return last_iterator_;
    // The version, then anything.
    std::string payload(input.Mostly(4) ? "\x01" : "");
    return signer_.Sign(kind, payload += input.Bytes(input.Byte() % 32));
  }

  template <typename T>
  absl::StatusOr<T> Await(Answer<T> answer) {
    node_.Settle();
    CHECK(answer.answered(), "no answer");
    absl::StatusOr<T> got = std::move(**answer.value);
    CheckError(got.status());
    return got;
  }

  void PutRecord(Input& input) {
    v1::PutRecordRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<PutResult> answer;
    node_.broker.PutRecord(FromMessage(request), TestNode::kTimeout,
                           answer.Callback());
    const auto put = Await(answer);
    if (put.ok()) last_number_ = put->sequence_number.ToString();
  }
  void PutRecords(Input& input) {
    v1::PutRecordsRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<PutRecordsResponse> answer;
    node_.broker.PutRecords(FromMessage(request), TestNode::kTimeout,
                            answer.Callback());
    const auto put = Await(answer);
    if (!put.ok()) return;
    CHECK(put->records.size() == static_cast<size_t>(request.records_size()));
    v1::PutRecordsResponse response;
    ToMessage(*put, &response);
  }
  void GetShardIterator(Input& input) {
    v1::GetShardIteratorRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<GetShardIteratorResponse> answer;
    node_.broker.GetShardIterator(FromMessage(request), TestNode::kTimeout,
                                  answer.Callback());
    const auto found = Await(answer);
    if (found.ok()) last_iterator_ = found->shard_iterator;
  }
  void GetRecords(Input& input) {
    v1::GetRecordsRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<GetRecordsResponse> answer;
    node_.broker.GetRecords(FromMessage(request), TestNode::kTimeout,
                            answer.Callback());
    const auto read = Await(answer);
    if (read.ok()) ToBuffer(*read);
  }
  void SubscribeToShard(Input& input) {
    v1::SubscribeToShardRequest request;
    if (!TakeRequest(input, &request)) return;
    Sink sink;
    const auto subscription = node_.broker.SubscribeToShard(
        FromMessage(request), TestNode::kTimeout, &sink);
    CheckError(subscription.status());
    node_.Settle();
    if (!subscription.ok()) return;
    for (int events = 0; sink.writing && events < 3; ++events) {
      sink.writing = false;
      (*subscription)->OnWritten(true);
      node_.Settle();
    }
    (*subscription)->Stop(absl::CancelledError("gone"));
    if (std::exchange(sink.writing, false)) (*subscription)->OnWritten(false);
    node_.Settle();
    CHECK(sink.finished);
  }
  void CreateStream(Input& input) {
    v1::CreateStreamRequest request;
    if (!TakeRequest(input, &request)) return;
    int answers = 0;
    node_.broker.CreateStream({request.stream_name(), request.shard_count()},
                              TestNode::kTimeout, [&](absl::Status status) {
                                ++answers;
                                CheckError(status);
                              });
    node_.Settle();
    CHECK(answers == 1);
  }
  void DeleteStream(Input& input) {
    v1::DeleteStreamRequest request;
    if (!TakeRequest(input, &request)) return;
    int answers = 0;
    node_.broker.DeleteStream({{request.stream_name(), request.stream_arn()},
                               request.enforce_consumer_deletion()},
                              TestNode::kTimeout, [&](absl::Status status) {
                                ++answers;
                                CheckError(status);
                              });
    node_.lifecycle.RunOnce();
    node_.Settle();
    CHECK(answers == 1);
  }
  // Runs a request that is answered with a status, and then the lifecycle.
  template <typename Ask>
  void AwaitStatus(Ask ask) {
    int answers = 0;
    ask([&](absl::Status status) {
      ++answers;
      CheckError(status);
    });
    node_.lifecycle.RunOnce();
    node_.Settle();
    CHECK(answers == 1);
  }
  void ChangeMonitoring(Input& input) {
    v1::EnableEnhancedMonitoringRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<MonitoringResponse> answer;
    node_.broker.ChangeEnhancedMonitoring(
        {{request.stream_name(), request.stream_arn()},
         {request.shard_level_metrics().begin(),
          request.shard_level_metrics().end()},
         input.Mostly(2)},
        TestNode::kTimeout, answer.Callback());
    Await(answer).IgnoreError();
  }
  void ChangeEncryption(Input& input) {
    v1::StartStreamEncryptionRequest request;
    if (!TakeRequest(input, &request)) return;
    AwaitStatus([&](Broker::StatusDone done) {
      node_.broker.StartStreamEncryption(
          {{request.stream_name(), request.stream_arn()},
           request.encryption_type() == v1::KMS,
           request.key_id()},
          TestNode::kTimeout, std::move(done));
    });
  }
  void ChangeMode(Input& input) {
    v1::UpdateStreamModeRequest request;
    if (!TakeRequest(input, &request)) return;
    AwaitStatus([&](Broker::StatusDone done) {
      node_.broker.UpdateStreamMode(
          {{request.stream_name(), request.stream_arn(), false,
            request.stream_id()},
           input.Mostly(2) ? StreamMode::kOnDemand : StreamMode::kProvisioned,
           request.has_warm_throughput_mibps()
               ? std::optional(request.warm_throughput_mibps())
               : std::nullopt},
          TestNode::kTimeout, std::move(done));
    });
  }
  void ChangeWarmThroughput(Input& input) {
    v1::UpdateStreamWarmThroughputRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<UpdateWarmThroughputResponse> answer;
    node_.broker.UpdateStreamWarmThroughput(
        {{request.stream_name(), request.stream_arn()},
         request.warm_throughput_mibps()},
        TestNode::kTimeout, answer.Callback());
    Await(answer).IgnoreError();
  }
  void ChangeDistribution(Input& input) {
    v1::UpdateStreamRecordDistributionStrategyRequest request;
    if (!TakeRequest(input, &request)) return;
    AwaitStatus([&](Broker::StatusDone done) {
      node_.broker.UpdateStreamRecordDistributionStrategy(
          {{request.stream_name(), request.stream_arn()},
           input.Mostly(2) ? RecordDistribution::kAuto
                           : RecordDistribution::kUserPartitionKey},
          TestNode::kTimeout, std::move(done));
    });
  }
  void PutPolicy(Input& input) {
    v1::PutResourcePolicyRequest request;
    if (!TakeRequest(input, &request)) return;
    AwaitStatus([&](Broker::StatusDone done) {
      node_.broker.PutResourcePolicy(
          {{"", request.resource_arn(), true}, request.policy()},
          TestNode::kTimeout, std::move(done));
    });
  }
  void DeletePolicy(Input& input) {
    v1::DeleteResourcePolicyRequest request;
    if (!TakeRequest(input, &request)) return;
    AwaitStatus([&](Broker::StatusDone done) {
      node_.broker.DeleteResourcePolicy({"", request.resource_arn(), true},
                                        TestNode::kTimeout, std::move(done));
    });
  }
  void DescribeStream(Input& input) {
    v1::DescribeStreamRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<DescribeStreamResponse> answer;
    node_.broker.DescribeStream({{request.stream_name(), request.stream_arn()},
                                 request.limit(),
                                 request.exclusive_start_shard_id()},
                                TestNode::kTimeout, answer.Callback());
    Await(answer).IgnoreError();
  }
  void ListStreams(Input& input) {
    v1::ListStreamsRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<ListStreamsResponse> answer;
    node_.broker.ListStreams(
        {request.limit(), request.exclusive_start_stream_name(),
         request.next_token()},
        TestNode::kTimeout, answer.Callback());
    Await(answer).IgnoreError();
  }
  void ListShards(Input& input) {
    v1::ListShardsRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<ListShardsResponse> answer;
    node_.broker.ListShards({{request.stream_name(), request.stream_arn()},
                             request.next_token(),
                             request.max_results(),
                             request.exclusive_start_shard_id()},
                            TestNode::kTimeout, answer.Callback());
    Await(answer).IgnoreError();
  }

  void RegisterStreamConsumer(Input& input) {
    v1::RegisterStreamConsumerRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<FoundConsumer> answer;
    node_.broker.RegisterConsumer(
        {{request.stream_name(), request.stream_arn()},
         request.consumer_name(),
         {request.tags().begin(), request.tags().end()}},
        TestNode::kTimeout, answer.Callback());
    const auto made = Await(answer);
    if (!made.ok()) return;
    last_consumer_ = ConsumerArn(node_.broker.account(), made->stream_name,
                                 made->name, made->created_s);
  }
  template <typename Message>
  static ConsumerAddress ConsumerOf(const Message& message) {
    return {{message.stream_name(), message.stream_arn()},
            message.consumer_name(),
            message.consumer_arn()};
  }
  void DeregisterStreamConsumer(Input& input) {
    v1::DeregisterStreamConsumerRequest request;
    if (!TakeRequest(input, &request)) return;
    int answers = 0;
    node_.broker.DeregisterConsumer(ConsumerOf(request), TestNode::kTimeout,
                                    [&](absl::Status status) {
                                      ++answers;
                                      CheckError(status);
                                    });
    node_.Settle();
    CHECK(answers == 1);
  }
  void DescribeStreamConsumer(Input& input) {
    v1::DescribeStreamConsumerRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<FoundConsumer> answer;
    node_.broker.DescribeConsumer(ConsumerOf(request), TestNode::kTimeout,
                                  answer.Callback());
    Await(answer).IgnoreError();
  }
  void ListStreamConsumers(Input& input) {
    v1::ListStreamConsumersRequest request;
    if (!TakeRequest(input, &request)) return;
    Answer<ListConsumersResponse> answer;
    node_.broker.ListConsumers({{request.stream_name(), request.stream_arn()},
                                request.next_token(),
                                request.max_results()},
                               TestNode::kTimeout, answer.Callback());
    Await(answer).IgnoreError();
  }

  TestNode node_;
  const TokenSigner signer_;
  std::string last_number_;
  std::string last_iterator_;
  std::string last_consumer_;  // Its ARN.
};

// Inputs share a node, as clients do; now and then there is a new one.
Node& SharedNode() {
  constexpr int kInputsANode = 5000;
  static int inputs = 0;
  static auto node = std::make_unique<Node>();
  if (++inputs % kInputsANode == 0) {
    node.reset();
    node = std::make_unique<Node>();
  }
  return *node;
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Input input(data, size);
  trireme::SharedNode().Take(input);
  return 0;
}
