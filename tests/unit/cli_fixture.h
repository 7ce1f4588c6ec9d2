// What tests of the command line share: `trireme` run in this process against
// a FakeTrireme, and what it printed.
#ifndef TRIREME_TESTS_UNIT_CLI_FIXTURE_H_
#define TRIREME_TESTS_UNIT_CLI_FIXTURE_H_

#include <gtest/gtest.h>

#include <fstream>
#include <istream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::cli {

class CliTest : public ::testing::Test {
 protected:
  // Runs `trireme <arguments>` against the fake; out_ and err_ hold what it
  // printed.
  int Run(std::vector<std::string> arguments, const std::string& in = "") {
    arguments.insert(arguments.begin(), {"--endpoint", fake_.address()});
    return RunAnywhere(std::move(arguments), in);
  }
  int RunAnywhere(std::vector<std::string> arguments,
                  const std::string& in = "") {
    std::istringstream input(in);
    return RunReading(input, std::move(arguments));
  }
  int RunReading(std::istream& input, std::vector<std::string> arguments) {
    std::ostringstream out, err;
    Console console{input, out, err};
    const int code = RunTrireme(std::move(arguments), console, interrupt_);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  int RunOn(std::istream& input, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--endpoint", fake_.address()});
    return RunReading(input, std::move(arguments));
  }
  void MakeStream(int shards = 2) {
    ASSERT_EQ(Run({"stream", "create", "s", "--shards", absl::StrCat(shards),
                   "--wait"}),
              kExitOk)
        << err_;
  }
  std::string TemporaryFile(const std::string& content) {
    const std::string path = absl::StrCat(
        ::testing::TempDir(), "/client_cli_test.",
        ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::ofstream(path) << content;
    return path;
  }
  std::vector<Json> JsonLines() {
    std::vector<Json> lines;
    for (const auto& line : absl::StrSplit(out_, '\n', absl::SkipEmpty())) {
      lines.push_back(Json::parse(std::string(line)));
    }
    return lines;
  }

  trireme::testing::FakeTrireme fake_;
  client::Cancellation interrupt_;
  std::string out_;
  std::string err_;
};

}  // namespace trireme::cli

#endif  // TRIREME_TESTS_UNIT_CLI_FIXTURE_H_
