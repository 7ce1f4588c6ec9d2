#include "replication/pulls.h"

namespace trireme {

void Pulls::Add(grpc::ClientContext* pull) {
  absl::MutexLock lock(&mu_);
  if (stopped_) pull->TryCancel();
  contexts_.insert(pull);
}

void Pulls::Remove(grpc::ClientContext* pull) {
  absl::MutexLock lock(&mu_);
  contexts_.erase(pull);
}

void Pulls::Stop() {
  absl::MutexLock lock(&mu_);
  stopped_ = true;
  for (grpc::ClientContext* pull : contexts_) pull->TryCancel();
}

}  // namespace trireme
