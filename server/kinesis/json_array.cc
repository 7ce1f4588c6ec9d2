#include "server/kinesis/json_array.h"

#include "rapidjson/memorystream.h"
#include "rapidjson/reader.h"

namespace trireme {
namespace {

// One value, without recursion, from where the stream stands.
constexpr unsigned kOneValue = rapidjson::kParseStopWhenDoneFlag |
                               rapidjson::kParseIterativeFlag |
                               rapidjson::kParseValidateEncodingFlag |
                               rapidjson::kParseNumbersAsStringsFlag;

}  // namespace

std::optional<std::vector<absl::string_view>> SplitJsonArray(
    absl::string_view text) {
  rapidjson::MemoryStream in(text.data(), text.size());
  rapidjson::BaseReaderHandler<> ignore;
  rapidjson::Reader reader;
  std::vector<absl::string_view> elements;
  rapidjson::SkipWhitespace(in);
  if (in.Peek() != '[') return std::nullopt;
  in.Take();
  rapidjson::SkipWhitespace(in);
  if (in.Peek() == ']') {
    in.Take();
  } else {
    char next = ',';
    while (next == ',') {
      rapidjson::SkipWhitespace(in);
      const size_t begin = in.Tell();
      if (!reader.Parse<kOneValue>(in, ignore)) return std::nullopt;
      elements.push_back(text.substr(begin, in.Tell() - begin));
      rapidjson::SkipWhitespace(in);
      next = in.Take();
    }
    if (next != ']') return std::nullopt;
  }
  rapidjson::SkipWhitespace(in);
  if (in.Tell() != text.size()) return std::nullopt;
  return elements;
}

}  // namespace trireme
