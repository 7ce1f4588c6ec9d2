// The user records in what Producers write: decompressed and de-aggregated.
#ifndef TRIREME_CLIENT_UNPACK_H_
#define TRIREME_CLIENT_UNPACK_H_

#include <vector>

#include "absl/status/status.h"
#include "client/hash_key.h"
#include "client/user_record.h"
#include "trireme/v1/records.pb.h"

namespace trireme::client {

// Appends them in order; `range` is of the shard that `record` was read from,
// or null (client/aggregation.h). A few bytes may become many: unpack one
// record after the other, not a page at once. Errors: ResourceExhausted
// (DecompressedTooLarge), and nothing is appended.
absl::Status Unpack(v1::Record record, const HashKeyRange* range,
                    std::vector<UserRecord>* to);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_UNPACK_H_
