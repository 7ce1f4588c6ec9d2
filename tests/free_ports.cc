#include "tests/free_ports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <set>

#include "storage/check.h"

namespace trireme {
namespace {

bool IsFree(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0, "socket");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free =
      bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return free;
}

}  // namespace

std::vector<int> FreePorts(int count) {
  std::random_device random;
  std::uniform_int_distribution<int> below_ephemeral(15'000, 32'000);
  std::set<int> ports;
  while (ports.size() < static_cast<size_t>(count)) {
    const int port = below_ephemeral(random);
    if (IsFree(port)) ports.insert(port);
  }
  return {ports.begin(), ports.end()};
}

int FreePort() { return FreePorts(1).front(); }

}  // namespace trireme
