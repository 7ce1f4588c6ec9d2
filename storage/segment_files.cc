#include "storage/segment_files.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr char kSegmentPrefix[] = "segment-";
constexpr char kSparePrefix[] = "spare-";
constexpr char kSuffix[] = ".log";
constexpr char kDamagedSuffix[] = ".damaged";

std::string NameOf(const char* prefix, uint64_t number) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%020llu",
                static_cast<unsigned long long>(number));
  return absl::StrCat(prefix, digits, kSuffix);
}

std::optional<uint64_t> NumberOf(absl::string_view name, const char* prefix) {
  uint64_t number = 0;
  if (!absl::ConsumePrefix(&name, prefix) ||
      !absl::ConsumeSuffix(&name, kSuffix) ||
      !absl::SimpleAtoi(name, &number) || number == 0)
    return std::nullopt;
  return number;
}

}  // namespace

SegmentFiles::SegmentFiles(FileSystem* file_system, std::string directory,
                           uint64_t segment_bytes, int spares_max)
    : file_system_(file_system),
      directory_(std::move(directory)),
      segment_bytes_(segment_bytes),
      spares_max_(static_cast<size_t>(std::max(spares_max, 0))) {}

std::string SegmentFiles::PathOf(const std::string& name) const {
  return absl::StrCat(directory_, "/", name);
}

std::string SegmentFiles::SegmentPath(uint64_t id) const {
  return PathOf(NameOf(kSegmentPrefix, id));
}

absl::StatusOr<std::vector<SegmentFile>> SegmentFiles::OpenAll() {
  RETURN_IF_ERROR(file_system_->CreateDirectory(directory_));
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   file_system_->ListDirectory(directory_));
  std::vector<SegmentFile> segments;
  for (const std::string& name : names) {
    const std::string path = PathOf(name);
    absl::string_view stem = name;
    if (absl::ConsumeSuffix(&stem, kDamagedSuffix)) {
      if (const auto id = NumberOf(stem, kSegmentPrefix))
        next_id_min_ = std::max(next_id_min_, *id + 1);
    } else if (const auto id = NumberOf(name, kSegmentPrefix)) {
      ASSIGN_OR_RETURN(std::shared_ptr<File> file,
                       file_system_->OpenFile(path));
      ASSIGN_OR_RETURN(const uint64_t bytes, file->Size());
      segments.push_back({*id, path, std::move(file), bytes});
    } else if (const auto number = NumberOf(name, kSparePrefix)) {
      next_spare_ = std::max(next_spare_, *number + 1);
      ASSIGN_OR_RETURN(const auto file, file_system_->OpenFile(path));
      ASSIGN_OR_RETURN(const uint64_t bytes, file->Size());
      // Half-made by a crash, or of another configuration.
      if (bytes != segment_bytes_) {
        RETURN_IF_ERROR(file_system_->RemoveFile(path));
      } else {
        spares_.push_back(path);
      }
    }
  }
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return segments;
}

absl::Status SegmentFiles::CreateSpare(uint64_t bytes) {
  const std::string path = PathOf(NameOf(kSparePrefix, next_spare_));
  RETURN_IF_ERROR(file_system_->CreateFile(path, bytes).status());
  ++next_spare_;
  spares_.push_back(path);
  return absl::OkStatus();
}

absl::StatusOr<SegmentFile> SegmentFiles::Take(uint64_t id, uint64_t bytes) {
  // A batch larger than a segment gets a file of its own size.
  if (bytes > segment_bytes_ || spares_.empty())
    RETURN_IF_ERROR(CreateSpare(std::max(bytes, segment_bytes_)));
  SegmentFile segment{.id = id, .path = SegmentPath(id)};
  RETURN_IF_ERROR(file_system_->RenameFile(spares_.back(), segment.path));
  spares_.pop_back();
  // Opened anew, so that its errors name the file by its name of today.
  ASSIGN_OR_RETURN(segment.file, file_system_->OpenFile(segment.path));
  ASSIGN_OR_RETURN(segment.bytes, segment.file->Size());
  return segment;
}

absl::Status SegmentFiles::GiveBack(uint64_t id, uint64_t bytes) {
  if (bytes != segment_bytes_ || spares_.size() >= spares_max_)
    return Discard(id);
  spares_.push_back(SegmentPath(id));
  return absl::OkStatus();
}

absl::Status SegmentFiles::Discard(uint64_t id) {
  return file_system_->RemoveFile(SegmentPath(id));
}

absl::Status SegmentFiles::PrepareSpare() {
  if (!spares_.empty()) return absl::OkStatus();
  return CreateSpare(segment_bytes_);
}

absl::Status SegmentFiles::Quarantine(uint64_t id) {
  const std::string path = SegmentPath(id);
  return file_system_->RenameFile(path, absl::StrCat(path, kDamagedSuffix));
}

}  // namespace trireme
