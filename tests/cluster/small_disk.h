// A disk of a node's own that can be filled to the last byte: an ext4 file
// system in a file, on a loop device. It lives in a mount namespace of the
// thread that made it and of the processes that this one starts: whatever way
// they end, nothing stays mounted.
#ifndef TRIREME_TESTS_CLUSTER_SMALL_DISK_H_
#define TRIREME_TESTS_CLUSTER_SMALL_DISK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace trireme {

class SmallDisk {
 public:
  // Mounted at `path`, beside which its image lies. Errors: what is missing
  // here, root's rights for example.
  static absl::StatusOr<std::unique_ptr<SmallDisk>> Mount(
      const std::string& path, uint64_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Takes all free space; what others free meanwhile as well.
  void Fill();
  void Empty();
  uint64_t free_bytes() const;

 private:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {}
  std::string filler() const { return path_ + "/filler"; }

  const std::string path_;  // Set at construction.
};

}  // namespace trireme

#endif  // TRIREME_TESTS_CLUSTER_SMALL_DISK_H_
