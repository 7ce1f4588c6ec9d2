#include "replication/identity.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "replication/wire.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr char kFileName[] = "NODE";
constexpr char kNewFileName[] = "NODE.new";

absl::Status CheckExpected(const std::string& path, const Identity& found,
                           const Identity& expected) {
  const auto differs = [&](absl::string_view what, auto is, auto wanted) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " belongs to ", what, " ", is, ", but the configuration says ",
        wanted, "; use another data directory or correct the configuration"));
  };
  if (found.cluster != expected.cluster) {
    return differs("cluster", found.cluster, expected.cluster);
  }
  if (found.node != expected.node) {
    return differs("node", found.node.value(), expected.node.value());
  }
  if (found.group_count != expected.group_count) {
    return differs("a cluster of so many groups:", found.group_count,
                   expected.group_count);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Identity> LoadIdentity(FileSystem* file_system,
                                      const std::string& directory,
                                      const Identity& expected,
                                      uint64_t new_incarnation) {
  RETURN_IF_ERROR(file_system->CreateDirectory(directory));
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   file_system->ListDirectory(directory));
  if (std::find(names.begin(), names.end(), kFileName) == names.end()) {
    Identity fresh = expected;
    fresh.incarnation = new_incarnation;
    RETURN_IF_ERROR(SaveIdentity(file_system, directory, fresh));
    return fresh;
  }
  const std::string path = absl::StrCat(directory, "/", kFileName);
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   file_system->OpenFile(path));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  ASSIGN_OR_RETURN(const std::string text, file->ReadAt(0, size));
  v1::NodeIdentity proto;
  if (!google::protobuf::TextFormat::ParseFromString(text, &proto)) {
    return absl::DataLossError(absl::StrCat(
        path,
        " cannot be understood. Move the data directory away: the node "
        "then rejoins and catches up from its peers"));
  }
  Identity identity = DecodeIdentity(proto);
  RETURN_IF_ERROR(CheckExpected(path, identity, expected));
  return identity;
}

absl::Status SaveIdentity(FileSystem* file_system, const std::string& directory,
                          const Identity& identity) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(EncodeIdentity(identity), &text);
  const std::string path = absl::StrCat(directory, "/", kNewFileName);
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   file_system->ListDirectory(directory));
  if (std::find(names.begin(), names.end(), kNewFileName) != names.end()) {
    RETURN_IF_ERROR(file_system->RemoveFile(path));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   file_system->CreateFile(path, text.size()));
  const absl::string_view piece = text;
  RETURN_IF_ERROR(file->WriteAt(0, {&piece, 1}));
  RETURN_IF_ERROR(file->Sync());
  return file_system->RenameFile(path, absl::StrCat(directory, "/", kFileName));
}

}  // namespace trireme
