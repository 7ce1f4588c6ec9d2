// The TLS side of an HTTP listener.
#ifndef TRIREME_SERVER_HTTP_TLS_CONTEXT_H_
#define TRIREME_SERVER_HTTP_TLS_CONTEXT_H_

#include "absl/status/statusor.h"
#include "server/http/asio.h"
#include "server/tls_files.h"

namespace trireme {

// TLS 1.2 or newer, with h2 and http/1.1 by ALPN. With a `ca`, peers must show
// a certificate of it. InvalidArgument when a PEM text cannot be used.
absl::StatusOr<boost::asio::ssl::context> MakeTlsContext(
    const TlsContents& contents);

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_TLS_CONTEXT_H_
