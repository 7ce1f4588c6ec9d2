// CHECK: a broken invariant of ours stops the process, in release builds too
// (docs/architecture.md, "Errors: three kinds, three answers").
#ifndef TRIREME_STORAGE_CHECK_H_
#define TRIREME_STORAGE_CHECK_H_

#include <cstdio>
#include <cstdlib>
#include <string>

namespace trireme {

// Prints where and what, then aborts. Out of line of the macro so that the
// happy path of a CHECK is one compare and one predicted branch.
[[noreturn]] inline void CheckFailed(const char* file, int line,
                                     const char* condition,
                                     const std::string& message = "") {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s%s%s\n", file, line, condition,
               message.empty() ? "" : ": ", message.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace trireme

// CHECK(condition) or CHECK(condition, message_string). The message is
// evaluated only on failure.
#define CHECK(condition, ...)                                        \
  do {                                                               \
    if (!(condition)) [[unlikely]]                                   \
      ::trireme::CheckFailed(__FILE__, __LINE__,                     \
                             #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)

#endif  // TRIREME_STORAGE_CHECK_H_
