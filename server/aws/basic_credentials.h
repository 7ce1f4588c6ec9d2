// Callers that cannot sign, webhooks and curl: HTTP's Basic authentication
// (RFC 7617) with an access key's id and secret. Only over TLS is it secret.
#ifndef TRIREME_SERVER_AWS_BASIC_CREDENTIALS_H_
#define TRIREME_SERVER_AWS_BASIC_CREDENTIALS_H_

#include <optional>

#include "server/aws/access_keys.h"
#include "server/aws/aws_error.h"
#include "server/http/http_exchange.h"

namespace trireme {

// Whether a request shows credentials of this kind.
bool HasBasicCredentials(const HttpRequest& request);

// Why they are not an access key's; nothing when they are.
std::optional<AwsError> CheckBasicCredentials(const HttpRequest& request,
                                              const AccessKeys& keys);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_BASIC_CREDENTIALS_H_
