#include "client/shard_reader.h"

#include "client/error.h"
#include "client/status_macros.h"

namespace trireme::client {

absl::StatusOr<v1::GetRecordsResponse> ShardReader::Next(int limit) {
  if (iterator_.empty()) {
    CLIENT_ASSIGN_OR_RETURN(iterator_, client_.GetShardIterator(
                                           stream_name_, shard_id_, position_));
  }
  auto page = client_.GetRecords(iterator_, limit);
  if (Reason(page.status()) == "ExpiredIteratorException") {
    CLIENT_ASSIGN_OR_RETURN(iterator_, client_.GetShardIterator(
                                           stream_name_, shard_id_, position_));
    page = client_.GetRecords(iterator_, limit);
  }
  CLIENT_RETURN_IF_ERROR(page.status());
  if (!page->records().empty()) {
    position_ =
        AfterSequenceNumber(page->records().rbegin()->sequence_number());
  }
  iterator_ = page->next_shard_iterator();
  at_end_ = iterator_.empty();
  caught_up_ = page->records().empty() && page->millis_behind_latest() == 0;
  return page;
}

}  // namespace trireme::client
