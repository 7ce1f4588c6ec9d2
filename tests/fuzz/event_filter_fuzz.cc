// Patterns of filters and data of records that come from anywhere. A pattern is
// refused with a typed error or taken; what was taken says the same of a record
// each time, also beside itself and within an $or. An input that begins with
// '{' is a pattern and, after a line break, data; any other is choices that
// make both.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/error.h"
#include "client/event_filter.h"
#include "storage/check.h"
#include "tests/fuzz/input.h"

namespace trireme::client {
namespace {

constexpr uint64_t kDepthMax = 5;

std::string Text(Input& input) {
  static constexpr const char* kTexts[] = {"", "a", "B", "ab", "bA", "\\u00e9"};
  return absl::StrCat("\"", kTexts[input.Below(6)], "\"");
}

// One of the first `choices`; from the fifth on it is no number, then a text.
std::string Scalar(Input& input, uint64_t choices = 12) {
  static constexpr const char* kScalars[] = {"0",    "1",    "-2.5", "1e300",
                                             "null", "true", "false"};
  const uint64_t choice = input.Below(choices);
  return choice < 7 ? kScalars[choice] : Text(input);
}

std::string Bool(Input& input) {
  if (!input.Mostly(8)) return Scalar(input);
  return input.Below(2) == 0 ? "true" : "false";
}

std::string Field(Input& input) {
  static constexpr const char* kNames[] = {"\"a\":", "\"b\":", "\"\":"};
  return kNames[input.Below(3)];
}

std::string Test(Input& input) {
  static constexpr const char* kSigns[] = {"\"=\",", "\"<\",", "\"<=\",",
                                           "\">\",", "\">=\","};
  switch (input.Below(9)) {
    case 0:
      return absl::StrCat("{\"prefix\":", Text(input), "}");
    case 1:
      return absl::StrCat("{\"suffix\":{\"equals-ignore-case\":", Text(input),
                          "}}");
    case 2:
      return absl::StrCat("{\"equals-ignore-case\":", Text(input), "}");
    case 3:
      return absl::StrCat("{\"exists\":", Bool(input), "}");
    case 4:
      return absl::StrCat("{\"anything-but\":", Scalar(input), "}");
    case 5:
      return absl::StrCat("{\"anything-but\":{\"prefix\":[", Text(input), ",",
                          Text(input), "]}}");
    case 6:
      return absl::StrCat("{\"numeric\":[", kSigns[input.Below(5)],
                          Scalar(input, input.Mostly(8) ? 4 : 12), "]}");
    default:
      return Scalar(input);
  }
}

std::string Fields(Input& input, uint64_t depth);

std::string Asked(Input& input, uint64_t depth) {
  if (depth < kDepthMax && input.Below(2) == 1) return Fields(input, depth + 1);
  return absl::StrCat("[", Test(input), ",", Test(input), "]");
}

std::string Fields(Input& input, uint64_t depth) {
  std::string fields = absl::StrCat("{", Field(input), Asked(input, depth));
  if (depth < kDepthMax && input.Below(3) == 1) {
    absl::StrAppend(&fields, ",\"$or\":[", Fields(input, depth + 1), ",",
                    Fields(input, depth + 1), "]");
  }
  return fields + "}";
}

std::string Data(Input& input, uint64_t depth) {
  const uint64_t choice = depth < kDepthMax ? input.Below(4) : 0;
  if (choice == 1) {
    return absl::StrCat("[", Data(input, depth + 1), ",",
                        Data(input, depth + 1), "]");
  }
  if (choice < 2) return Scalar(input);
  return absl::StrCat("{", Field(input), Data(input, depth + 1), ",",
                      Field(input), Data(input, depth + 1), "}");
}

void Check(const std::string& pattern, const std::string& data) {
  const auto filter = EventFilter::Parse({pattern});
  if (!filter.ok()) {
    CHECK(absl::IsInvalidArgument(filter.status()));
    CHECK(Reason(filter.status()) == "InvalidArgumentException");
    CHECK(!filter.status().message().empty());
    return;
  }
  UserRecord record;
  record.position = {std::string(56, '7'), 0};
  record.partition_key = data.substr(0, 8);
  record.data = data;
  const bool matches = filter->Matches(record);
  CHECK(filter->Matches(record) == matches);
  const std::vector<std::string> twice = {pattern, pattern};
  CHECK(EventFilter::Parse(twice)->Matches(record) == matches);
  // Unless it has too many characters or levels now.
  const auto within =
      EventFilter::Parse({absl::StrCat("{\"$or\":[", pattern, "]}")});
  if (within.ok()) CHECK(within->Matches(record) == matches);
}

void Run(Input input) {
  Input choices = input;
  const std::string text = input.Rest();
  if (!text.empty() && text[0] == '{') {
    const size_t end = text.find('\n');
    Check(text.substr(0, end),
          end == std::string::npos ? "" : text.substr(end + 1));
    return;
  }
  const std::string asked = choices.Mostly(8)
                                ? Fields(choices, 0)
                                : absl::StrCat("[", Test(choices), "]");
  const std::string data =
      choices.Mostly(8) ? Data(choices, 0) : choices.Rest();
  Check(absl::StrCat("{\"data\":", asked, "}"), data);
}

}  // namespace
}  // namespace trireme::client

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::client::Run(trireme::Input(data, size));
  return 0;
}
