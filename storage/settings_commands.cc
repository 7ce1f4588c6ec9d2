#include "storage/settings_commands.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/tag_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

CatalogDecision Put(std::shared_ptr<const Stream> stream) {
  CatalogDecision decision;
  decision.put = std::move(stream);
  return decision;
}

}  // namespace

CatalogDecision TagStream(const CatalogState& state,
                          const v1::TagStreamCommand& command) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  Tags& tags = (*stream)->tags;
  for (const std::string& key : command.remove_keys()) tags.erase(key);
  SetTags(command.add(), &tags);
  if (command.tags_max() > 0 && tags.size() > command.tags_max()) {
    return Refuse(
        ErrorReason::kInvalidArgument,
        absl::StrCat("stream ", (*stream)->name, " would have ", tags.size(),
                     " tags; the limit is ", command.tags_max()));
  }
  return Put(*std::move(stream));
}

CatalogDecision UpdateStreamSettings(
    const CatalogState& state, const v1::UpdateStreamSettingsCommand& command) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  if (command.has_record_bytes_max()) {
    (*stream)->record_bytes_max = command.record_bytes_max();
  }
  return Put(*std::move(stream));
}

}  // namespace trireme
