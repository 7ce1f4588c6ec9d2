#include "server/config.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/address.h"
#include "server/config_reader.h"
#include "server/limits.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr uint32_t kNodeIdMax = 65535;
constexpr uint32_t kGroupsMax = 256;
constexpr size_t kNodes = 3;

std::optional<TlsFiles> ReadTls(ConfigSection* section, const std::string& key,
                                bool needs_ca) {
  std::optional<ConfigSection> tls = section->SectionAt(key);
  if (!tls.has_value()) return std::nullopt;
  TlsFiles files;
  files.certificate = tls->Text("certificate");
  files.key = tls->Text("key");
  files.ca = needs_ca ? tls->Text("ca") : tls->TextOr("ca", "");
  tls->RefuseOthers();
  return files;
}

void ReadPeers(ConfigSection* section, NodeConfig* config) {
  for (ConfigSection& entry : section->SectionsAt("peers")) {
    PeerConfig peer;
    peer.node = NodeId(entry.Number("id", 1, kNodeIdMax));
    peer.zone = entry.Text("zone");
    peer.address = entry.AddressAt("address");
    entry.RefuseOthers();
    config->peers.push_back(std::move(peer));
  }
}

LimitsProfile ReadProfile(ConfigSection* section, const std::string& key) {
  return section->Choice(key, {"none", "kinesis"}) == "kinesis"
             ? LimitsProfile::kKinesis
             : LimitsProfile::kNone;
}

void ReadLimits(ConfigSection* section, LimitsOptions* limits) {
  limits->profile = ReadProfile(section, "limits");
  std::optional<ConfigSection> streams = section->SectionAt("stream_limits");
  if (!streams.has_value()) return;
  for (const std::string& name : streams->Keys()) {
    if (!IsResourceName(name) || name.size() > kStreamNameCharactersMax) {
      streams->AddError(name, "is no name of a stream");
    }
    limits->of_streams[name] = ReadProfile(&*streams, name);
  }
  streams->RefuseOthers();
}

void ReadAccount(ConfigSection* section, Account* account) {
  account->region = section->TextOr("region", account->region);
  account->id = section->TextOr("account", account->id);
  const bool is_account =
      account->id.size() == 12 &&
      std::all_of(account->id.begin(), account->id.end(),
                  [](char c) { return absl::ascii_isdigit(c); });
  if (!is_account) {
    section->AddError("account", absl::StrCat("is '", account->id,
                                              "'; it must be 12 digits, in "
                                              "quotes"));
  }
}

// Three nodes, three zones: what replication is built for.
void CheckMembers(ConfigSection* section, const NodeConfig& config) {
  if (config.peers.size() + 1 != kNodes) {
    section->AddError(
        "peers", absl::StrCat("names ", config.peers.size(),
                              " other nodes; a cluster has exactly ", kNodes,
                              " nodes, one in each of three zones: name the "
                              "other two"));
    return;
  }
  std::set<NodeId> ids = {config.node};
  std::set<std::string> zones = {config.zone};
  for (const PeerConfig& peer : config.peers) {
    ids.insert(peer.node);
    zones.insert(peer.zone);
  }
  if (ids.size() != kNodes) {
    section->AddError("peers",
                      "must have ids that differ from each other and "
                      "from this node's id");
  }
  if (zones.size() != kNodes) {
    section->AddError("peers",
                      "must stand in zones that differ from each "
                      "other and from this node's zone: a record is "
                      "safe when two zones have it");
  }
}

void CheckExposures(ConfigSection* section, const NodeConfig& config,
                    const std::string& key, const std::string& address,
                    bool has_tls) {
  if (!Address::Parse(address).ok()) return;  // Told already.
  const absl::Status exposed =
      CheckExposure(key, address, has_tls, config.insecure);
  if (!exposed.ok()) section->AddError(key, exposed.message());
}

std::optional<KinesisConfig> ReadKinesis(ConfigSection* section,
                                         bool insecure) {
  std::optional<ConfigSection> kinesis = section->SectionAt("kinesis");
  if (!kinesis.has_value()) return std::nullopt;
  KinesisConfig config;
  config.listen = kinesis->AddressAt("listen");
  config.tls = ReadTls(&*kinesis, "tls", /*needs_ca=*/false);
  config.access_keys = kinesis->TextOr("access_keys", "");
  kinesis->RefuseOthers();
  if (Address::Parse(config.listen).ok()) {  // Else it was told already.
    const absl::Status exposed = CheckKinesisExposure(
        "kinesis.listen", config.listen, config.tls.has_value(),
        !config.access_keys.empty(), insecure);
    if (!exposed.ok()) kinesis->AddError("listen", exposed.message());
  }
  return config;
}

NodeConfig ReadNodeConfig(ConfigSection* section, bool insecure) {
  NodeConfig config;
  config.cluster = section->Text("cluster");
  config.node = NodeId(section->Number("node", 1, kNodeIdMax));
  config.zone = section->Text("zone");
  config.data_dir = section->Text("data_dir");
  config.listen = section->AddressAt("listen");
  config.advertise = section->TextOr("advertise", config.listen);
  config.peer_listen = section->AddressAt("peer_listen");
  config.groups = section->NumberOr("groups", 1, kGroupsMax, config.groups);
  // One value for now: a key already so that a file says what it relies on.
  section->Choice("durability", {"fsync"});
  ReadLimits(section, &config.limits);
  config.read = section->Choice("read", {"leader", "nearest"}) == "nearest"
                    ? ReadFrom::kNearest
                    : ReadFrom::kLeader;
  config.iterator_secret = section->TextOr("iterator_secret", "");
  config.log_level =
      section->Choice("log_level", {"info", "trace", "debug", "warn", "error"});
  config.insecure = section->FlagOr("insecure", false) || insecure;
  config.tls = ReadTls(section, "tls", /*needs_ca=*/false);
  config.peer_tls = ReadTls(section, "peer_tls", /*needs_ca=*/true);
  config.kinesis = ReadKinesis(section, config.insecure);
  ReadPeers(section, &config);
  ReadAccount(section, &config.account);
  section->RefuseOthers();

  CheckMembers(section, config);
  CheckExposures(section, config, "listen", config.listen,
                 config.tls.has_value());
  CheckExposures(section, config, "peer_listen", config.peer_listen,
                 config.peer_tls.has_value());
  return config;
}

}  // namespace

std::vector<NodeId> NodeConfig::NodeIds() const {
  std::vector<NodeId> ids = {node};
  for (const PeerConfig& peer : peers) ids.push_back(peer.node);
  std::sort(ids.begin(), ids.end());
  return ids;
}

absl::StatusOr<NodeConfig> ParseNodeConfig(const std::string& text,
                                           absl::string_view source,
                                           bool insecure) {
  ConfigErrors errors(source);
  // yaml-cpp throws; nothing of it gets past here.
  try {
    ConfigSection section(YAML::Load(text), "", &errors);
    NodeConfig config = ReadNodeConfig(&section, insecure);
    RETURN_IF_ERROR(errors.ToStatus());
    return config;
  } catch (const YAML::Exception& exception) {
    errors.Add(exception.mark, absl::StrCat("not YAML: ", exception.msg));
    return errors.ToStatus();
  }
}

absl::StatusOr<NodeConfig> LoadNodeConfig(const std::string& path,
                                          bool insecure) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat("cannot read the configuration file ", path));
  }
  return ParseNodeConfig(text.str(), path, insecure);
}

absl::Status CheckExposure(absl::string_view key, absl::string_view address,
                           bool has_tls, bool insecure) {
  absl::StatusOr<Address> parsed = Address::Parse(address);
  if (!parsed.ok()) return parsed.status();
  if (parsed->IsLoopback() || has_tls || insecure) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "is ", address, ", which other machines can reach, without TLS. Set ",
      key == "peer_listen" ? "peer_tls" : "tls",
      " (certificate, key, ca), or listen on 127.0.0.1, or, on a network you "
      "trust, accept plaintext with `insecure: true` or --insecure"));
}

absl::Status CheckKinesisExposure(absl::string_view key,
                                  absl::string_view address, bool has_tls,
                                  bool has_access_keys, bool insecure) {
  RETURN_IF_ERROR(CheckExposure(key, address, has_tls, insecure));
  if (Address::Parse(address)->IsLoopback() || has_access_keys || insecure) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "is ", address,
      ", which other machines can reach, and would take any "
      "signature. Name a file of access keys with `access_keys`, or listen on "
      "127.0.0.1, or, on a network you trust, take anyone with "
      "`insecure: true` or --insecure"));
}

}  // namespace trireme
