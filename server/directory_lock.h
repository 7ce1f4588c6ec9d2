// DirectoryLock keeps a second process off a data directory. Held from before
// anything in it is read until the end of the process, however it ends: the
// kernel lets go of it.
#ifndef TRIREME_SERVER_DIRECTORY_LOCK_H_
#define TRIREME_SERVER_DIRECTORY_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace trireme {

class DirectoryLock {
 public:
  // Makes the directory if there is none. FailedPrecondition when another
  // process, or another lock of this one, holds it.
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Acquire(
      const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int file) : file_(file) {}

  const int file_;  // The lock is on this open file.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_DIRECTORY_LOCK_H_
