#include "client/cli/demo_check.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

namespace trireme::cli {
namespace {

constexpr size_t kExamplesMax = 5;

void AddExample(Verdict& verdict, const std::string& text) {
  if (verdict.examples.size() < kExamplesMax) verdict.examples.push_back(text);
}

// How often each line is there; equal lines of one key are counted, not told
// apart.
std::map<absl::string_view, int64_t> Count(
    const std::vector<std::string>& lines) {
  std::map<absl::string_view, int64_t> counts;
  for (const std::string& line : lines) ++counts[line];
  return counts;
}

void CompareKey(const std::string& key, const std::vector<std::string>& written,
                const std::vector<std::string>& received, Verdict& verdict) {
  if (written == received) {
    verdict.right += written.size();
    return;
  }
  std::map<absl::string_view, int64_t> surplus = Count(received);
  for (const auto& [line, count] : Count(written)) surplus[line] -= count;
  uint64_t wrong = 0;
  bool complete = true;
  for (const auto& [line, count] : surplus) {
    if (count == 0) continue;
    complete = false;
    if (count < 0) {
      verdict.missing += -count;
      wrong += -count;
    } else {
      verdict.unexpected += count;
      wrong += count;
    }
    AddExample(verdict,
               absl::StrCat(key, ": ", count < 0 ? "missing" : "too often",
                            " (", std::abs(count), "x): ", line));
  }
  if (complete) {
    for (size_t i = 0; i < written.size(); ++i) {
      if (written[i] == received[i]) continue;
      if (wrong++ == 0) {
        AddExample(verdict, absl::StrCat(key, ": out of order from line ",
                                         i + 1, " on: ", received[i]));
      }
    }
    verdict.out_of_order += wrong;
  }
  verdict.right += written.size() - std::min<uint64_t>(wrong, written.size());
}

}  // namespace

size_t Received::Add(absl::string_view shard_id, absl::string_view key,
                     absl::string_view data) {
  OfKey& of_key = by_key_[std::string(key)];
  if (of_key.lines.empty()) of_key.shard_id = std::string(shard_id);
  if (of_key.shard_id != shard_id) ++of_key.on_other_shards;
  of_key.lines.emplace_back(data);
  ++records_;
  return of_key.lines.size() - 1;
}

Verdict Compare(const std::vector<const DemoInput*>& written,
                const Received& received) {
  Verdict verdict;
  std::set<absl::string_view> known;
  for (const DemoInput* input : written) {
    verdict.expected += input->records;
    for (const KeyedLines& key : input->keys) {
      known.insert(key.key);
      const auto it = received.by_key().find(key.key);
      const bool any = it != received.by_key().end();
      CompareKey(key.key, key.lines,
                 any ? it->second.lines : std::vector<std::string>(), verdict);
      if (any) verdict.on_other_shards += it->second.on_other_shards;
    }
  }
  for (const auto& [key, of_key] : received.by_key()) {
    if (known.contains(key)) continue;
    verdict.unexpected += of_key.lines.size();
    AddExample(verdict, absl::StrCat("nobody wrote key ", key));
  }
  if (verdict.on_other_shards > 0) {
    AddExample(verdict, absl::StrCat(verdict.on_other_shards,
                                     " records are on another shard than the "
                                     "first of their key"));
  }
  return verdict;
}

}  // namespace trireme::cli
