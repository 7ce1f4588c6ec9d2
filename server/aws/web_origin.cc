#include "server/aws/web_origin.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/address.h"

namespace trireme {
namespace {

// Any: the host alone counts.
constexpr char kSomePort[] = ":80";

bool IsThisMachine(absl::string_view authority) {
  auto address = Address::Parse(authority);
  if (!address.ok()) {
    address = Address::Parse(absl::StrCat(authority, kSomePort));
  }
  return address.ok() &&
         (address->IsLoopback() || absl::EndsWith(address->host, ".localhost"));
}

}  // namespace

bool IsFromForeignPage(const HttpRequest& request) {
  const std::string origin = absl::AsciiStrToLower(request.Header("origin"));
  if (origin == "null") return true;
  const size_t scheme = origin.find("://");
  // Browsers send no other form.
  if (scheme == std::string::npos) return false;
  return !IsThisMachine(absl::string_view(origin).substr(scheme + 3));
}

}  // namespace trireme
