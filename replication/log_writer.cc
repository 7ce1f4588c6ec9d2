#include "replication/log_writer.h"

#include <utility>

#include "storage/check.h"

namespace trireme {

void LogWriter::Submit(LogBatch batch) {
  absl::MutexLock lock(&mu_);
  CHECK(!batch_.has_value(), "a batch is already being written");
  batch_ = std::move(batch);
}

bool LogWriter::WaitForWork() {
  absl::MutexLock lock(&mu_);
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return stopping_ || batch_.has_value();
  };
  mu_.Await(absl::Condition(&ready));
  return !stopping_;
}

bool LogWriter::HasWork() const {
  absl::MutexLock lock(&mu_);
  return batch_.has_value();
}

bool LogWriter::RunOnce() {
  LogBatch batch;
  {
    absl::MutexLock lock(&mu_);
    if (!batch_.has_value()) return false;
    batch = *std::exchange(batch_, std::nullopt);
  }
  absl::Status status = log_->Write(batch);
  on_written_(Written{std::move(batch), std::move(status)});
  return true;
}

void LogWriter::Stop() {
  absl::MutexLock lock(&mu_);
  stopping_ = true;
}

}  // namespace trireme
