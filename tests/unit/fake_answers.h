// Values the parts of FakeTrireme share.
#ifndef TRIREME_TESTS_UNIT_FAKE_ANSWERS_H_
#define TRIREME_TESTS_UNIT_FAKE_ANSWERS_H_

#include <google/protobuf/timestamp.pb.h>
#include <grpcpp/support/status.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::testing {

inline google::protobuf::Timestamp TimestampNow() {
  google::protobuf::Timestamp time;
  const int64_t ms = absl::ToUnixMillis(absl::Now());
  time.set_seconds(ms / 1000);
  time.set_nanos(ms % 1000 * 1'000'000);
  return time;
}

inline std::string FakeSequenceNumber(uint64_t counter) {
  return absl::StrFormat("49%054d", counter);
}

inline grpc::Status NotFound(const std::string& what) {
  return TypedError(grpc::StatusCode::NOT_FOUND, "ResourceNotFoundException",
                    absl::StrCat(what, " not found."));
}

}  // namespace trireme::testing

#endif  // TRIREME_TESTS_UNIT_FAKE_ANSWERS_H_
