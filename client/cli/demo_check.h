// Compares what came back with what was written: per partition key every line
// exactly once and in order, on one shard.
#ifndef TRIREME_CLIENT_CLI_DEMO_CHECK_H_
#define TRIREME_CLIENT_CLI_DEMO_CHECK_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cli/demo_input.h"

namespace trireme::cli {

// The records of one reader, by key, in the order they came. One thread, or
// the caller's lock.
class Received {
 public:
  // Gives how many of the key came before it.
  size_t Add(absl::string_view shard_id, absl::string_view key,
             absl::string_view data);

  struct OfKey {
    std::vector<std::string> lines;
    std::string shard_id;  // Of the first.
    uint64_t on_other_shards = 0;
  };
  const std::map<std::string, OfKey>& by_key() const { return by_key_; }
  uint64_t records() const { return records_; }

 private:
  std::map<std::string, OfKey> by_key_;
  uint64_t records_ = 0;
};

struct Verdict {
  uint64_t expected = 0;
  uint64_t right = 0;  // Came exactly once and in order.
  uint64_t missing = 0;
  uint64_t unexpected = 0;    // Duplicates and records nobody wrote.
  uint64_t out_of_order = 0;  // Places of a key with another line.
  uint64_t on_other_shards = 0;
  std::vector<std::string> examples;  // The first few, in words.

  bool ok() const {
    return right == expected && missing == 0 && unexpected == 0 &&
           out_of_order == 0 && on_other_shards == 0;
  }
};

Verdict Compare(const std::vector<const DemoInput*>& written,
                const Received& received);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_DEMO_CHECK_H_
