#include "replication/listen_check.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace trireme {
namespace {

// 0, or the error number. With the option that gRPC sets: a port whose last
// connections are still closing is free.
int TryBind(const addrinfo& address) {
  const int bound =
      ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, /*protocol=*/0);
  if (bound < 0) return errno;
  const int on = 1;
  ::setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int error =
      ::bind(bound, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  ::close(bound);
  return error;
}

}  // namespace

absl::Status CheckCanListen(const std::string& address) {
  const auto refuse = [&address](absl::string_view why) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, ": ", why));
  };
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return refuse("it has no port");
  absl::string_view host = absl::string_view(address).substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");

  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(std::string(host).c_str(),
                                  address.c_str() + colon + 1, &hints, &found);
  if (error != 0) return refuse(::gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found,
                                                             ::freeaddrinfo);
  int why = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    why = TryBind(*each);
    if (why == 0) return absl::OkStatus();
  }
  return refuse(absl::AsciiStrToLower(std::strerror(why)));
}

}  // namespace trireme
