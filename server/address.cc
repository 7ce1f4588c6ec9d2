#include "server/address.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace trireme {

absl::StatusOr<Address> Address::Parse(absl::string_view text) {
  const auto refuse = [text](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not an address: ", why,
                     "; write HOST:PORT, e.g. 127.0.0.1:7420"));
  };
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return refuse("it has no port");
  absl::string_view host = text.substr(0, colon);
  const absl::string_view digits = text.substr(colon + 1);
  uint32_t port = 0;
  if (digits.empty() || !absl::ascii_isdigit(digits[0]) ||
      !absl::SimpleAtoi(digits, &port) || port < 1 || port > 65535) {
    return refuse("its port is not a number from 1 to 65535");
  }
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ':')) {
    return refuse("an IPv6 host needs brackets");
  }
  if (host.empty()) return refuse("it has no host");
  return Address{std::string(host), static_cast<uint16_t>(port)};
}

bool Address::IsLoopback() const {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}

}  // namespace trireme
