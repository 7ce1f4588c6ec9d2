#include "server/aws/sigv4.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "server/aws/canonical_request.h"
#include "server/aws/signing_time.h"

namespace trireme {
namespace {

constexpr absl::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr absl::string_view kTerminator = "aws4_request";
constexpr absl::string_view kInvalid = "InvalidSignatureException";
constexpr absl::string_view kIncomplete = "IncompleteSignatureException";
constexpr size_t kCredentialBytesMax = 512;
constexpr size_t kSignedHeadersMax = 128;
constexpr size_t kScopeNameBytesMax = 64;
constexpr size_t kShownBytesMax = 64;

AwsError Error(absl::string_view code, std::string message) {
  return {400, std::string(code), std::move(message)};
}

// Regions and services.
bool IsScopeName(absl::string_view name) {
  return !name.empty() && name.size() <= kScopeNameBytesMax &&
         absl::c_all_of(name, [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                  absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  c == '-';
         });
}

AwsOr<std::vector<std::string>> ReadSignedHeaders(
    const HttpRequest& request, const PresentedSignature& presented) {
  std::vector<std::string> names =
      absl::StrSplit(presented.signed_headers, ';');
  if (names.size() > kSignedHeadersMax) {
    return Error(kInvalid,
                 absl::StrCat("'SignedHeaders' names ", names.size(),
                              " headers; the limit is ", kSignedHeadersMax));
  }
  for (std::string& name : names) absl::AsciiStrToLower(&name);
  absl::c_sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const auto is_signed = [&names](absl::string_view name) {
    return absl::c_binary_search(names, name);
  };
  if (!is_signed("host")) {
    return Error(kInvalid,
                 "'Host' or ':authority' must be a 'SignedHeader' in the AWS "
                 "Authorization.");
  }
  if (!presented.presigned && !is_signed("x-amz-date") && !is_signed("date")) {
    return Error(kInvalid,
                 "'X-Amz-Date' or 'Date' must be a 'SignedHeader' in the AWS "
                 "Authorization.");
  }
  if (!request.Header("x-amz-target").empty() && !is_signed("x-amz-target")) {
    return Error(kInvalid,
                 "'X-Amz-Target' must be a 'SignedHeader' in the AWS "
                 "Authorization.");
  }
  // It says where the records of a request go.
  if (!request.Header("x-partition-key").empty() &&
      !is_signed("x-partition-key")) {
    return Error(kInvalid,
                 "'X-Partition-Key' must be a 'SignedHeader' in the AWS "
                 "Authorization.");
  }
  return names;
}

// A payload hash that the caller claims must be the body's.
std::optional<AwsError> CheckClaimedHash(const HttpRequest& request,
                                         absl::string_view payload_hash) {
  const absl::string_view claimed = request.Header("x-amz-content-sha256");
  if (claimed.empty() || claimed == payload_hash) return std::nullopt;
  return Error(kInvalid,
               "The provided 'x-amz-content-sha256' header does not match what "
               "was computed.");
}

}  // namespace

std::optional<AwsError> CheckSignaturePresent(const HttpRequest& request) {
  const AwsOr<PresentedSignature> presented = ReadPresentedSignature(request);
  if (presented.ok()) return std::nullopt;
  return presented.error();
}

SignatureVerifier::SignatureVerifier(AccessKeys keys, SignatureScope scope)
    : keys_(std::move(keys)), scope_(std::move(scope)) {}

AwsOr<CallerIdentity> SignatureVerifier::Verify(const HttpRequest& request,
                                                absl::Time now) const {
  const AwsOr<PresentedSignature> presented = ReadPresentedSignature(request);
  if (!presented.ok()) return presented.error();
  const AwsOr<absl::Time> signed_at = ReadSigningTime(request, *presented);
  if (!signed_at.ok()) return signed_at.error();
  if (auto error = CheckSigningTime(*presented, *signed_at, now)) return *error;
  const AwsOr<std::vector<std::string>> signed_headers =
      ReadSignedHeaders(request, *presented);
  if (!signed_headers.ok()) return signed_headers.error();
  if (presented->algorithm != kAlgorithm) {
    return Error(kIncomplete,
                 absl::StrCat("Unsupported AWS 'algorithm': '",
                              presented->algorithm.substr(0, kShownBytesMax),
                              "' (only ", kAlgorithm, " for now). "));
  }
  const AwsOr<Credential> credential = ReadCredential(presented->credential);
  if (!credential.ok()) return credential.error();
  const std::string timestamp = FormatSigningTime(*signed_at);
  if (auto error = CheckScope(*credential, timestamp)) return *error;
  if (auto error = CheckSignature(request, *presented, *signed_headers,
                                  *credential, timestamp)) {
    return *error;
  }
  return CallerIdentity{credential->access_key_id, credential->region,
                        credential->service};
}

AwsOr<SignatureVerifier::Credential> SignatureVerifier::ReadCredential(
    const std::string& text) {
  if (text.size() > kCredentialBytesMax) {
    return Error(kIncomplete,
                 absl::StrCat("Credential is ", text.size(),
                              " bytes; the limit is ", kCredentialBytesMax));
  }
  std::vector<std::string> parts = absl::StrSplit(text, '/');
  if (parts.size() != 5) {
    return Error(kIncomplete,
                 absl::StrCat("Credential must have exactly 5 slash-delimited "
                              "elements, e.g. keyid/date/region/service/term, "
                              "got '",
                              text, "'"));
  }
  return Credential{std::move(parts[0]), std::move(parts[1]),
                    std::move(parts[2]), std::move(parts[3]),
                    std::move(parts[4])};
}

std::optional<AwsError> SignatureVerifier::CheckScope(
    const Credential& credential, const std::string& timestamp) const {
  // AWS tells of all that is wrong at once.
  std::string wrong;
  if (!IsScopeName(credential.region) ||
      (!scope_.region.empty() && credential.region != scope_.region)) {
    absl::StrAppend(&wrong,
                    "Credential should be scoped to a valid region, not '",
                    credential.region, "'. ");
  }
  if (!IsScopeName(credential.service) ||
      (!scope_.services.empty() &&
       !absl::c_linear_search(scope_.services, credential.service))) {
    absl::StrAppend(&wrong, "Credential should be scoped to correct service: '",
                    absl::StrJoin(scope_.services, "', '"), "'. ");
  }
  if (credential.terminator != kTerminator) {
    absl::StrAppend(&wrong,
                    "Credential should be scoped with a valid terminator: '",
                    kTerminator, "', not '", credential.terminator, "'. ");
  }
  const absl::string_view date = absl::string_view(timestamp).substr(0, 8);
  if (credential.date != date) {
    absl::StrAppend(&wrong,
                    "Date in Credential scope does not match YYYYMMDD from "
                    "ISO-8601 version of date from HTTP: '",
                    credential.date, "' != '", date, "', from '", timestamp,
                    "'. ");
  }
  if (wrong.empty()) return std::nullopt;
  return Error(kInvalid, wrong);
}

std::optional<AwsError> SignatureVerifier::CheckSignature(
    const HttpRequest& request, const PresentedSignature& presented,
    const std::vector<std::string>& signed_headers,
    const Credential& credential, const std::string& timestamp) const {
  const std::string* const secret = keys_.FindSecret(credential.access_key_id);
  if (secret == nullptr) {
    return Error("UnrecognizedClientException",
                 "The security token included in the request is invalid.");
  }
  const std::string payload_hash = ToHex(Sha256(request.body));
  if (auto error = CheckClaimedHash(request, payload_hash)) return error;
  const AwsOr<std::string> canonical =
      CanonicalRequest(request, signed_headers, payload_hash);
  if (!canonical.ok()) return canonical.error();
  const std::optional<Sha256Digest> known =
      signing_keys_.Find(presented.credential);
  const Sha256Digest key = known ? *known : DeriveKey(*secret, credential);
  const std::string expected = ToHex(HmacSha256(
      AsBytes(key),
      absl::StrCat(kAlgorithm, "\n", timestamp, "\n", credential.date, "/",
                   credential.region, "/", credential.service, "/", kTerminator,
                   "\n", ToHex(Sha256(*canonical)))));
  // In constant time: the answer must not tell how much of a guess was right.
  if (presented.signature.size() != expected.size() ||
      CRYPTO_memcmp(presented.signature.data(), expected.data(),
                    expected.size()) != 0) {
    return Error(kInvalid,
                 "The request signature we calculated does not match the "
                 "signature you provided. Check your AWS Secret Access Key and "
                 "signing method. Consult the service documentation for "
                 "details.");
  }
  if (!known) signing_keys_.Remember(presented.credential, key);
  return std::nullopt;
}

Sha256Digest SignatureVerifier::DeriveKey(const std::string& secret,
                                          const Credential& credential) {
  Sha256Digest key = HmacSha256(absl::StrCat("AWS4", secret), credential.date);
  for (const absl::string_view part :
       {absl::string_view(credential.region),
        absl::string_view(credential.service), kTerminator}) {
    key = HmacSha256(AsBytes(key), part);
  }
  return key;
}

}  // namespace trireme
