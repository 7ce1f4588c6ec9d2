#include "storage/retention.h"

namespace trireme {

RetentionClass ClassOfRetention(uint32_t hours) {
  if (hours <= RetentionHoursOf(RetentionClass::kDay))
    return RetentionClass::kDay;
  if (hours <= RetentionHoursOf(RetentionClass::kWeek))
    return RetentionClass::kWeek;
  return RetentionClass::kYear;
}

uint32_t RetentionHoursOf(RetentionClass retention) {
  switch (retention) {
    case RetentionClass::kDay:
      return 24;
    case RetentionClass::kWeek:
      return 7 * 24;
    case RetentionClass::kYear:
    case RetentionClass::kKeptOfDay:
    case RetentionClass::kKeptOfWeek:
      break;
  }
  return kRetentionHoursMax;
}

std::optional<RetentionClass> KeptIn(RetentionClass retention) {
  switch (retention) {
    case RetentionClass::kDay:
      return RetentionClass::kKeptOfDay;
    case RetentionClass::kWeek:
      return RetentionClass::kKeptOfWeek;
    case RetentionClass::kYear:
    case RetentionClass::kKeptOfDay:
    case RetentionClass::kKeptOfWeek:
      break;
  }
  return std::nullopt;
}

int64_t PartitionTimeFactor(RetentionClass retention) {
  switch (retention) {
    case RetentionClass::kDay:
      return 1;
    case RetentionClass::kWeek:
      return 8;
    case RetentionClass::kYear:
    case RetentionClass::kKeptOfDay:
    case RetentionClass::kKeptOfWeek:
      break;
  }
  return 192;
}

uint64_t PartitionBytesFactor(RetentionClass retention) {
  return retention == RetentionClass::kDay ? 1 : 16;
}

}  // namespace trireme
