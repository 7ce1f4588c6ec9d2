#include "server/aws/message_reader.h"

#include "server/aws/cbor_reader.h"
#include "server/aws/json_reader.h"
#include "server/aws/message_tree.h"

namespace trireme {

std::optional<nlohmann::json> ReadMessage(MessageFormat format,
                                          const std::string& body) {
  MessageTree tree;
  const bool read = format == MessageFormat::kCbor ? ReadCbor(body, &tree)
                                                   : ReadJson(body, &tree);
  if (!read) return std::nullopt;
  nlohmann::json message = tree.Take();
  if (!message.is_object()) return std::nullopt;
  return message;
}

}  // namespace trireme
