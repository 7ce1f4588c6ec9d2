// Reads a request's body into a tree of members, the same for both encodings
// but for times and bytes (shape.h makes these alike). Bounded: nesting is
// limited, and a length that the body does not hold costs nothing.
#ifndef TRIREME_SERVER_AWS_MESSAGE_READER_H_
#define TRIREME_SERVER_AWS_MESSAGE_READER_H_

#include <optional>
#include <string>

#include "nlohmann/json.hpp"
#include "server/aws/message_format.h"

namespace trireme {

// The message, which is a map. Nothing when the body is none: not well-formed,
// nested too deep, text that is not UTF-8, bytes after the end.
std::optional<nlohmann::json> ReadMessage(MessageFormat format,
                                          const std::string& body);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_MESSAGE_READER_H_
