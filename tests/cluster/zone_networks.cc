#include "tests/cluster/zone_networks.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// Debian's place for it; PATH of a service may lack it.
constexpr char kIp[] = "/sbin/ip";
constexpr int kTest = ZoneNetworks::kZones;  // The test's host number.

// Runs `ip ARGUMENTS`; Unavailable with what it said.
absl::Status Ip(const std::string& arguments) {
  const std::string command = absl::StrCat(kIp, " ", arguments, " 2>&1");
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return absl::InternalError("popen failed");
  std::string said;
  char buffer[256];
  while (fgets(buffer, sizeof(buffer), pipe) != nullptr) said += buffer;
  if (pclose(pipe) == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("ip ", arguments, ": ", said));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ZoneNetworks>> ZoneNetworks::Create() {
  if (geteuid() != 0) {
    return absl::PermissionDeniedError("network namespaces need root");
  }
  if (!std::filesystem::exists(kIp)) {
    return absl::UnavailableError("iproute2 is not installed");
  }
  std::unique_ptr<ZoneNetworks> networks(new ZoneNetworks());
  RETURN_IF_ERROR(networks->Build());
  return networks;
}

ZoneNetworks::ZoneNetworks()
    : name_(absl::StrCat("trm", getpid())),
      subnet_(absl::StrCat("10.213.", getpid() % 256, ".")) {}

ZoneNetworks::~ZoneNetworks() {
  // The cables go with them. What was not made is not there to be deleted.
  for (int zone = 0; zone < kZones; ++zone) {
    Ip("netns delete " + space(zone)).IgnoreError();
  }
}

absl::Status ZoneNetworks::Build() {
  for (int zone = 0; zone < kZones; ++zone) {
    RETURN_IF_ERROR(Ip("netns add " + space(zone)));
    RETURN_IF_ERROR(Ip(Inside(zone) + "link set lo up"));
  }
  for (int zone = 0; zone < kZones; ++zone) {
    for (int other = zone + 1; other <= kTest; ++other) {
      RETURN_IF_ERROR(Connect(zone, other));
    }
  }
  return absl::OkStatus();
}

absl::Status ZoneNetworks::Connect(int zone, int other) {
  RETURN_IF_ERROR(
      Ip(absl::StrCat(Inside(other), "link add ", cable_end(other, zone),
                      " type veth peer name ", cable_end(zone, other),
                      " netns ", space(zone))));
  for (const auto& [here, there] :
       {std::pair(zone, other), std::pair(other, zone)}) {
    const std::string end = cable_end(here, there);
    RETURN_IF_ERROR(Ip(absl::StrCat(Inside(here), "address add ", address(here),
                                    "/32 dev ", end)));
    RETURN_IF_ERROR(Ip(absl::StrCat(Inside(here), "link set ", end, " up")));
    RETURN_IF_ERROR(
        Ip(absl::StrCat(Inside(here), "route add ", Route(here, there))));
  }
  return absl::OkStatus();
}

std::string ZoneNetworks::Route(int from, int to) const {
  return absl::StrCat(address(to), "/32 dev ", cable_end(from, to), " src ",
                      address(from));
}

std::string ZoneNetworks::address(int zone) const {
  return absl::StrCat(subnet_, zone + 1);
}

std::string ZoneNetworks::space(int zone) const {
  return absl::StrCat(name_, "-", zone);
}

std::string ZoneNetworks::cable_end(int host, int other) const {
  return absl::StrCat(name_, "e", host, other);
}

std::string ZoneNetworks::Inside(int host) const {
  return host == kTest ? "" : absl::StrCat("-n ", space(host), " ");
}

std::vector<std::string> ZoneNetworks::CommandPrefix(int zone) const {
  return {kIp, "netns", "exec", space(zone)};
}

void ZoneNetworks::Cut(int from, int to) {
  const absl::Status status = Ip(absl::StrCat(
      Inside(from), "route replace blackhole ", address(to), "/32"));
  CHECK(status.ok(), status.ToString());
  cut_.push_back({from, to});
}

void ZoneNetworks::Isolate(int zone) {
  for (int other = 0; other < kZones; ++other) {
    if (other == zone) continue;
    Cut(zone, other);
    Cut(other, zone);
  }
}

void ZoneNetworks::Heal() {
  for (const Way& way : std::exchange(cut_, {})) {
    const absl::Status status = Ip(absl::StrCat(
        Inside(way.from), "route replace ", Route(way.from, way.to)));
    CHECK(status.ok(), status.ToString());
  }
}

}  // namespace trireme
