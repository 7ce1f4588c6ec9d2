#include "tests/sim/fault_disk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/status_macros.h"

namespace trireme::sim {
namespace {

constexpr uint64_t kSectorBytes = 512;

uint64_t RoundUp(uint64_t value, uint64_t to) {
  return (value + to - 1) / to * to;
}

}  // namespace

class FaultFile : public File {
 public:
  FaultFile(FaultDisk* disk, std::shared_ptr<FaultDisk::Node> node,
            uint64_t generation)
      : disk_(disk), node_(std::move(node)), generation_(generation) {}

  absl::Status WriteAt(uint64_t offset,
                       std::span<const absl::string_view> pieces) override {
    return disk_->WriteNode(*node_, generation_, offset, pieces);
  }
  absl::Status Sync() override { return disk_->SyncNode(*node_, generation_); }
  absl::StatusOr<std::string> ReadAt(uint64_t offset,
                                     uint64_t size) const override {
    return disk_->ReadNode(*node_, generation_, offset, size);
  }
  absl::StatusOr<uint64_t> Size() const override {
    absl::MutexLock lock(&disk_->mu_);
    return node_->cached.size();
  }

 private:
  FaultDisk* const disk_;
  const std::shared_ptr<FaultDisk::Node> node_;
  const uint64_t generation_;
};

uint64_t FaultDisk::Random(uint64_t below) { return (*random_)() % below; }

absl::Status FaultDisk::Change() {
  if (operations_ >= operations_max_)
    return absl::UnavailableError("the power is cut");
  ++operations_;
  return absl::OkStatus();
}

bool FaultDisk::Counts(int* countdown) {
  if (*countdown < 0) return false;
  return (*countdown)-- == 0;
}

void FaultDisk::Put(std::string& content, uint64_t offset,
                    absl::string_view bytes) {
  if (content.size() < offset + bytes.size())
    content.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), content.begin() + offset);
}

absl::Status FaultDisk::CreateDirectory(const std::string&) {
  return absl::OkStatus();  // Directories exist by their files.
}

absl::StatusOr<std::vector<std::string>> FaultDisk::ListDirectory(
    const std::string& path) {
  absl::MutexLock lock(&mu_);
  const std::string prefix = path + "/";
  std::vector<std::string> names;
  for (const auto& [name, node] : files_)
    if (absl::StartsWith(name, prefix) &&
        name.find('/', prefix.size()) == std::string::npos)
      names.push_back(name.substr(prefix.size()));
  return names;
}

absl::StatusOr<std::unique_ptr<File>> FaultDisk::CreateFile(
    const std::string& path, uint64_t size) {
  absl::MutexLock lock(&mu_);
  RETURN_IF_ERROR(Change());
  if (files_.contains(path))
    return absl::AlreadyExistsError(absl::StrCat(path, " exists"));
  if (size > free_bytes_)
    return absl::ResourceExhaustedError(
        absl::StrCat("no space for ", size, " bytes of ", path));
  free_bytes_ -= size;
  removed_.clear();
  auto node = std::make_shared<Node>();
  node->cached.assign(size, '\0');
  node->durable = node->cached;
  files_[path] = node;
  return std::make_unique<FaultFile>(this, node, generation_);
}

absl::StatusOr<std::unique_ptr<File>> FaultDisk::OpenFile(
    const std::string& path) {
  absl::MutexLock lock(&mu_);
  const auto found = files_.find(path);
  if (found == files_.end())
    return absl::NotFoundError(absl::StrCat("there is no ", path));
  return std::make_unique<FaultFile>(this, found->second, generation_);
}

absl::Status FaultDisk::RenameFile(const std::string& from,
                                   const std::string& to) {
  absl::MutexLock lock(&mu_);
  RETURN_IF_ERROR(Change());
  const auto found = files_.find(from);
  if (found == files_.end())
    return absl::NotFoundError(absl::StrCat("there is no ", from));
  std::shared_ptr<Node> node = std::move(found->second);
  files_.erase(found);
  if (const auto old = files_.find(to); old != files_.end())
    free_bytes_ += old->second->cached.size();
  files_[to] = std::move(node);
  removed_.clear();
  return absl::OkStatus();
}

absl::Status FaultDisk::RemoveFile(const std::string& path) {
  absl::MutexLock lock(&mu_);
  RETURN_IF_ERROR(Change());
  const auto found = files_.find(path);
  if (found == files_.end())
    return absl::NotFoundError(absl::StrCat("there is no ", path));
  free_bytes_ += found->second->cached.size();
  removed_[path] = std::move(found->second);
  files_.erase(found);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> FaultDisk::FreeBytes(const std::string&) {
  absl::MutexLock lock(&mu_);
  return free_bytes_;
}

absl::Status FaultDisk::WriteNode(Node& node, uint64_t generation,
                                  uint64_t offset,
                                  std::span<const absl::string_view> pieces) {
  absl::MutexLock lock(&mu_);
  if (generation != generation_)
    return absl::UnavailableError("the process that opened the file is gone");
  const bool was_on = operations_ < operations_max_;
  absl::Status status = Change();
  std::string bytes;
  for (absl::string_view piece : pieces)
    bytes.append(piece.data(), piece.size());
  CHECK(offset + bytes.size() <= node.cached.size(),
        "files have a fixed size: the write goes beyond the end");
  if (status.ok() && Counts(&writes_to_failure_))
    status = absl::InternalError("injected write error");
  // A write that fails may have been done in part.
  if (!status.ok()) bytes.resize(was_on ? Random(bytes.size() + 1) : 0);
  Put(node.cached, offset, bytes);
  const uint64_t begin = offset / kSectorBytes * kSectorBytes;
  const uint64_t end = RoundUp(offset + bytes.size(), kSectorBytes);
  node.unsynced.push_back({begin, node.cached.substr(begin, end - begin)});
  return status;
}

absl::Status FaultDisk::SyncNode(Node& node, uint64_t generation) {
  absl::MutexLock lock(&mu_);
  if (generation != generation_)
    return absl::UnavailableError("the process that opened the file is gone");
  RETURN_IF_ERROR(Change());
  if (Counts(&syncs_to_failure_)) {
    Settle(node);
    return absl::InternalError("injected sync error");
  }
  for (const UnsyncedWrite& write : node.unsynced)
    Put(node.durable, write.offset, write.sectors);
  node.unsynced.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::string> FaultDisk::ReadNode(const Node& node,
                                                uint64_t generation,
                                                uint64_t offset,
                                                uint64_t size) const {
  absl::MutexLock lock(&mu_);
  if (generation != generation_)
    return absl::UnavailableError("the process that opened the file is gone");
  if (offset >= node.cached.size()) return std::string();
  return node.cached.substr(offset, size);
}

void FaultDisk::Restart() {
  ++operations_;
  ++generation_;
  operations_max_ = UINT64_MAX;
  syncs_to_failure_ = writes_to_failure_ = -1;
}

void FaultDisk::Crash() {
  absl::MutexLock lock(&mu_);
  Restart();
  for (auto& [path, node] : removed_)
    if (Random(2) == 0 && !files_.contains(path)) {
      free_bytes_ -= std::min(free_bytes_, uint64_t{node->cached.size()});
      files_[path] = node;
    }
  removed_.clear();
  for (auto& [path, node] : files_) {
    Settle(*node);
    node->cached = node->durable;
  }
}

void FaultDisk::KillProcess() {
  absl::MutexLock lock(&mu_);
  Restart();
}

void FaultDisk::Settle(Node& node) {
  enum Fate { kAll, kNothing, kTorn, kFates };
  for (const UnsyncedWrite& write : node.unsynced) {
    const uint64_t fate = Random(kFates);
    for (uint64_t at = 0; at < write.sectors.size(); at += kSectorBytes)
      if (fate == kAll || (fate == kTorn && Random(2) == 0))
        Put(node.durable, write.offset + at,
            absl::string_view(write.sectors).substr(at, kSectorBytes));
  }
  node.unsynced.clear();
}

void FaultDisk::FailSync(int more) {
  absl::MutexLock lock(&mu_);
  syncs_to_failure_ = more;
}

void FaultDisk::FailWrite(int more) {
  absl::MutexLock lock(&mu_);
  writes_to_failure_ = more;
}

void FaultDisk::StopAfter(uint64_t operations) {
  absl::MutexLock lock(&mu_);
  operations_max_ = operations_ + operations;
}

void FaultDisk::SetFreeBytes(uint64_t bytes) {
  absl::MutexLock lock(&mu_);
  free_bytes_ = bytes;
}

void FaultDisk::FlipBit(const std::string& path, uint64_t offset, int bit) {
  absl::MutexLock lock(&mu_);
  Node& node = *files_.at(path);
  node.cached.at(offset) ^= static_cast<char>(1 << bit);
  node.durable.at(offset) = node.cached.at(offset);
}

void FaultDisk::Overwrite(const std::string& path, uint64_t offset,
                          absl::string_view bytes) {
  absl::MutexLock lock(&mu_);
  Node& node = *files_.at(path);
  CHECK(offset + bytes.size() <= node.cached.size());
  Put(node.cached, offset, bytes);
  Put(node.durable, offset, bytes);
}

void FaultDisk::Truncate(const std::string& path, uint64_t size) {
  absl::MutexLock lock(&mu_);
  Node& node = *files_.at(path);
  CHECK(size <= node.cached.size());
  free_bytes_ += node.cached.size() - size;
  node.cached.resize(size);
  node.durable.resize(size);
}

std::string FaultDisk::Content(const std::string& path) const {
  absl::MutexLock lock(&mu_);
  return files_.at(path)->cached;
}

void FaultDisk::CopyFrom(const FaultDisk& other) {
  CHECK(this != &other);
  std::map<std::string, std::shared_ptr<Node>> copies;
  {
    absl::MutexLock lock(&other.mu_);
    for (const auto& [path, node] : other.files_) {
      copies[path] = std::make_shared<Node>();
      copies[path]->cached = copies[path]->durable = node->cached;
    }
  }
  absl::MutexLock lock(&mu_);
  ++generation_;
  files_ = std::move(copies);
  removed_.clear();
}

uint64_t FaultDisk::operations() const {
  absl::MutexLock lock(&mu_);
  return operations_;
}

}  // namespace trireme::sim
