// The file system seam of the segment log: POSIX in the product, a disk that
// forgets what was not synced in the simulator (tests/sim).
#ifndef TRIREME_STORAGE_FILE_SYSTEM_H_
#define TRIREME_STORAGE_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trireme {

// One open file of fixed, preallocated size. Not thread-safe, except that
// ReadAt may run beside one writer.
class File {
 public:
  virtual ~File() = default;
  // Writes `pieces` one after another from `offset`, in as few system calls
  // as possible. An error leaves the range undefined: the caller must stop
  // (design.md D12).
  virtual absl::Status WriteAt(uint64_t offset,
                               std::span<const absl::string_view> pieces) = 0;
  // Makes all completed writes durable (fdatasync). Never retry a failure.
  virtual absl::Status Sync() = 0;
  // Up to `size` bytes from `offset`; shorter only at the file's end.
  virtual absl::StatusOr<std::string> ReadAt(uint64_t offset,
                                             uint64_t size) const = 0;
  virtual absl::StatusOr<uint64_t> Size() const = 0;
};

// Thread-safe. Paths are absolute or relative to the process.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual absl::Status CreateDirectory(const std::string& path) = 0;  // -p
  virtual absl::StatusOr<std::vector<std::string>> ListDirectory(
      const std::string& path) = 0;  // Names without the path, sorted.
  // A new file of `size` bytes with its blocks allocated and its directory
  // entry durable; AlreadyExists if there is one.
  virtual absl::StatusOr<std::unique_ptr<File>> CreateFile(
      const std::string& path, uint64_t size) = 0;
  virtual absl::StatusOr<std::unique_ptr<File>> OpenFile(
      const std::string& path) = 0;
  // Atomic and durable on return.
  virtual absl::Status RenameFile(const std::string& from,
                                  const std::string& to) = 0;
  virtual absl::Status RemoveFile(const std::string& path) = 0;
  // Bytes that can still be written where `path` lies.
  virtual absl::StatusOr<uint64_t> FreeBytes(const std::string& path) = 0;
};

// The machine's file system.
class PosixFileSystem : public FileSystem {
 public:
  static PosixFileSystem* Get();
  absl::Status CreateDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> ListDirectory(
      const std::string& path) override;
  absl::StatusOr<std::unique_ptr<File>> CreateFile(const std::string& path,
                                                   uint64_t size) override;
  absl::StatusOr<std::unique_ptr<File>> OpenFile(
      const std::string& path) override;
  absl::Status RenameFile(const std::string& from,
                          const std::string& to) override;
  absl::Status RemoveFile(const std::string& path) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) override;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_FILE_SYSTEM_H_
