#include "client/cli/demo_input.h"

#include <glob.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/open_file.h"
#include "client/status_macros.h"

namespace trireme::cli {
namespace {

constexpr char kSuffix[] = ".md5sums";

std::vector<std::string> Glob(const std::string& pattern) {
  glob_t found = {};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

std::string KeyOf(const std::string& path) {
  std::string name = std::filesystem::path(path).filename();
  if (absl::EndsWith(name, kSuffix)) name.resize(name.size() - 8);
  return name;
}

}  // namespace

absl::StatusOr<DemoInput> ReadDemoInput(const std::string& where) {
  std::error_code error;
  const bool folder = std::filesystem::is_directory(where, error);
  DemoInput input;
  for (const std::string& path :
       Glob(folder ? absl::StrCat(where, "/*", kSuffix) : where)) {
    if (!std::filesystem::is_regular_file(path, error)) continue;
    std::ifstream file;
    CLIENT_RETURN_IF_ERROR(OpenFile(path, file));
    KeyedLines key{KeyOf(path), {}};
    std::string line;
    while (std::getline(file, line)) {
      input.bytes += line.size();
      key.lines.push_back(std::move(line));
    }
    input.records += key.lines.size();
    if (!key.lines.empty()) input.keys.push_back(std::move(key));
  }
  if (input.records == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no line to stream in ", where,
        "; name other text files with --input 'GLOB' or --input FOLDER"));
  }
  return input;
}

DemoInput MakePacedInput(const DemoInput& input, uint64_t records,
                         int key_count) {
  DemoInput paced;
  for (int i = 0; i < key_count; ++i) {
    paced.keys.push_back({absl::StrCat("paced-", i), {}});
  }
  size_t key = 0;
  size_t line = 0;
  for (; paced.records < records; ++paced.records) {
    const std::string& text = input.keys[key].lines[line];
    paced.keys[paced.records % key_count].lines.push_back(text);
    paced.bytes += text.size();
    if (++line == input.keys[key].lines.size()) {
      line = 0;
      key = (key + 1) % input.keys.size();
    }
  }
  return paced;
}

}  // namespace trireme::cli
