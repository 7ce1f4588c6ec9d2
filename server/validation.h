// Violations gathers what is wrong with the shape of a request and tells it in
// the service's words (kinesis-contract.md §1.2, ValidationException). The
// members travel with the status, for front ends that report them one by one.
#ifndef TRIREME_SERVER_VALIDATION_H_
#define TRIREME_SERVER_VALIDATION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace trireme {

struct FieldViolation {
  std::string member;      // camelCase path, e.g. "records.1.member.data".
  std::string constraint;  // "Member must have length ...".
};

class Violations {
 public:
  // `value` is what the message shows; `characters` what is measured.
  void CheckLength(absl::string_view member, absl::string_view value,
                   size_t characters, size_t min, size_t max);
  void CheckRange(absl::string_view member, int64_t value, int64_t min,
                  int64_t max);
  void CheckHashKey(absl::string_view member, absl::string_view value);
  // `value` is none of an enum's.
  void AddEnum(absl::string_view member, absl::string_view value,
               std::span<const absl::string_view> values);
  void Add(absl::string_view member, absl::string_view value,
           absl::string_view constraint);
  // A member that must be there is not.
  void AddNull(absl::string_view member);

  bool empty() const { return violations_.empty(); }
  // OK when nothing was wrong.
  absl::Status ToStatus() const;

 private:
  struct Violation {
    FieldViolation field;
    std::string value;  // In quotes, or null.
  };
  void AddShown(absl::string_view member, std::string value,
                absl::string_view constraint);

  std::vector<Violation> violations_;  // At most ten are kept and told.
  size_t count_ = 0;
};

// What a status made by Violations is about; empty for any other.
std::vector<FieldViolation> ViolationsOf(const absl::Status& status);

// As much of well-formed UTF-8 as whole characters of it fit.
absl::string_view Utf8Prefix(absl::string_view text, size_t bytes_max);
// Characters (code points) of well-formed UTF-8.
size_t Utf8Characters(absl::string_view text);
// `0` or digits without a leading zero, at most `digits_max` of them: the form
// of hash keys (39) and sequence numbers (129).
bool IsDecimal(absl::string_view text, size_t digits_max);
bool IsHashKey(absl::string_view text);

}  // namespace trireme

#endif  // TRIREME_SERVER_VALIDATION_H_
