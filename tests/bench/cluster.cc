#include "tests/bench/cluster.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/check.h"
#include "tests/free_ports.h"

namespace trireme::bench {
namespace {

namespace fs = std::filesystem;

constexpr size_t kZones = 3;

std::string Loopback(int port) { return absl::StrCat("127.0.0.1:", port); }

}  // namespace

void Must(const absl::Status& status, const std::string& what) {
  CHECK(status.ok(), what + ": " + status.ToString());
}

std::unique_ptr<client::Client> MakeClient(std::vector<std::string> addresses) {
  client::ClientOptions options;
  options.endpoints = std::move(addresses);
  options.connect_timeout = absl::Seconds(30);
  auto client = client::Client::Create(std::move(options));
  Must(client.status(), "client");
  return *std::move(client);
}

Cluster::Cluster(const Places& places, Shape shape)
    : places_(places), shape_(shape), kinesis_address_(Loopback(FreePort())) {
  std::string pattern = places.directory + "/cluster-XXXXXX";
  CHECK(mkdtemp(pattern.data()) != nullptr, "cannot create " + pattern);
  directory_ = pattern;
  const size_t count = shape == Shape::kOneProcess ? 1 : kZones;
  for (size_t i = 0; i < count; ++i) {
    addresses_.push_back(Loopback(FreePort()));
  }
  if (shape == Shape::kThreeProcesses) WriteConfigurations();
  processes_.resize(count);
  for (size_t i = 0; i < count; ++i) Start(i);
  for (const std::string& address : addresses_) AwaitListening(address);
  client_ = MakeClient(addresses_);
  Must(client_->GetClusterStatus().status(), "start; see " + directory_);
}

Cluster::~Cluster() {
  client_->Cancel();
  processes_.clear();
  fs::remove_all(directory_);
}

void Cluster::WriteConfigurations() {
  std::vector<std::string> peer_addresses;
  for (size_t i = 0; i < kZones; ++i) {
    peer_addresses.push_back(Loopback(FreePort()));
  }
  for (size_t i = 0; i < kZones; ++i) {
    std::ofstream file(absl::StrCat(directory_, "/", i, ".yaml"));
    file << "cluster: bench\nnode: " << i + 1 << "\nzone: zone-" << i
         << "\ndata_dir: " << directory_ << "/data-" << i
         << "\nlisten: " << addresses_[i]
         << "\npeer_listen: " << peer_addresses[i] << "\npeers:\n";
    for (size_t peer = 0; peer < kZones; ++peer) {
      if (peer == i) continue;
      file << "  - {id: " << peer + 1 << ", zone: zone-" << peer
           << ", address: '" << peer_addresses[peer] << "'}\n";
    }
  }
}

std::vector<std::string> Cluster::Command(size_t process) const {
  const std::string program = places_.bin + "/triremed";
  if (shape_ == Shape::kOneProcess) {
    return {
        program,       "--dev",       "--data-dir",       directory_ + "/data",
        "--listen",    addresses_[0], "--kinesis-listen", kinesis_address_,
        "--log-level", "warn"};
  }
  return {program, "--config", absl::StrCat(directory_, "/", process, ".yaml"),
          "--log-level", "warn"};
}

void Cluster::Start(size_t process) {
  processes_[process] = std::make_unique<Process>(
      Command(process), absl::StrCat(directory_, "/", process, ".log"));
}

std::string Cluster::MakeStream(int shards) {
  const std::string stream = absl::StrCat("bench-", streams_++);
  Must(client_->CreateStream(stream, shards), "CreateStream");
  Must(client_->WaitUntilActive(stream, absl::Seconds(60)), "ACTIVE");
  std::set<std::string> led;
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  for (int key = 0; led.size() < static_cast<size_t>(std::min(shards, 8));
       ++key) {
    CHECK(absl::Now() < deadline, "not all shards take records");
    v1::PutRecordRequest request;
    request.set_stream_name(stream);
    request.set_partition_key(absl::StrCat("key-", key));
    request.set_data("first");
    const auto put = client_->PutRecord(request);
    Must(put.status(), "PutRecord");
    led.insert(put->shard_id());
  }
  return stream;
}

std::vector<std::string> Cluster::Shards(const std::string& stream) {
  const auto shards = client_->ListShards(stream);
  Must(shards.status(), "ListShards");
  std::vector<std::string> ids;
  for (const v1::Shard& shard : *shards) ids.push_back(shard.shard_id());
  return ids;
}

double Cluster::CpuMilliseconds() const {
  double sum = 0;
  for (const auto& process : processes_) sum += process->CpuMilliseconds();
  return sum;
}

double Cluster::ResidentBytes() const {
  double sum = 0;
  for (const auto& process : processes_) sum += process->ResidentBytes();
  return sum;
}

}  // namespace trireme::bench
