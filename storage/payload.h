// Bytes shared by everyone who needs them and changed by nobody: an entry is
// encoded once by the leader, and its log, its peers, its shard logs and its
// subscribers all hold the same bytes.
#ifndef TRIREME_STORAGE_PAYLOAD_H_
#define TRIREME_STORAGE_PAYLOAD_H_

#include <memory>
#include <string>
#include <utility>

namespace trireme {

using Payload = std::shared_ptr<const std::string>;

inline Payload MakePayload(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace trireme

#endif  // TRIREME_STORAGE_PAYLOAD_H_
