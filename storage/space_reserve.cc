#include "storage/space_reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "spdlog/spdlog.h"

namespace trireme {

SpaceReserve::SpaceReserve(std::string path) : path_(std::move(path)) {
  std::error_code none;
  const uint64_t bytes = std::filesystem::file_size(path_, none);
  absl::MutexLock lock(&mu_);
  if (!none) bytes_ = bytes;
}

bool SpaceReserve::empty() const {
  absl::MutexLock lock(&mu_);
  return bytes_ == 0;
}

void SpaceReserve::Restore() {
  absl::MutexLock lock(&mu_);
  if (bytes_ >= kBytes) return;
  const int file = ::open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (file < 0) return;
  for (uint64_t bytes = kBytes; bytes > bytes_ && bytes >= kSmallFileBytes;
       bytes /= 2) {
    if (::posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0)
      bytes_ = bytes;
  }
  ::close(file);
  // What an attempt in vain may have left goes; an error costs space only.
  std::error_code ignored;
  std::filesystem::resize_file(path_, bytes_, ignored);
  if (bytes_ == 0) ::unlink(path_.c_str());
}

bool SpaceReserve::GiveUp() {
  absl::MutexLock lock(&mu_);
  if (bytes_ == 0) return false;
  bytes_ = 0;
  spdlog::warn("store: no space for a small file; {} is given up", path_);
  return ::unlink(path_.c_str()) == 0;
}

}  // namespace trireme
