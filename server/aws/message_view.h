// MessageView reads the members of a structure that a Shape has checked: what
// is there has its type.
#ifndef TRIREME_SERVER_AWS_MESSAGE_VIEW_H_
#define TRIREME_SERVER_AWS_MESSAGE_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace trireme {

class MessageView {
 public:
  // `message` must outlive the view and all that it gives out.
  explicit MessageView(const nlohmann::json& message) : message_(message) {}

  bool Has(absl::string_view name) const { return Find(name) != nullptr; }
  // Empty when it is not there, as all that follows but where it says more.
  absl::string_view String(absl::string_view name) const {
    const nlohmann::json* const member = Find(name);
    if (member == nullptr) return {};
    return member->get_ref<const std::string&>();
  }
  absl::string_view Bytes(absl::string_view name) const {
    const nlohmann::json* const member = Find(name);
    if (member == nullptr) return {};
    const nlohmann::json::binary_t& bytes = member->get_binary();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::optional<int32_t> Integer(absl::string_view name) const {
    const nlohmann::json* const member = Find(name);
    if (member == nullptr) return std::nullopt;
    return member->get<int32_t>();
  }
  bool Boolean(absl::string_view name) const {
    const nlohmann::json* const member = Find(name);
    return member != nullptr && member->get<bool>();
  }
  std::optional<absl::Time> Time(absl::string_view name) const {
    const nlohmann::json* const member = Find(name);
    if (member == nullptr) return std::nullopt;
    return absl::FromUnixMillis(member->get<int64_t>());
  }
  std::optional<MessageView> Structure(absl::string_view name) const {
    const nlohmann::json* const member = Find(name);
    if (member == nullptr) return std::nullopt;
    return MessageView(*member);
  }
  std::vector<MessageView> Structures(absl::string_view name) const {
    std::vector<MessageView> views;
    if (const nlohmann::json* const member = Find(name)) {
      views.reserve(member->size());
      for (const nlohmann::json& element : *member) views.emplace_back(element);
    }
    return views;
  }
  std::vector<absl::string_view> Strings(absl::string_view name) const {
    std::vector<absl::string_view> strings;
    if (const nlohmann::json* const member = Find(name)) {
      for (const nlohmann::json& element : *member) {
        strings.push_back(element.get_ref<const std::string&>());
      }
    }
    return strings;
  }
  // A container of pairs of strings.
  template <typename Pairs>
  Pairs StringMap(absl::string_view name) const {
    Pairs pairs;
    if (const nlohmann::json* const member = Find(name)) {
      for (const auto& [key, value] : member->items()) {
        pairs.insert({key, value.template get<std::string>()});
      }
    }
    return pairs;
  }

 private:
  const nlohmann::json* Find(absl::string_view name) const {
    const auto found = message_.find(name);
    return found == message_.end() ? nullptr : &*found;
  }

  const nlohmann::json& message_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_MESSAGE_VIEW_H_
