// Between the transport's C++ values and proto/trireme/v1/replication.proto.
#ifndef TRIREME_REPLICATION_WIRE_H_
#define TRIREME_REPLICATION_WIRE_H_

#include "absl/status/statusor.h"
#include "replication/identity.h"
#include "replication/transport.h"
#include "trireme/v1/replication.pb.h"

namespace trireme {

v1::Envelope EncodeEnvelope(const Envelope& envelope);
// Takes the bytes out of `wire`. InvalidArgument for types, sizes and batches
// that no peer of ours sends; payload checksums are verified here, so that a
// flipped bit never reaches the log.
absl::StatusOr<Envelope> DecodeEnvelope(v1::Envelope& wire);

v1::NodeIdentity EncodeIdentity(const Identity& identity);
Identity DecodeIdentity(const v1::NodeIdentity& wire);

}  // namespace trireme

#endif  // TRIREME_REPLICATION_WIRE_H_
