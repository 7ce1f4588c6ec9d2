#include "server/aws/message_tree.h"

#include "rapidjson/encodings.h"
#include "rapidjson/memorystream.h"

namespace trireme {
namespace {

struct NoOutput {
  using Ch = char;
  void Put(char) {}
};

bool IsUtf8(const std::string& text) {
  rapidjson::MemoryStream in(text.data(), text.size());
  NoOutput out;
  while (in.Tell() < text.size()) {
    if (!rapidjson::UTF8<>::Validate(in, out)) return false;
  }
  return true;
}

}  // namespace

bool MessageTree::IsText(const std::string& value) const {
  return !check_utf8_ || IsUtf8(value);
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
