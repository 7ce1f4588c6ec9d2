#include "server/work_pool.h"

#include <utility>

#include "storage/named_thread.h"

namespace trireme {

WorkPool::WorkPool(const std::string& name, int threads, size_t queue_max)
    : queue_max_(queue_max) {
  threads_.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    threads_.push_back(NamedThread(name, [this] { Work(); }));
  }
}

WorkPool::~WorkPool() { Stop(); }

void WorkPool::Schedule(Job job) {
  absl::MutexLock lock(&mu_);
  if (!stopping_) queue_.push_back(std::move(job));
}

bool WorkPool::TrySchedule(Job& job) {
  absl::MutexLock lock(&mu_);
  if (stopping_ || queue_.size() >= queue_max_) return false;
  queue_.push_back(std::move(job));
  return true;
}

bool WorkPool::RunOne() {
  Job job;
  {
    absl::MutexLock lock(&mu_);
    if (queue_.empty()) return false;
    job = std::move(queue_.front());
    queue_.pop_front();
  }
  job();
  return true;
}

void WorkPool::Stop() {
  std::deque<Job> dropped;  // Destroyed without the lock.
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkPool::Work() {
  for (;;) {
    {
      absl::MutexLock lock(&mu_);
      const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return stopping_ || !queue_.empty();
      };
      mu_.Await(absl::Condition(&ready));
      if (stopping_) return;
    }
    RunOne();
  }
}

}  // namespace trireme
