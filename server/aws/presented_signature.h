// What a request says of its own signature, in its Authorization header or,
// when it was presigned, in its query. Read, not believed: sigv4.h verifies it.
#ifndef TRIREME_SERVER_AWS_PRESENTED_SIGNATURE_H_
#define TRIREME_SERVER_AWS_PRESENTED_SIGNATURE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "server/aws/aws_error.h"
#include "server/http/http_exchange.h"

namespace trireme {

// None of these is empty but where it says so.
struct PresentedSignature {
  bool presigned = false;
  std::string algorithm;   // Empty for an Authorization header of blanks.
  std::string credential;  // "AKID/20150830/us-east-1/kinesis/aws4_request".
  std::string signed_headers;  // "host;x-amz-date".
  std::string signature;
  std::string x_amz_date;  // Empty: the Date header says when.
  std::string expires_s;   // Presigned: X-Amz-Expires; may be empty.
};

// Errors: MissingAuthenticationTokenException, IncompleteSignatureException,
// InvalidSignatureException for a request signed in both ways
// (kinesis-contract.md §3.6).
AwsOr<PresentedSignature> ReadPresentedSignature(const HttpRequest& request);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_PRESENTED_SIGNATURE_H_
