// Opens a file to read, or says why it cannot be read.
#ifndef TRIREME_CLIENT_CLI_OPEN_FILE_H_
#define TRIREME_CLIENT_CLI_OPEN_FILE_H_

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace trireme::cli {

// Errors: InvalidArgument.
inline absl::Status OpenFile(const std::string& path, std::ifstream& file) {
  errno = 0;
  file.open(path);
  int why = file ? 0 : errno;
  // The system opens a folder, and fails only when it is read.
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) why = EISDIR;
  if (why == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("cannot read ", path, ": ", std::strerror(why)));
}

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_OPEN_FILE_H_
