// Tags on the command line: "KEY=VALUE", and how they are shown.
#ifndef TRIREME_CLIENT_CLI_TAG_TEXT_H_
#define TRIREME_CLIENT_CLI_TAG_TEXT_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/cli/format.h"
#include "client/cli/session.h"
#include "client/cli/table.h"

namespace trireme::cli {

using TagMap = std::map<std::string, std::string>;

// Without '=' the value is empty; of a key given twice the last one counts.
inline TagMap ParseTags(const std::vector<std::string>& texts) {
  TagMap tags;
  for (const std::string& text : texts) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(text, absl::MaxSplits('=', 1));
    tags.insert_or_assign(parts.first, parts.second);
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
