// SpaceReserve is a file that holds no data, only space: on a full disk it is
// given up, so that one small write more succeeds.
//
// Owned by a StoreFiles; thread-safe. Survives a restart.
#ifndef TRIREME_STORAGE_SPACE_RESERVE_H_
#define TRIREME_STORAGE_SPACE_RESERVE_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace trireme {

class SpaceReserve {
 public:
  static constexpr uint64_t kBytes = 16u << 20;
  // What a small file takes at most; a reserve of less is not kept.
  static constexpr uint64_t kSmallFileBytes = 4u << 20;

  // Finds what an earlier process has set aside at `path`.
  explicit SpaceReserve(std::string path);

  const std::string& path() const { return path_; }
  bool empty() const;
  // Makes it, or what there is space for of it.
  void Restore();
  // False: there was nothing to give up.
  bool GiveUp();

 private:
  const std::string path_;  // Set at construction.

  mutable absl::Mutex mu_;
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SPACE_RESERVE_H_
