#include "storage/named_thread.h"

#include <pthread.h>

#include <utility>

namespace trireme {

std::thread NamedThread(const std::string& name,
                        absl::AnyInvocable<void()> body) {
  return std::thread(
      [name = name.substr(0, 15), body = std::move(body)]() mutable {
        pthread_setname_np(pthread_self(), name.c_str());
        body();
      });
}

}  // namespace trireme
