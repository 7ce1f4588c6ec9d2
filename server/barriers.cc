#include "server/barriers.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace trireme {
namespace {

class Answers {
 public:
  Answers(size_t due, absl::AnyInvocable<void(absl::Status)> done)
      : done_(std::move(done)), due_(due) {}

  void Add(const absl::Status& status) {
    absl::Status all;
    {
      absl::MutexLock lock(&mu_);
      status_.Update(status);
      if (--due_ > 0) return;
      all = status_;
    }
    done_(std::move(all));
  }

 private:
  absl::AnyInvocable<void(absl::Status)> done_;  // Called by the last.

  absl::Mutex mu_;
  size_t due_ ABSL_GUARDED_BY(mu_);
  absl::Status status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

void AwaitBarriers(const absl::btree_set<GroupId>& groups,
                   absl::Duration timeout, Replicas* replicas,
                   absl::AnyInvocable<void(absl::Status)> done) {
  if (groups.empty()) return done(absl::OkStatus());
  const auto answers =
      std::make_shared<Answers>(groups.size(), std::move(done));
  for (const GroupId group : groups) {
    replicas->ReadBarrier(
        {group, timeout,
         [answers](const absl::Status& status) { answers->Add(status); }});
  }
}

}  // namespace trireme
