#include "client/unpack.h"

#include <string>
#include <utility>

#include "client/aggregation.h"
#include "client/compression.h"
#include "client/status_macros.h"

namespace trireme::client {

absl::Status Unpack(v1::Record record, const HashKeyRange* range,
                    std::vector<UserRecord>* to) {
  CLIENT_ASSIGN_OR_RETURN(std::string data,
                          Decompress(std::move(*record.mutable_data())));
  record.set_data(std::move(data));
  Deaggregate(record, range, to);
  return absl::OkStatus();
}

}  // namespace trireme::client
