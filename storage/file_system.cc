#include "storage/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

absl::Status ErrorOf(absl::string_view what, const std::string& path,
                     int error) {
  const std::string message =
      absl::StrCat(what, " ", path, ": ", std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message);
    case ENOENT:
      return absl::NotFoundError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    default:
      return absl::InternalError(message);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class PosixFile : public File {
 public:
  PosixFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  absl::Status WriteAt(uint64_t offset,
                       std::span<const absl::string_view> pieces) override {
    std::vector<iovec> vectors;
    vectors.reserve(pieces.size());
    for (absl::string_view piece : pieces)
      if (!piece.empty())
        vectors.push_back({const_cast<char*>(piece.data()), piece.size()});
    std::span<iovec> rest(vectors);
    while (!rest.empty()) {
      const int count =
          static_cast<int>(std::min<size_t>(rest.size(), IOV_MAX));
      const ssize_t written = ::pwritev(descriptor_.get(), rest.data(), count,
                                        static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return ErrorOf("cannot write", path_, errno);
      if (written == 0) return ErrorOf("cannot write", path_, EIO);
      offset += static_cast<uint64_t>(written);
      rest = DropFront(rest, static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    // Not even EINTR is retried: after any failure the kernel may have
    // dropped the dirty pages and report success the next time.
    if (::fdatasync(descriptor_.get()) != 0)
      return ErrorOf("cannot sync", path_, errno);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> ReadAt(uint64_t offset,
                                     uint64_t size) const override {
    std::string bytes(size, '\0');
    size_t done = 0;
    while (done < size) {
      const ssize_t count =
          ::pread(descriptor_.get(), bytes.data() + done, size - done,
                  static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrorOf("cannot read", path_, errno);
      if (count == 0) break;
      done += static_cast<size_t>(count);
    }
    bytes.resize(done);
    return bytes;
  }

  absl::StatusOr<uint64_t> Size() const override {
    struct stat status;
    if (::fstat(descriptor_.get(), &status) != 0)
      return ErrorOf("cannot stat", path_, errno);
    return static_cast<uint64_t>(status.st_size);
  }

 private:
  static std::span<iovec> DropFront(std::span<iovec> vectors, size_t bytes) {
    while (!vectors.empty() && bytes >= vectors.front().iov_len) {
      bytes -= vectors.front().iov_len;
      vectors = vectors.subspan(1);
    }
    if (!vectors.empty()) {
      iovec& front = vectors.front();
      front.iov_base = static_cast<char*>(front.iov_base) + bytes;
      front.iov_len -= bytes;
    }
    return vectors;
  }

  const std::string path_;
  const Descriptor descriptor_;
};

absl::Status SyncDirectoryOf(const std::string& path) {
  const std::filesystem::path parent =
      std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  const Descriptor descriptor(
      ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) return ErrorOf("cannot open", directory, errno);
  if (::fsync(descriptor.get()) != 0)
    return ErrorOf("cannot sync", directory, errno);
  return absl::OkStatus();
}

// Writes zeros over the whole file. Allocating alone leaves "unwritten"
// extents, and each fdatasync that first fills one commits to the journal as
// well. Measured (ext4, p50 of a synced write): 4 KiB 237 us allocated, 116 us
// zeroed, 229 us growing; 512 KiB 471, 265, 536 us. Zeroing 64 MiB takes 33 ms
// once in a file's life; recycled files never need it again.
absl::Status Zero(File* file, uint64_t size) {
  const std::string zeros(std::min<uint64_t>(size, 1u << 20), '\0');
  for (uint64_t offset = 0; offset < size; offset += zeros.size()) {
    const absl::string_view piece = absl::string_view(zeros).substr(
        0, std::min<uint64_t>(zeros.size(), size - offset));
    RETURN_IF_ERROR(file->WriteAt(offset, {&piece, 1}));
  }
  return file->Sync();
}

absl::Status Allocate(int fd, const std::string& path, uint64_t size) {
  // Asked for first, so that a full disk says so before anything is written.
  if (size > 0 && ::fallocate(fd, 0, 0, static_cast<off_t>(size)) != 0 &&
      errno != EOPNOTSUPP)
    return ErrorOf("cannot allocate", path, errno);
  return absl::OkStatus();
}

}  // namespace

PosixFileSystem* PosixFileSystem::Get() {
  static PosixFileSystem* const file_system = new PosixFileSystem();
  return file_system;
}

absl::Status PosixFileSystem::CreateDirectory(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return absl::OkStatus();
  const std::string parent = std::filesystem::path(path).parent_path().string();
  if (!parent.empty() && parent != path)
    RETURN_IF_ERROR(CreateDirectory(parent));
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    return ErrorOf("cannot create directory", path, errno);
  return SyncDirectoryOf(path);
}

absl::StatusOr<std::vector<std::string>> PosixFileSystem::ListDirectory(
    const std::string& path) {
  std::error_code error;
  std::filesystem::directory_iterator entries(path, error);
  std::vector<std::string> names;
  for (; !error && entries != std::filesystem::directory_iterator();
       entries.increment(error))
    names.push_back(entries->path().filename().string());
  if (error) return ErrorOf("cannot list", path, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::unique_ptr<File>> PosixFileSystem::CreateFile(
    const std::string& path, uint64_t size) {
  Descriptor descriptor(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (descriptor.get() < 0) return ErrorOf("cannot create", path, errno);
  absl::Status status = Allocate(descriptor.get(), path, size);
  auto file = std::make_unique<PosixFile>(path, std::move(descriptor));
  if (status.ok()) status = Zero(file.get(), size);
  if (status.ok()) status = SyncDirectoryOf(path);
  if (!status.ok()) {
    ::unlink(path.c_str());
    return status;
  }
  return file;
}

absl::StatusOr<std::unique_ptr<File>> PosixFileSystem::OpenFile(
    const std::string& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (descriptor.get() < 0) return ErrorOf("cannot open", path, errno);
  return std::make_unique<PosixFile>(path, std::move(descriptor));
}

absl::Status PosixFileSystem::RenameFile(const std::string& from,
                                         const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return ErrorOf(absl::StrCat("cannot rename to ", to, ":"), from, errno);
  return SyncDirectoryOf(to);
}

absl::Status PosixFileSystem::RemoveFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return ErrorOf("cannot remove", path, errno);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> PosixFileSystem::FreeBytes(const std::string& path) {
  struct statvfs status;
  if (::statvfs(path.c_str(), &status) != 0)
    return ErrorOf("cannot read the free space of", path, errno);
  return uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace trireme
