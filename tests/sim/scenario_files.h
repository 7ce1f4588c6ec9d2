// The files of a folder of written scenarios, as tests.
#ifndef TRIREME_TESTS_SIM_SCENARIO_FILES_H_
#define TRIREME_TESTS_SIM_SCENARIO_FILES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace trireme::sim {

inline std::vector<std::string> ScenarioFiles(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() == ".txt") files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline std::string ScenarioTestName(
    const testing::TestParamInfo<std::string>& file) {
  std::string name = std::filesystem::path(file.param).stem();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

inline std::string ReadScenario(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_TRUE(text.str().starts_with("# ")) << "say first what must hold";
  return text.str();
}

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SCENARIO_FILES_H_
