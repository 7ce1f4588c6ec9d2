#include "storage/segment_files.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/crc32c.h"
#include "storage/fixed_ints.h"
#include "storage/log_frame.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr char kSegmentPrefix[] = "segment-";
constexpr char kSparePrefix[] = "spare-";
constexpr char kSuffix[] = ".log";
constexpr char kDamagedSuffix[] = ".damaged";

// Two slots, a page each, written in turns: a torn write leaves the other.
constexpr char kNewestName[] = "newest-segment";
constexpr uint64_t kNewestSlots = 2;
// id u64 | CRC32C of it u32
constexpr size_t kSlotBytes = sizeof(uint64_t) + sizeof(uint32_t);

std::string EncodeSlot(uint64_t id) {
  std::string slot;
  AppendLittle(id, &slot);
  AppendLittle(Crc32c(slot), &slot);
  return slot;
}

// 0 when it holds none.
uint64_t DecodeSlot(absl::string_view slot) {
  if (slot.size() != kSlotBytes) return 0;
  const absl::string_view id = slot.substr(0, sizeof(uint64_t));
  const bool valid =
      LoadLittle<uint32_t>(slot.data() + id.size()) == Crc32c(id);
  return valid ? LoadLittle<uint64_t>(id.data()) : 0;
}

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
  RETURN_IF_ERROR(ReadNewest());
  return segments;
}

absl::Status SegmentFiles::ReadNewest() {
  absl::StatusOr<std::unique_ptr<File>> file =
      file_system_->OpenFile(PathOf(kNewestName));
  if (absl::IsNotFound(file.status())) return absl::OkStatus();
  RETURN_IF_ERROR(file.status());
  newest_file_ = *std::move(file);
  for (uint64_t slot = 0; slot < kNewestSlots; ++slot) {
    ASSIGN_OR_RETURN(const std::string bytes,
                     newest_file_->ReadAt(slot * kBatchAlignment, kSlotBytes));
    newest_ = std::max(newest_, DecodeSlot(bytes));
  }
  next_id_min_ = std::max(next_id_min_, newest_ + 1);
  return absl::OkStatus();
}

absl::Status SegmentFiles::MakeNewestFile() {
  if (newest_file_ != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(newest_file_,
                   file_system_->CreateFile(PathOf(kNewestName),
                                            kNewestSlots * kBatchAlignment));
  return absl::OkStatus();
}

absl::Status SegmentFiles::RecordNewest(uint64_t id) {
  if (id <= newest_) return absl::OkStatus();
  RETURN_IF_ERROR(MakeNewestFile());
  const std::string slot = EncodeSlot(id);
  const absl::string_view piece = slot;
  RETURN_IF_ERROR(
      newest_file_->WriteAt(id % kNewestSlots * kBatchAlignment, {&piece, 1}));
  RETURN_IF_ERROR(newest_file_->Sync());
  newest_ = id;
  return absl::OkStatus();
}

absl::Status SegmentFiles::CreateSpare(uint64_t bytes) {
  const std::string path = PathOf(NameOf(kSparePrefix, next_spare_));
  RETURN_IF_ERROR(file_system_->CreateFile(path, bytes).status());
  ++next_spare_;
  spares_.push_back(path);
  return absl::OkStatus();
}

absl::StatusOr<SegmentFile> SegmentFiles::Take(uint64_t id, uint64_t bytes) {
  RETURN_IF_ERROR(MakeNewestFile());
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
  RETURN_IF_ERROR(MakeNewestFile());
  if (!spares_.empty()) return absl::OkStatus();
  return CreateSpare(segment_bytes_);
}

absl::Status SegmentFiles::Quarantine(uint64_t id) {
  const std::string path = SegmentPath(id);
  return file_system_->RenameFile(path, absl::StrCat(path, kDamagedSuffix));
}

}  // namespace trireme
