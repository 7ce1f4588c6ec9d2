// What the demo streams: the lines of files, grouped under a partition key.
#ifndef TRIREME_CLIENT_CLI_DEMO_INPUT_H_
#define TRIREME_CLIENT_CLI_DEMO_INPUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace trireme::cli {

struct KeyedLines {
  std::string key;
  std::vector<std::string> lines;
};

struct DemoInput {
  std::vector<KeyedLines> keys;
  uint64_t records = 0;
  uint64_t bytes = 0;  // Of the lines, without keys and line ends.
};

// Each line of each file of `where` (a glob, or a folder meaning its
// *.md5sums): its key is the file's name without ".md5sums". Errors:
// InvalidArgument when there is no such file or no line in any.
absl::StatusOr<DemoInput> ReadDemoInput(const std::string& where);

// `records` lines taken from `input` in turn, under `key_count` keys of their
// own: the measured phase's records.
DemoInput MakePacedInput(const DemoInput& input, uint64_t records,
                         int key_count);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_DEMO_INPUT_H_
