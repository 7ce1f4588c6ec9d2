#include "tests/cluster/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "storage/check.h"
#include "storage/status_macros.h"
#include "tests/cluster/cluster_process.h"

namespace trireme {
namespace {

absl::Status ErrnoError(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

// This thread's mounts, and those of what it starts, are its own from now on.
absl::Status LeaveSharedMounts() {
  static thread_local bool left = false;
  if (std::exchange(left, true)) return absl::OkStatus();
  if (unshare(CLONE_NEWNS) != 0) return ErrnoError("unshare");
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return ErrnoError("mount");
  return absl::OkStatus();
}

absl::Status Run(const std::vector<std::string>& command,
                 const std::string& log_path) {
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(command, log_path));
  ASSIGN_OR_RETURN(const int code, WaitForExit(pid, absl::Seconds(30)));
  if (code == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(absl::StrJoin(command, " "),
                                             ": exit code ", code, ": ",
                                             ReadFileText(log_path)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SmallDisk>> SmallDisk::Mount(
    const std::string& path, uint64_t bytes) {
  if (geteuid() != 0) return absl::UnavailableError("only root may mount");
  RETURN_IF_ERROR(LeaveSharedMounts());
  const std::string image = path + ".img";
  WriteFileText(image, "");
  std::filesystem::resize_file(image, bytes);
  std::filesystem::create_directories(path);
  const std::string log = path + ".mount.log";
  // No blocks are set aside for root: the nodes run as root here.
  RETURN_IF_ERROR(Run({"/sbin/mkfs.ext4", "-q", "-F", "-m", "0", image}, log));
  RETURN_IF_ERROR(Run({"/bin/mount", "-o", "loop", image, path}, log));
  return std::unique_ptr<SmallDisk>(new SmallDisk(path));
}

SmallDisk::~SmallDisk() { umount2(path_.c_str(), MNT_DETACH); }

void SmallDisk::Fill() {
  const int file = open(filler().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  CHECK(file >= 0, "cannot make a filler");
  off_t end = lseek(file, 0, SEEK_END);
  for (off_t piece = 64 << 20; piece >= 1024; piece /= 2) {
    while (fallocate(file, 0, end, piece) == 0) end += piece;
  }
  close(file);
}

void SmallDisk::Empty() { std::filesystem::remove(filler()); }

uint64_t SmallDisk::free_bytes() const {
  struct statvfs disk;
  CHECK(statvfs(path_.c_str(), &disk) == 0, "statvfs");
  return uint64_t{disk.f_bavail} * disk.f_frsize;
}

}  // namespace trireme
