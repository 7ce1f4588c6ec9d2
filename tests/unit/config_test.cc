#include "server/config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/address.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

constexpr char kGood[] = R"(cluster: test
node: 1
zone: a
data_dir: /data
listen: 127.0.0.1:7420
peer_listen: 127.0.0.1:7425
peers:
  - {id: 2, zone: b, address: 'host-b:7425'}
  - {id: 3, zone: c, address: 'host-c:7425'}
)";

std::string Replace(std::string text, const std::string& from,
                    const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& text) {
  const auto config = ParseNodeConfig(text, "a.yaml");
  return config.ok() ? "no error" : std::string(config.status().message());
}

TEST(ConfigTest, AMinimalFileGetsTheDefaults) {
  const auto config = ParseNodeConfig(kGood, "a.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->node, NodeId(1));
  EXPECT_EQ(config->advertise, "127.0.0.1:7420");
  EXPECT_EQ(config->groups, 8u);
  EXPECT_EQ(config->read, ReadFrom::kLeader);
  EXPECT_EQ(config->account.id, "000000000000");
  ASSERT_EQ(config->peers.size(), 2u);
  EXPECT_EQ(config->peers[1].address, "host-c:7425");
  EXPECT_EQ(config->NodeIds(),
            (std::vector<NodeId>{NodeId(1), NodeId(2), NodeId(3)}));
}

TEST(ConfigTest, TheExamplesLoadAndNameEachOther) {
  std::vector<NodeConfig> configs;
  for (const char* zone : {"a", "b", "c"}) {
    const auto config = LoadNodeConfig(std::string(TRIREME_SOURCE_DIR) +
                                       "/deploy/config/zone-" + zone + ".yaml");
    ASSERT_TRUE(config.ok()) << config.status();
    configs.push_back(*config);
  }
  for (const NodeConfig& config : configs) {
    for (const PeerConfig& peer : config.peers) {
      const NodeConfig& other = configs[peer.node.value() - 1];
      EXPECT_EQ(peer.address, other.peer_listen);
      EXPECT_EQ(peer.zone, other.zone);
      EXPECT_EQ(config.cluster, other.cluster);
    }
  }
}

TEST(ConfigTest, AnUnknownKeyIsNamedWithItsLineAndWhatIsAllowed) {
  const std::string error = ErrorOf(std::string(kGood) + "grups: 8\n");
  EXPECT_THAT(error, HasSubstr("a.yaml:10: unknown key 'grups'"));
  EXPECT_THAT(error, HasSubstr("did you mean 'groups'?"));
  EXPECT_THAT(error, HasSubstr("Allowed here: account, advertise, cluster"));
  EXPECT_THAT(ErrorOf(Replace(kGood, "{id: 2,", "{id: 2, port: 1,")),
              HasSubstr("a.yaml:8: unknown key 'peers[0].port'"));
}

TEST(ConfigTest, WrongValuesAreNamedWithWhatIsAllowed) {
  EXPECT_THAT(ErrorOf(Replace(kGood, "node: 1", "node: one")),
              HasSubstr("a.yaml:2: node is 'one'; it must be a number from 1 "
                        "to 65535"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "read: fast\n"),
              HasSubstr("read is 'fast'; allowed: leader, nearest"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "durability: interval\n"),
              HasSubstr("allowed: fsync"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "groups: [1]\n"),
              HasSubstr("groups must be a single value"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "insecure: maybe\n"),
              HasSubstr("it must be true or false"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "account: 12\n"),
              HasSubstr("12 digits"));
  EXPECT_THAT(ErrorOf(Replace(kGood, "zone: a\n", "")),
              HasSubstr("key 'zone' is missing"));
  EXPECT_THAT(ErrorOf(Replace(kGood, "'host-b:7425'", "host-b")),
              HasSubstr("peers[0].address 'host-b' is not an address"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "node: 2\n"),
              HasSubstr("key 'node' is given twice"));
}

TEST(ConfigTest, AllErrorsAreToldTogether) {
  const std::string error =
      ErrorOf(Replace(std::string(kGood) + "x: 1\n", "node: 1", "node: 0"));
  EXPECT_THAT(error, HasSubstr("unknown key 'x'"));
  EXPECT_THAT(error, HasSubstr("node is '0'"));
}

TEST(ConfigTest, LimitsAreAProfileThatStreamsMayDifferFrom) {
  const auto none = ParseNodeConfig(kGood, "a.yaml");
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->limits.LimitAny());
  const auto all = ParseNodeConfig(
      std::string(kGood) + "limits: kinesis\nstream_limits: {fast: none}\n",
      "a.yaml");
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_TRUE(all->limits.LimitsAccount());
  EXPECT_TRUE(all->limits.LimitsStream("orders"));
  EXPECT_FALSE(all->limits.LimitsStream("fast"));
  const auto one = ParseNodeConfig(
      std::string(kGood) + "stream_limits: {slow: kinesis}\n", "a.yaml");
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_TRUE(one->limits.LimitAny());
  EXPECT_FALSE(one->limits.LimitsAccount());
  EXPECT_TRUE(one->limits.LimitsStream("slow"));
  EXPECT_FALSE(one->limits.LimitsStream("orders"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "limits: aws\n"),
              HasSubstr("limits is 'aws'; allowed: none, kinesis"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "stream_limits: {slow: yes}\n"),
              HasSubstr("stream_limits.slow is 'yes'; allowed: none, kinesis"));
  EXPECT_THAT(ErrorOf(std::string(kGood) + "stream_limits: {'a b': none}\n"),
              HasSubstr("stream_limits.a b is no name of a stream"));
}

TEST(ConfigTest, WhatIsNotYamlIsAnError) {
  EXPECT_THAT(ErrorOf("a: [1"), HasSubstr("not YAML"));
  EXPECT_THAT(ErrorOf("- 1\n- 2\n"), HasSubstr("must be a mapping"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("key 'cluster' is missing"));
  EXPECT_FALSE(LoadNodeConfig("/does/not/exist.yaml").ok());
}

TEST(ConfigTest, AClusterIsThreeNodesInThreeZones) {
  EXPECT_THAT(ErrorOf(Replace(
                  kGood, "  - {id: 3, zone: c, address: 'host-c:7425'}\n", "")),
              HasSubstr("exactly 3 nodes"));
  EXPECT_THAT(ErrorOf(Replace(kGood, "zone: c", "zone: b")),
              HasSubstr("zones that differ"));
  EXPECT_THAT(ErrorOf(Replace(kGood, "id: 3", "id: 1")),
              HasSubstr("ids that differ"));
}

TEST(ConfigTest, AnExposedAddressNeedsTlsOrConsent) {
  const std::string exposed =
      Replace(kGood, "listen: 127.0.0.1:7420", "listen: 0.0.0.0:7420");
  EXPECT_THAT(ErrorOf(exposed), HasSubstr("insecure: true"));
  EXPECT_EQ(ErrorOf(exposed + "insecure: true\n"), "no error");
  EXPECT_EQ(ErrorOf(exposed + "tls: {certificate: a.crt, key: a.key}\n"),
            "no error");
  // TLS for clients does not cover the other nodes, and theirs needs a ca.
  const std::string peers =
      Replace(kGood, "peer_listen: 127.0.0.1", "peer_listen: 10.0.0.1") +
      "tls: {certificate: a.crt, key: a.key}\n";
  EXPECT_THAT(ErrorOf(peers), HasSubstr("Set peer_tls"));
  EXPECT_THAT(ErrorOf(peers + "peer_tls: {certificate: a.crt, key: a.key}\n"),
              HasSubstr("key 'peer_tls.ca' is missing"));
}

TEST(ConfigTest, AnExposedKinesisEndpointNeedsTlsAndAccessKeys) {
  const auto with = [](const std::string& kinesis) {
    return std::string(kGood) + "kinesis: {" + kinesis + "}\n";
  };
  EXPECT_EQ(ErrorOf(with("listen: '127.0.0.1:4567'")), "no error");
  const std::string tls = "tls: {certificate: a.crt, key: a.key}";
  const std::string open = "listen: '0.0.0.0:4567'";
  EXPECT_THAT(ErrorOf(with(open)), HasSubstr("without TLS"));
  EXPECT_THAT(ErrorOf(with(open + ", access_keys: keys.txt")),
              HasSubstr("without TLS"));
  EXPECT_THAT(ErrorOf(with(open + ", " + tls)),
              HasSubstr("would take any signature"));
  EXPECT_EQ(ErrorOf(with(open + ", " + tls + ", access_keys: keys.txt")),
            "no error");
  EXPECT_EQ(ErrorOf(with(open) + "insecure: true\n"), "no error");
  EXPECT_THAT(ErrorOf(with(open + ", keys: x")), HasSubstr("kinesis.keys"));

  const auto config = ParseNodeConfig(
      with("listen: '[::1]:4567', access_keys: keys.txt"), "a.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->kinesis->listen, "[::1]:4567");
  EXPECT_EQ(config->kinesis->access_keys, "keys.txt");
  EXPECT_FALSE(config->kinesis->tls.has_value());
}

TEST(AddressTest, LoopbackIsWhatOnlyThisMachineReaches) {
  for (const char* text : {"127.0.0.1:1", "localhost:1", "[::1]:1"}) {
    const auto address = Address::Parse(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_TRUE(address->IsLoopback()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "node-a:7420"}) {
    EXPECT_FALSE(Address::Parse(text)->IsLoopback()) << text;
  }
  for (const char* text : {"", "host", ":1", "host:", "host:x", "::1:80",
                           "host:65536", "host:-1"}) {
    EXPECT_FALSE(Address::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace trireme
