#include "server/aws/message_tree.h"

#include <cstdint>
#include <cstring>

#include "rapidjson/encodings.h"
#include "rapidjson/memorystream.h"

namespace trireme {
namespace {

struct NoOutput {
  using Ch = char;
  void Put(char) {}
};

// Bytes at the front that are ASCII, by eights.
size_t AsciiPrefix(const std::string& text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  size_t at = 0;
  for (uint64_t word = 0; at + sizeof(word) <= text.size();
       at += sizeof(word)) {
    std::memcpy(&word, text.data() + at, sizeof(word));
    if ((word & kHighBits) != 0) break;
  }
  return at;
}

}  // namespace

bool MessageTree::IsUtf8(const std::string& text) {
  const size_t ascii = AsciiPrefix(text);
  rapidjson::MemoryStream in(text.data() + ascii, text.size() - ascii);
  NoOutput out;
  while (in.Tell() < text.size() - ascii) {
    if (!rapidjson::UTF8<>::Validate(in, out)) return false;
  }
  return true;
}

nlohmann::json* MessageTree::Place(nlohmann::json value) {
  if (open_.empty()) {
    root_ = std::move(value);
    return &root_;
  }
  nlohmann::json& parent = *open_.back();
  if (parent.is_array()) return &parent.emplace_back(std::move(value));
  nlohmann::json& member = parent[std::move(key_)];
  member = std::move(value);
  return &member;
}

}  // namespace trireme
