// When a request was signed, and whether that still holds.
#ifndef TRIREME_SERVER_AWS_SIGNING_TIME_H_
#define TRIREME_SERVER_AWS_SIGNING_TIME_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "server/aws/aws_error.h"
#include "server/aws/presented_signature.h"
#include "server/http/http_exchange.h"

namespace trireme {

// How far a caller's clock may be from ours.
inline constexpr absl::Duration kSignatureSkew = absl::Minutes(5);
// The longest that a presigned request may hold.
inline constexpr int kPresignedExpiryMaxS = 604'800;

// As signatures write it: 20150830T123600Z.
std::string FormatSigningTime(absl::Time time);

// From X-Amz-Date, which wins, or Date (RFC 9110 or as X-Amz-Date has it).
// IncompleteSignatureException when it is malformed.
AwsOr<absl::Time> ReadSigningTime(const HttpRequest& request,
                                  const PresentedSignature& presented);

// InvalidSignatureException for a time that is past or not yet come. A
// presigned request with X-Amz-Expires holds that long, any other as long as
// the skew.
std::optional<AwsError> CheckSigningTime(const PresentedSignature& presented,
                                         absl::Time signed_at, absl::Time now);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_SIGNING_TIME_H_
