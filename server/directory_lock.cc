#include "server/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "storage/file_system.h"
#include "storage/status_macros.h"

namespace trireme {

absl::StatusOr<std::unique_ptr<DirectoryLock>> DirectoryLock::Acquire(
    const std::string& directory) {
  RETURN_IF_ERROR(PosixFileSystem::Get()->CreateDirectory(directory));
  const std::string path = absl::StrCat(directory, "/LOCK");
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  auto lock = absl::WrapUnique(new DirectoryLock(file));
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", path));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "the data directory ", directory,
      " is in use by another triremed; stop that one, or name another "
      "directory"));
}

DirectoryLock::~DirectoryLock() { close(file_); }

}  // namespace trireme
