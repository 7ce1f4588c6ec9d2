#include "server/aws/message_tree.h"

namespace trireme {

nlohmann::json* MessageTree::Place(nlohmann::json value) {
  ++nodes_;
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
