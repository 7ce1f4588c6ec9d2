// How much of the hash key space a shard owns.
#ifndef TRIREME_CLIENT_CLI_SHARD_SHARE_H_
#define TRIREME_CLIENT_CLI_SHARD_SHARE_H_

#include "trireme/v1/streams.pb.h"

namespace trireme::cli {

// 0..1.
double HashRangeShare(const v1::Shard& shard);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_SHARD_SHARE_H_
