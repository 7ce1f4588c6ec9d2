// MessageTree builds a request's tree from what a parser meets, in either
// encoding, and refuses what is nested too deep or is no text.
#ifndef TRIREME_SERVER_AWS_MESSAGE_TREE_H_
#define TRIREME_SERVER_AWS_MESSAGE_TREE_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"
#include "server/aws/utf8.h"

namespace trireme {

// DynamoDB's documents are the deepest: 32 levels, each of two of the message,
// and some more around them.
inline constexpr size_t kMessageDepthMax = 96;
// Of values: each costs about a hundred bytes, however short it is in the body.
inline constexpr size_t kMessageNodesMax = 400'000;

// Each method is false when the message must not be read on.
class MessageTree : public nlohmann::json_sax<nlohmann::json> {
 public:
  nlohmann::json Take() { return std::move(root_); }

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t value, const string_t&) override {
    return Add(value);
  }
  bool string(string_t& value) override {
    return IsUtf8(value) && Add(std::move(value));
  }
  bool binary(binary_t& value) override { return Add(std::move(value)); }
  bool start_object(size_t) override { return Open(nlohmann::json::object()); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    return IsUtf8(key_);
  }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(nlohmann::json::array()); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t, const std::string&,
                   const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  // Where the next value goes. Of a key that comes twice the last one counts.
  nlohmann::json* Place(nlohmann::json value);
  bool Add(nlohmann::json value) {
    Place(std::move(value));
    return nodes_ <= kMessageNodesMax;
  }
  bool Open(nlohmann::json value) {
    if (open_.size() == kMessageDepthMax || nodes_ >= kMessageNodesMax) {
      return false;
    }
    open_.push_back(Place(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  nlohmann::json root_;
  size_t nodes_ = 0;
  std::vector<nlohmann::json*> open_;
  std::string key_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_MESSAGE_TREE_H_
