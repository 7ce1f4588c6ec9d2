#include "server/tls_files.h"

#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

absl::StatusOr<std::string> ReadPem(const std::string& path,
                                    absl::string_view purpose) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat("cannot read the TLS ", purpose, " ", path));
  }
  std::string pem = contents.str();
  if (!absl::StrContains(pem, "-----BEGIN ")) {
    return absl::InvalidArgumentError(
        absl::StrCat("the TLS ", purpose, " ", path, " is not a PEM file"));
  }
  return pem;
}

}  // namespace

absl::StatusOr<TlsContents> ReadTlsFiles(const TlsFiles& files) {
  TlsContents contents;
  ASSIGN_OR_RETURN(contents.certificate,
                   ReadPem(files.certificate, "certificate"));
  ASSIGN_OR_RETURN(contents.key, ReadPem(files.key, "key"));
  if (!files.ca.empty()) {
    ASSIGN_OR_RETURN(contents.ca, ReadPem(files.ca, "ca"));
  }
  return contents;
}

}  // namespace trireme
