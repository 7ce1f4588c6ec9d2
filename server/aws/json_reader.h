// Reads JSON into a MessageTree with RapidJSON's reader, which recurses for
// nothing and scans strings by blocks: most of a PutRecords is base64.
#ifndef TRIREME_SERVER_AWS_JSON_READER_H_
#define TRIREME_SERVER_AWS_JSON_READER_H_

#include <string>

#include "server/aws/message_tree.h"

namespace trireme {

// False when `body` is not one well-formed value that the tree accepts.
bool ReadJson(const std::string& body, MessageTree* tree);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_JSON_READER_H_
