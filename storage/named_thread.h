// Threads whose names show in top -H, perf and gdb.
#ifndef TRIREME_STORAGE_NAMED_THREAD_H_
#define TRIREME_STORAGE_NAMED_THREAD_H_

#include <string>
#include <thread>

#include "absl/functional/any_invocable.h"

namespace trireme {

// The kernel keeps 15 characters of the name.
std::thread NamedThread(const std::string& name,
                        absl::AnyInvocable<void()> body);

}  // namespace trireme

#endif  // TRIREME_STORAGE_NAMED_THREAD_H_
