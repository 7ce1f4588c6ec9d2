// How many items a page of a list may have.
#ifndef TRIREME_SERVER_PAGE_SIZE_H_
#define TRIREME_SERVER_PAGE_SIZE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/limits.h"
#include "server/validation.h"
#include "storage/status_macros.h"

namespace trireme {

// 0 means a full page; more than a page is cut to one (contract, trap 22).
inline absl::StatusOr<size_t> PageSize(absl::string_view member, int32_t limit,
                                       int page) {
  if (limit == 0) return static_cast<size_t>(page);
  Violations violations;
  violations.CheckRange(member, limit, 1, kListLimitMax);
  RETURN_IF_ERROR(violations.ToStatus());
  return static_cast<size_t>(std::min(limit, page));
}

}  // namespace trireme

#endif  // TRIREME_SERVER_PAGE_SIZE_H_
