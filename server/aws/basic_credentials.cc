#include "server/aws/basic_credentials.h"

#include <openssl/crypto.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace trireme {
namespace {

constexpr char kScheme[] = "Basic ";

}  // namespace

bool HasBasicCredentials(const HttpRequest& request) {
  return absl::StartsWithIgnoreCase(request.Header("authorization"), kScheme);
}

std::optional<AwsError> CheckBasicCredentials(const HttpRequest& request,
                                              const AccessKeys& keys) {
  const absl::string_view header = request.Header("authorization");
  const AwsError refused{401, "UnrecognizedClientException",
                         "The access key id or its secret is not valid."};
  std::string text;
  if (!absl::Base64Unescape(header.substr(sizeof(kScheme) - 1), &text)) {
    return refused;
  }
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return refused;
  const std::string* const secret = keys.FindSecret(text.substr(0, colon));
  if (secret == nullptr || secret->size() != text.size() - colon - 1 ||
      CRYPTO_memcmp(secret->data(), text.data() + colon + 1, secret->size()) !=
          0) {
    return refused;
  }
  return std::nullopt;
}

}  // namespace trireme
