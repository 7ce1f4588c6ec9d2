// The consumers registered for a stream (kinesis-contract.md §2.8), as part of
// its row in the catalogue.
#ifndef TRIREME_STORAGE_CONSUMERS_H_
#define TRIREME_STORAGE_CONSUMERS_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"

namespace trireme {

// Names and values that users give a resource.
using Tags = absl::btree_map<std::string, std::string>;

struct Consumer {
  uint32_t number = 0;     // Of its stream; no other registration has it.
  uint64_t created_s = 0;  // Unix seconds; part of its ARN.
  Tags tags;
  std::string policy;  // JSON, as it was given; empty: none.
};

struct Consumers {
  using ByName = absl::btree_map<std::string, Consumer>;

  ByName by_name;
  uint32_t next_number = 1;
  // No later registration has an earlier second of creation: an ARN never
  // comes to mean another consumer.
  uint64_t created_s_min = 0;

  // By name and consumer; by_name.end() when the number is not registered (any
  // more).
  ByName::iterator Find(uint32_t number) {
    return std::find_if(by_name.begin(), by_name.end(), [number](auto& row) {
      return row.second.number == number;
    });
  }
  bool Has(uint32_t number) const {
    return std::any_of(by_name.begin(), by_name.end(), [number](auto& row) {
      return row.second.number == number;
    });
  }
  // What is left of it is the bound on later registrations.
  void Forget(uint32_t number) {
    const auto found = Find(number);
    if (found == by_name.end()) return;
    created_s_min = std::max(created_s_min, found->second.created_s + 1);
    by_name.erase(found);
  }
  void ForgetAll() {
    while (!by_name.empty()) Forget(by_name.begin()->second.number);
  }
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_CONSUMERS_H_
