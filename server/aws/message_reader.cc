#include "server/aws/message_reader.h"

#include "server/aws/cbor_reader.h"
#include "server/aws/message_tree.h"

namespace trireme {

std::optional<nlohmann::json> ReadMessage(MessageFormat format,
                                          absl::string_view body) {
  // The parser of JSON checks its text itself.
  MessageTree tree(/*check_utf8=*/format == MessageFormat::kCbor);
  const bool read =
      format == MessageFormat::kCbor
          ? ReadCbor(body, &tree)
          : nlohmann::json::sax_parse(body.begin(), body.end(), &tree);
  if (!read) return std::nullopt;
  nlohmann::json message = tree.Take();
  if (!message.is_object()) return std::nullopt;
  return message;
}

}  // namespace trireme
