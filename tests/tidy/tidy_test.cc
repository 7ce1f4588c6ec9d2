// The rules of the folders, checked: who may include whom, how long files and
// lines may be, which names say nothing. Reads the sources as text.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace trireme {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
  std::string path;  // Relative to the top.
  std::vector<std::string> lines;
};

const std::vector<SourceFile>& Sources() {
  static const auto* const sources = [] {
    auto* const found = new std::vector<SourceFile>();
    for (const char* folder :
         {"proto", "storage", "replication", "server", "client", "tests"}) {
      for (const auto& entry : fs::recursive_directory_iterator(
               fs::path(TRIREME_SOURCE_DIR) / folder)) {
        const std::string extension = entry.path().extension();
        if (extension != ".h" && extension != ".cc" && extension != ".proto")
          continue;
        SourceFile& file = found->emplace_back();
        file.path = fs::relative(entry.path(), TRIREME_SOURCE_DIR);
        std::ifstream in(entry.path());
        for (std::string line; std::getline(in, line);) {
          file.lines.push_back(line);
        }
      }
    }
    return found;
  }();
  return *sources;
}

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.rfind(prefix, 0) == 0;
}

// What files below a prefix must not include; the longest prefix counts.
const std::map<std::string, std::vector<std::string>>& Forbidden() {
  static const auto* const rules =
      new std::map<std::string, std::vector<std::string>>{
          {"storage/",
           {"replication/", "server/", "client/", "tests/", "grpc", "rocksdb/",
            "trireme/v1/records", "trireme/v1/streams", "trireme/v1/cluster",
            "trireme/v1/replication", "boost/", "nghttp2/"}},
          {"storage/store",
           {"replication/", "server/", "client/", "tests/", "grpc", "boost/",
            "nghttp2/"}},
          {"replication/raft/",
           {"replication/group", "replication/transport", "server/", "client/",
            "tests/", "grpc", "rocksdb/", "google/protobuf", "trireme/v1/",
            "storage/store", "storage/clock", "thread", "mutex",
            "absl/synchronization", "chrono", "boost/", "nghttp2/"}},
          {"replication/",
           {"server/", "client/", "tests/", "rocksdb/", "storage/store",
            "trireme/v1/records", "trireme/v1/streams", "trireme/v1/cluster",
            "grpc", "boost/", "nghttp2/"}},
          {"replication/grpc_transport.", {"server/", "client/", "tests/"}},
          {"replication/peer_connection.", {"server/", "client/", "tests/"}},
          {"replication/pulls.", {"server/", "client/", "tests/"}},
          {"server/",
           {"client/", "tests/", "rocksdb/", "grpc", "boost/", "nghttp2/"}},
          {"server/grpc/",
           {"client/", "tests/", "rocksdb/", "boost/", "nghttp2/"}},
          {"server/http/",
           {"client/", "tests/", "rocksdb/", "grpc", "server/aws/",
            "server/kinesis/", "server/dynamodb/", "server/cloudwatch/",
            "server/broker"}},
          {"server/aws/",
           {"client/", "tests/", "rocksdb/", "grpc", "boost/", "nghttp2/",
            "server/kinesis/", "server/dynamodb/", "server/cloudwatch/",
            "server/grpc/"}},
          {"server/main.cc", {"client/", "tests/", "rocksdb/"}},
          {"client/",
           {"server/", "replication/", "storage/", "tests/",
            "trireme/v1/replication", "trireme/v1/command", "boost/",
            "nghttp2/"}},
      };
  return *rules;
}

const std::vector<std::string>* RulesFor(const std::string& path) {
  const std::vector<std::string>* rules = nullptr;
  size_t longest = 0;
  for (const auto& [prefix, forbidden] : Forbidden()) {
    if (StartsWith(path, prefix) && prefix.size() > longest) {
      longest = prefix.size();
      rules = &forbidden;
    }
  }
  return rules;
}

TEST(TidyTest, FoldersIncludeOnlyWhatTheyMay) {
  const std::regex include("^#include [<\"]([^>\"]+)[>\"]");
  for (const SourceFile& file : Sources()) {
    const std::vector<std::string>* const rules = RulesFor(file.path);
    if (rules == nullptr) continue;
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      for (const std::string& forbidden : *rules) {
        // Our own server/grpc/ is not the library.
        if (forbidden == "grpc" && StartsWith(match[1], "replication/")) {
          continue;
        }
        EXPECT_FALSE(StartsWith(match[1], forbidden))
            << file.path << " must not include " << match[1];
      }
    }
  }
}

TEST(TidyTest, FilesAndLinesStayReadable) {
  constexpr size_t kLinesMax = 600;
  constexpr size_t kColumnsMax = 80;
  for (const SourceFile& file : Sources()) {
    EXPECT_LE(file.lines.size(), kLinesMax)
        << file.path << ": split it by duty";
    for (size_t i = 0; i < file.lines.size(); ++i) {
      if (StartsWith(file.lines[i], "#include")) continue;
      // Continuation bytes of UTF-8 take no column.
      size_t columns = 0;
      for (const unsigned char c : file.lines[i]) columns += (c & 0xC0) != 0x80;
      EXPECT_LE(columns, kColumnsMax) << file.path << ":" << i + 1;
    }
  }
}

TEST(TidyTest, NamesSayWhatAThingIs) {
  const std::regex declares("^(class|struct) ([A-Za-z0-9]+)");
  const std::regex says_nothing(
      "(Manager|Helper|Util|Utils|Handler|Impl|Processor)$");
  for (const SourceFile& file : Sources()) {
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, declares)) continue;
      const std::string name = match[2];
      if (name == "RecordProcessor") continue;  // Kinesis's own term.
      EXPECT_FALSE(std::regex_search(name, says_nothing))
          << file.path << ": " << name;
    }
  }
}

TEST(TidyTest, HeadersHaveGuardsNamedAfterTheirPath) {
  for (const SourceFile& file : Sources()) {
    if (fs::path(file.path).extension() != ".h") continue;
    std::string guard = "TRIREME_";
    for (const char c : file.path) {
      guard += std::isalnum(static_cast<unsigned char>(c))
                   ? static_cast<char>(std::toupper(c))
                   : '_';
    }
    guard += "_";
    const std::string expected = "#ifndef " + guard;
    EXPECT_NE(std::find(file.lines.begin(), file.lines.end(), expected),
              file.lines.end())
        << file.path << " lacks " << expected;
  }
}

}  // namespace
}  // namespace trireme
