// The files of the segment log's directory: their names, the spares kept for
// reuse, and what is put aside (docs/storage-format.md, "Files").
//
// Owned by SegmentLog; used by one thread at a time. A segment gets its name
// by a rename of a file that has its full size: no crash leaves half of one.
#ifndef TRIREME_STORAGE_SEGMENT_FILES_H_
#define TRIREME_STORAGE_SEGMENT_FILES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/segment_scan.h"

namespace trireme {

class SegmentFiles {
 public:
  SegmentFiles(FileSystem* file_system, std::string directory,
               uint64_t segment_bytes, int spares_max);

  // Every segment in the directory, ascending; takes stock of the spares.
  absl::StatusOr<std::vector<SegmentFile>> OpenAll();
  // Above every id ever put aside as damaged, or known to have been written.
  uint64_t next_id_min() const { return next_id_min_; }
  // The newest segment of which it is recorded that a batch in it was synced;
  // 0: none. What tells a log that lost its newest file from a shorter one.
  uint64_t newest() const { return newest_; }
  // Records it, durably. Never goes back.
  absl::Status RecordNewest(uint64_t id);

  // A file named as segment `id` with room for `bytes`: a spare, or a new
  // one. ResourceExhausted when there is no space; nothing changed then.
  absl::StatusOr<SegmentFile> Take(uint64_t id, uint64_t bytes);
  // The segment's content is no longer needed: it becomes a spare, or goes.
  absl::Status GiveBack(uint64_t id, uint64_t bytes);
  // The segment never held a whole batch: it goes.
  absl::Status Discard(uint64_t id);
  // Makes a spare when there is none, so that Take() is quick and has space.
  absl::Status PrepareSpare();
  // Puts the segment aside for people to look at; never deleted by us.
  absl::Status Quarantine(uint64_t id);

 private:
  std::string PathOf(const std::string& name) const;
  std::string SegmentPath(uint64_t id) const;
  absl::Status CreateSpare(uint64_t bytes);
  absl::Status ReadNewest();
  absl::Status MakeNewestFile();

  FileSystem* const file_system_;
  const std::string directory_;
  const uint64_t segment_bytes_;
  const size_t spares_max_;
  // Paths of files of segment_bytes_, under their former segment's name or a
  // spare's.
  std::vector<std::string> spares_;
  uint64_t next_spare_ = 1;
  uint64_t next_id_min_ = 1;
  std::shared_ptr<File> newest_file_;  // Null: not made yet.
  uint64_t newest_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SEGMENT_FILES_H_
