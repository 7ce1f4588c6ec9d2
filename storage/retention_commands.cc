#include "storage/retention_commands.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "storage/retention.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

CatalogDecision UpdateRetention(const CatalogState& state,
                                const v1::UpdateRetentionCommand& command) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  const uint32_t hours = command.retention_hours();
  CatalogDecision decision;
  if (hours == (*stream)->retention_hours) return decision;
  (*stream)->status = StreamStatus::kUpdating;
  (*stream)->retention_hours_next = hours;
  ++(*stream)->retention_change;
  (*stream)->retention_hours = std::min(hours, (*stream)->retention_hours);
  decision.put = *std::move(stream);
  return decision;
}

CatalogDecision CompleteRetention(const CatalogState& state,
                                  const v1::CompleteRetentionCommand& command,
                                  int64_t stamp_ms) {
  const auto found = state.catalog.Find(StreamId(command.stream_id()));
  if (found == nullptr) return RefuseUnknown(command.stream_id());
  CatalogDecision decision;
  if (found->status != StreamStatus::kUpdating ||
      found->retention_hours_next == 0 ||
      command.change() != found->retention_change)
    return decision;
  auto stream = std::make_shared<Stream>(*found);
  // What has expired by now may be gone on some replicas.
  stream->trimmed_until_ms = std::max(
      found->trimmed_until_ms, stamp_ms - HoursToMs(found->retention_hours));
  stream->retention_hours = std::exchange(stream->retention_hours_next, 0);
  MakeActive(stream.get());
  decision.put = std::move(stream);
  return decision;
}

}  // namespace trireme
