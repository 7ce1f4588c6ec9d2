// Verification of AWS Signature Version 4: that a request comes from who has
// the secret of its access key, and is what they signed (kinesis-contract.md
// §3.6). Both the Authorization header and presigned queries.
//
// What is stricter than AWS, or undocumented there:
//  * The body is always under the signature: UNSIGNED-PAYLOAD is refused, in
//    presigned requests too. Only S3's clients send it.
//  * X-Amz-Target must be signed where it is sent: it says what is to be done.
//  * A session token is signed but means nothing: there are only lasting keys.
// A request can be repeated by who overhears it, for as long as its date holds;
// only TLS guards against that, as with AWS.
#ifndef TRIREME_SERVER_AWS_SIGV4_H_
#define TRIREME_SERVER_AWS_SIGV4_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/aws/access_keys.h"
#include "server/aws/aws_error.h"
#include "server/aws/presented_signature.h"
#include "server/aws/sha256.h"
#include "server/aws/signing_keys.h"
#include "server/http/http_exchange.h"

namespace trireme {

// Who signed a request, and for which region and service.
struct CallerIdentity {
  std::string access_key_id;
  std::string region;
  std::string service;
};

// What credentials may be scoped to.
struct SignatureScope {
  std::vector<std::string> services;  // "kinesis"; empty: any.
  std::string region;                 // Empty: any.
};

// For servers without access keys: only that a signature of the right shape is
// there, whatever it is worth. The checks and texts are kinesalite's.
std::optional<AwsError> CheckSignaturePresent(const HttpRequest& request);

// Owned by the service that answers the requests; any thread may verify.
class SignatureVerifier {
 public:
  explicit SignatureVerifier(AccessKeys keys, SignatureScope scope = {});

  // Errors, in the order of AWS's checks: those of CheckSignaturePresent;
  // IncompleteSignatureException (a malformed date, algorithm or credential);
  // InvalidSignatureException (date, scope, signature);
  // UnrecognizedClientException (the access key is not known).
  AwsOr<CallerIdentity> Verify(const HttpRequest& request,
                               absl::Time now) const;

 private:
  struct Credential {
    std::string access_key_id, date, region, service, terminator;
  };

  static AwsOr<Credential> ReadCredential(const std::string& text);
  // `timestamp`: when it was signed, as 20150830T123600Z.
  std::optional<AwsError> CheckScope(const Credential& credential,
                                     const std::string& timestamp) const;
  std::optional<AwsError> CheckSignature(
      const HttpRequest& request, const PresentedSignature& presented,
      const std::vector<std::string>& signed_headers,
      const Credential& credential, const std::string& timestamp) const;
  static Sha256Digest DeriveKey(const std::string& secret,
                                const Credential& credential);

  // Set at construction.
  const AccessKeys keys_;
  const SignatureScope scope_;
  // Has its own lock.
  mutable SigningKeys signing_keys_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_SIGV4_H_
