// The canonical form of a request, which AWS's Signature Version 4 signs: what
// a proxy may change on the way without harm is brought into one form. For all
// services but S3, which encodes paths otherwise.
#ifndef TRIREME_SERVER_AWS_CANONICAL_REQUEST_H_
#define TRIREME_SERVER_AWS_CANONICAL_REQUEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/aws/aws_error.h"
#include "server/http/http_exchange.h"

namespace trireme {

// The two parts of a request's target; the query without its '?'.
absl::string_view PathOf(absl::string_view target);
absl::string_view QueryOf(absl::string_view target);

struct QueryParameter {
  std::string name;
  std::string value;
};

// In order; percent signs decoded. A '+' stands for itself, as AWS has it, and
// so does a '%' that two hex digits do not follow.
std::vector<QueryParameter> ParseQuery(absl::string_view query);

// Dot segments and double slashes resolved, then encoded once more than it was
// sent.
std::string CanonicalPath(absl::string_view path);
// Sorted by encoded name, then value; without the signature itself.
std::string CanonicalQuery(absl::string_view query);

// `signed_headers`: names in lower case, sorted. `payload_hash`: in hex.
// InvalidSignatureException when a signed header is not there.
AwsOr<std::string> CanonicalRequest(
    const HttpRequest& request, const std::vector<std::string>& signed_headers,
    absl::string_view payload_hash);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_CANONICAL_REQUEST_H_
