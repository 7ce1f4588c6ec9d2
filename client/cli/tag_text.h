// Tags on the command line: "KEY=VALUE", and how they are shown.
#ifndef TRIREME_CLIENT_CLI_TAG_TEXT_H_
#define TRIREME_CLIENT_CLI_TAG_TEXT_H_

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/format.h"
#include "client/cli/session.h"
#include "client/cli/table.h"

namespace trireme::cli {

using TagMap = std::map<std::string, std::string>;

// An option of tags, of which ParseTags makes a map.
inline CLI::Option* AddTagsOption(CLI::App& app, const std::string& name,
                                  std::vector<std::string>& texts,
                                  const std::string& help) {
  return app.add_option(name, texts, help)
      ->check([](const std::string& text) -> std::string {
        if (absl::StrContains(text, '=')) return "";
        return absl::StrCat("must be KEY=VALUE, not ", text,
                            "; the value may be empty: ", text, "=");
      });
}

// Errors: InvalidArgument for a key that is given twice.
inline absl::StatusOr<TagMap> ParseTags(const std::vector<std::string>& texts) {
  TagMap tags;
  for (const std::string& text : texts) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(text, absl::MaxSplits('=', 1));
    if (!tags.emplace(parts).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("tag ", parts.first, " is given twice"));
    }
  }
  return tags;
}

// `more`: what else the JSON says.
inline void PrintTags(Session& session, const TagMap& tags, const Json& more) {
  Console& console = session.console();
  if (session.json()) {
    Json all = Json::array();
    for (const auto& [key, value] : tags) {
      all.push_back({{"Key", key}, {"Value", value}});
    }
    Json json{{"Tags", all}};
    if (!more.is_null()) json.update(more);
    console.out << Dump(json, true) << "\n";
    return;
  }
  Table table({{"KEY"}, {"VALUE"}});
  for (const auto& [key, value] : tags) table.AddRow({key, value});
  table.Print(console.out, console.out_is_terminal);
}

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_TAG_TEXT_H_
