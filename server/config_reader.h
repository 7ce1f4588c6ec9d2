// ConfigSection reads one mapping of a YAML file, key by key: what is missing,
// of the wrong kind, out of range or unknown is noted with its line, and all
// of it is told together.
#ifndef TRIREME_SERVER_CONFIG_READER_H_
#define TRIREME_SERVER_CONFIG_READER_H_

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace trireme {

// What is wrong with a file.
class ConfigErrors {
 public:
  explicit ConfigErrors(absl::string_view source) : source_(source) {}
  // `mark` may be null: then no line is told.
  void Add(const YAML::Mark& mark, absl::string_view what);
  bool empty() const { return errors_.empty(); }
  absl::Status ToStatus() const;

 private:
  const std::string source_;
  std::vector<std::string> errors_;
};

class ConfigSection {
 public:
  // `path` names the section in messages: "" for the file, "tls", "peers[0]".
  ConfigSection(const YAML::Node& node, absl::string_view path,
                ConfigErrors* errors);

  std::string Text(const std::string& key);  // Must be there, not empty.
  std::string TextOr(const std::string& key, absl::string_view fallback);
  uint32_t Number(const std::string& key, uint32_t min, uint32_t max);
  uint32_t NumberOr(const std::string& key, uint32_t min, uint32_t max,
                    uint32_t fallback);
  bool FlagOr(const std::string& key, bool fallback);
  // One of `allowed`; the first one when the key is not there.
  std::string Choice(const std::string& key,
                     const std::vector<std::string>& allowed);
  // HOST:PORT.
  std::string AddressAt(const std::string& key);
  std::optional<ConfigSection> SectionAt(const std::string& key);
  std::vector<ConfigSection> SectionsAt(const std::string& key);
  // Of a section whose keys are names that the user chose.
  std::vector<std::string> Keys() const;

  // Notes an error at the key (or, when it is not there, the section).
  void AddError(const std::string& key, absl::string_view what);
  // Notes every key that was not asked for. Call last.
  void RefuseOthers();

 private:
  // The value, if it is there and a scalar; notes an error if it is no scalar.
  std::optional<std::string> Scalar(const std::string& key);
  YAML::Node Find(const std::string& key);
  std::string PathOf(const std::string& key) const;
  void Missing(const std::string& key, absl::string_view wanted);

  YAML::Node node_;
  std::string path_;
  ConfigErrors* errors_;
  std::set<std::string> known_;  // Keys that were asked for.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_CONFIG_READER_H_
