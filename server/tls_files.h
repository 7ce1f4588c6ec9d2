// Where a listener's certificate and key lie, and their contents.
#ifndef TRIREME_SERVER_TLS_FILES_H_
#define TRIREME_SERVER_TLS_FILES_H_

#include <string>

#include "absl/status/statusor.h"

namespace trireme {

// Paths of PEM files.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string ca;  // Callers must show a certificate of it; empty: anyone may.
};

struct TlsContents {
  std::string certificate;
  std::string key;
  std::string ca;
};

// Errors name the file and what it is for.
absl::StatusOr<TlsContents> ReadTlsFiles(const TlsFiles& files);

}  // namespace trireme

#endif  // TRIREME_SERVER_TLS_FILES_H_
