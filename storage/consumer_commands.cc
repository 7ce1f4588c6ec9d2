#include "storage/consumer_commands.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/clock.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"
#include "storage/tag_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

absl::Status CheckRegistration(const Stream& stream,
                               const v1::RegisterConsumerCommand& command) {
  RETURN_IF_ERROR(CheckName(command.name(), "consumerName"));
  const Consumers& consumers = stream.consumers;
  if (consumers.by_name.contains(command.name())) {
    return MakeError(ErrorReason::kResourceInUse,
                     absl::StrCat("Consumer ", command.name(), " of stream ",
                                  stream.name, " already exists."));
  }
  if (command.consumers_max() > 0 &&
      consumers.by_name.size() >= command.consumers_max()) {
    return MakeError(
        ErrorReason::kLimitExceeded,
        absl::StrCat("stream ", stream.name, " has ", consumers.by_name.size(),
                     " registered consumers; the limit is ",
                     command.consumers_max()));
  }
  return absl::OkStatus();
}

absl::Status NotRegistered(const Stream& stream, uint32_t number) {
  return MakeError(ErrorReason::kResourceNotFound,
                   absl::StrCat("Consumer number ", number, " of stream ",
                                stream.name, " not found."));
}

}  // namespace

CatalogDecision RegisterConsumer(const CatalogState& state,
                                 const v1::RegisterConsumerCommand& command,
                                 int64_t stamp_ms) {
  auto stream = TakeLiving(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  absl::Status checked = CheckRegistration(**stream, command);
  if (!checked.ok()) return Refuse(std::move(checked));
  Consumers& consumers = (*stream)->consumers;
  Consumer consumer;
  consumer.number = consumers.next_number++;
  consumer.created_s =
      std::max(UnixSecondOf(stamp_ms), consumers.created_s_min);
  SetTags(command.tags(), &consumer.tags);

  v1::RegisterConsumerReply reply;
  reply.set_created_s(consumer.created_s);
  consumers.by_name.emplace(command.name(), std::move(consumer));
  CatalogDecision decision;
  decision.reply = reply.SerializeAsString();
  decision.put = *std::move(stream);
  return decision;
}

CatalogDecision DeregisterConsumer(
    const CatalogState& state, const v1::DeregisterConsumerCommand& command) {
  auto stream = TakeLiving(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  Consumers& consumers = (*stream)->consumers;
  if (!consumers.Has(command.consumer())) {
    return Refuse(NotRegistered(**stream, command.consumer()));
  }
  consumers.Forget(command.consumer());
  CatalogDecision decision;
  decision.put = *std::move(stream);
  return decision;
}

CatalogDecision TagConsumer(const CatalogState& state,
                            const v1::TagConsumerCommand& command) {
  auto stream = TakeLiving(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  const auto row = (*stream)->consumers.Find(command.consumer());
  if (row == (*stream)->consumers.by_name.end()) {
    return Refuse(NotRegistered(**stream, command.consumer()));
  }
  Tags& tags = row->second.tags;
  for (const std::string& key : command.remove_keys()) tags.erase(key);
  SetTags(command.add(), &tags);
  if (command.tags_max() > 0 && tags.size() > command.tags_max()) {
    return Refuse(
        ErrorReason::kInvalidArgument,
        absl::StrCat("consumer ", row->first, " would have ", tags.size(),
                     " tags; the limit is ", command.tags_max()));
  }
  CatalogDecision decision;
  decision.put = *std::move(stream);
  return decision;
}

}  // namespace trireme
