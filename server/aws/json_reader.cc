#include "server/aws/json_reader.h"

#include <cstdint>

#include "rapidjson/reader.h"
#include "rapidjson/stream.h"

namespace trireme {
namespace {

// Tells a tree what the reader meets.
class TreeEvents {
 public:
  explicit TreeEvents(MessageTree* tree) : tree_(tree) {}

  bool Null() { return tree_->null(); }
  bool Bool(bool value) { return tree_->boolean(value); }
  bool Int(int value) { return tree_->number_integer(value); }
  bool Uint(unsigned value) { return tree_->number_unsigned(value); }
  bool Int64(int64_t value) { return tree_->number_integer(value); }
  bool Uint64(uint64_t value) { return tree_->number_unsigned(value); }
  bool Double(double value) { return tree_->number_float(value, ""); }
  // Of numbers that are kept as text: none are.
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* text, rapidjson::SizeType bytes, bool) {
    std::string value(text, bytes);
    return tree_->string(value);
  }
  bool StartObject() { return tree_->start_object(kUnknown); }
  bool Key(const char* text, rapidjson::SizeType bytes, bool) {
    std::string value(text, bytes);
    return tree_->key(value);
  }
  bool EndObject(rapidjson::SizeType) { return tree_->end_object(); }
  bool StartArray() { return tree_->start_array(kUnknown); }
  bool EndArray(rapidjson::SizeType) { return tree_->end_array(); }

 private:
  static constexpr size_t kUnknown = SIZE_MAX;

  MessageTree* const tree_;
};

}  // namespace

bool ReadJson(const std::string& body, MessageTree* tree) {
  // The stream ends at a zero, of which JSON has none outside of escapes.
  rapidjson::StringStream in(body.c_str());
  TreeEvents events(tree);
  rapidjson::Reader reader;
  const rapidjson::ParseResult result =
      reader.Parse<rapidjson::kParseIterativeFlag |
                   rapidjson::kParseFullPrecisionFlag>(in, events);
  return result && in.Tell() == body.size();
}

}  // namespace trireme
