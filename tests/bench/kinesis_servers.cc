#include "tests/bench/kinesis_servers.h"

#include <filesystem>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "server/aws/message_writer.h"
#include "storage/check.h"
#include "tests/bench/http_load.h"
#include "tests/free_ports.h"

namespace trireme::bench {
namespace {

using Protocol = Contestant::Protocol;

constexpr absl::Duration kPatience = absl::Seconds(30);
constexpr absl::Duration kPollPeriod = absl::Milliseconds(20);
constexpr absl::string_view kNoLimit = "1000000";

KinesisRequest CreateStream(const std::string& stream, int shards) {
  MessageWriter writer(MessageFormat::kJson);
  writer.BeginMap();
  writer.Key("StreamName").String(stream);
  writer.Key("ShardCount").Integer(shards);
  writer.EndMap();
  return {"CreateStream", MessageFormat::kJson, writer.Take()};
}

// Asks until the answer's `member` is ACTIVE.
void AwaitActive(const std::string& address, const KinesisRequest& request,
                 absl::string_view member) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (StringMember(MessageFormat::kJson, member,
                      CallKinesis(address, request)) != "ACTIVE") {
    CHECK(absl::Now() < deadline, address + " does not get ACTIVE");
    absl::SleepFor(kPollPeriod);
  }
}

}  // namespace

KinesisServers::KinesisServers(const Places& places)
    : places_(places), cluster_(places, Cluster::Shape::kOneProcess) {
  const auto cpu = [this] { return cluster_.CpuMilliseconds(); };
  Contestant json{.name = "JSON", .address = cluster_.kinesis_address()};
  json.cpu_ms = cpu;
  Contestant cbor = json;
  cbor.name = "CBOR";
  cbor.format = MessageFormat::kCbor;
  Contestant h2 = json;
  h2.name = "JSON h2";
  h2.protocol = Protocol::kHttp2;
  Contestant grpc = json;
  grpc.name = "gRPC";
  grpc.address = cluster_.address(0);
  grpc.protocol = Protocol::kGrpc;
  contestants_ = {json, cbor, h2, grpc};
  const std::string modules =
      std::filesystem::absolute(places.peers + "/node_modules");
  if (!std::filesystem::exists(modules)) {
    std::cerr << "bench: no peers; tests/bench/peers/install brings them\n";
    return;
  }
  const int port = FreePort();
  AddPeer("kinesalite",
          {"node", modules + "/kinesalite/cli.js", "--port", absl::StrCat(port),
           "--createStreamMs", "0", "--shardLimit", std::string(kNoLimit)},
          absl::StrCat("127.0.0.1:", port));
  contestants_.back().pushes = false;
  const int plain_port = FreePort();
  AddPeer("kinesis-local",
          {absl::StrCat("KINESIS_MOCK_PLAIN_PORT=", plain_port),
           absl::StrCat("KINESIS_MOCK_TLS_PORT=", FreePort()),
           absl::StrCat("KINESIS_MOCK_CERT_PATH=", modules,
                        "/kinesis-local/server.json"),
           absl::StrCat("SHARD_LIMIT=", kNoLimit), "CREATE_STREAM_DURATION=0ms",
           "REGISTER_STREAM_CONSUMER_DURATION=0ms", "LOG_LEVEL=ERROR", "node",
           modules + "/kinesis-local/main.js"},
          absl::StrCat("127.0.0.1:", plain_port));
}

// `command`: what env runs, with variables before it.
void KinesisServers::AddPeer(const std::string& name,
                             const std::vector<std::string>& command,
                             const std::string& address) {
  std::vector<std::string> all = {"/usr/bin/env"};
  all.insert(all.end(), command.begin(), command.end());
  peers_.push_back(std::make_unique<Process>(
      all, absl::StrCat(places_.directory, "/", name, ".log")));
  AwaitListening(address);
  Contestant peer{.name = name, .address = address};
  peer.is_peer = true;
  peer.cpu_ms = [process = peers_.back().get()] {
    return process->CpuMilliseconds();
  };
  contestants_.push_back(std::move(peer));
}

std::string KinesisServers::MakeStream(const Contestant& contestant,
                                       int shards) {
  if (!contestant.is_peer) return cluster_.MakeStream(shards);
  const std::string stream = absl::StrCat("bench-", streams_++);
  CallKinesis(contestant.address, CreateStream(stream, shards));
  AwaitActive(contestant.address,
              MakeKinesisRequest("DescribeStreamSummary", MessageFormat::kJson,
                                 {{"StreamName", stream}}),
              "StreamStatus");
  return stream;
}

std::string KinesisServers::MakeConsumer(const Contestant& contestant,
                                         const std::string& stream) {
  const std::string arn =
      "arn:aws:kinesis:us-east-1:000000000000:stream/" + stream;
  const std::string consumer = StringMember(
      MessageFormat::kJson, "ConsumerARN",
      CallKinesis(
          contestant.address,
          MakeKinesisRequest("RegisterStreamConsumer", MessageFormat::kJson,
                             {{"StreamARN", arn}, {"ConsumerName", "bench"}})));
  AwaitActive(contestant.address,
              MakeKinesisRequest("DescribeStreamConsumer", MessageFormat::kJson,
                                 {{"ConsumerARN", consumer}}),
              "ConsumerStatus");
  return consumer;
}

std::string ShardIdOf(int number) {
  return absl::StrFormat("shardId-%012d", number);
}

}  // namespace trireme::bench
