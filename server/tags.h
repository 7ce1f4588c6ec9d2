// The rules for tags (kinesis-contract.md §1.1, §1.8).
#ifndef TRIREME_SERVER_TAGS_H_
#define TRIREME_SERVER_TAGS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/resource_names.h"
#include "server/validation.h"
#include "storage/catalog.h"

namespace trireme {

// The shape of tags to add, and of keys to remove, in requests.
void CheckTags(const Tags& tags, Violations* violations);
void CheckTagKeys(const std::vector<std::string>& keys, Violations* violations);

// InvalidArgument for keys that are the service's own ("aws:...").
absl::Status CheckTagKeysAreFree(const Tags& tags);
// InvalidArgument for a resource of more than kTagsMax. `kind`: "stream".
absl::Status CheckTagCount(size_t count, absl::string_view kind,
                           absl::string_view name, const Account& account);

}  // namespace trireme

#endif  // TRIREME_SERVER_TAGS_H_
