// The API of registered consumers in C++ terms; see api.h.
#ifndef TRIREME_SERVER_CONSUMER_API_H_
#define TRIREME_SERVER_CONSUMER_API_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/consumer_names.h"
#include "server/resource_names.h"
#include "storage/catalog.h"

namespace trireme {

struct RegisterConsumerRequest {
  StreamAddress stream;
  absl::string_view name;
  Tags tags;
};
// A registered consumer, as it was found.
struct FoundConsumer {
  std::string stream_name;
  std::string name;
  uint64_t created_s = 0;  // Unix seconds.
};
struct ListConsumersRequest {
  StreamAddress stream;
  absl::string_view next_token;
  int32_t max_results = 0;  // 0: a full page.
  // Of the stream meant, if another of its name may have come. In seconds.
  std::optional<absl::Time> stream_creation_timestamp;
};
struct ListConsumersResponse {
  std::vector<FoundConsumer> consumers;  // By name.
  std::string next_token;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_CONSUMER_API_H_
