// A certificate of a process's own, for clients that speak TLS only (the KPL)
// and a cluster on one machine. It proves nothing: it only lets them connect.
#ifndef TRIREME_SERVER_SELF_SIGNED_CERTIFICATE_H_
#define TRIREME_SERVER_SELF_SIGNED_CERTIFICATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/tls_files.h"

namespace trireme {

// The certificate in `directory`, made there the first time: for localhost,
// 127.0.0.1 and ::1, valid for ten years; the key is for the owner only. The
// files are kinesis-tls.crt, which clients may trust, and kinesis-tls.key.
absl::StatusOr<TlsContents> LoadOrMakeCertificate(const std::string& directory);

}  // namespace trireme

#endif  // TRIREME_SERVER_SELF_SIGNED_CERTIFICATE_H_
