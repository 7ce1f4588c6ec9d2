// Takes a JSON array apart into its elements as they were sent: a record keeps
// its producer's bytes, whatever its numbers and the order of its members.
#ifndef TRIREME_SERVER_KINESIS_JSON_ARRAY_H_
#define TRIREME_SERVER_KINESIS_JSON_ARRAY_H_

#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

namespace trireme {

// Views into `text`. Nothing when it is no array of well-formed JSON.
std::optional<std::vector<absl::string_view>> SplitJsonArray(
    absl::string_view text);

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_JSON_ARRAY_H_
