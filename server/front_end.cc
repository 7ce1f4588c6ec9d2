#include "server/front_end.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/clock.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// Waking a subscriber costs microseconds; two threads keep a slow one from
// delaying the rest.
constexpr int kWakeThreads = 2;
constexpr size_t kJobsMax = 100'000;

}  // namespace

LifecycleDriver::LifecycleDriver() : timers_(SystemClock::Get()) {}

LifecycleDriver::~LifecycleDriver() { Stop(); }

void LifecycleDriver::Attach(Node* node) {
  lifecycle_ = std::make_unique<StreamLifecycle>(
      &node->state().catalog(),
      [node](GroupId group, ShardKey shard) {
        return node->state().ProducersOf(group, shard);
      },
      &node->loop(), &timers_, SystemClock::Get());
  observer_.Add(lifecycle_.get());
  autoscaler_ = std::make_unique<Autoscaler>(
      ScalingRules(), &node->state().catalog(), &node->loop(), &meter_,
      &timers_, &node->loop().cluster_clock());
  observer_.Add(&meter_);
  assigner_ = std::make_unique<LeaseAssigner>(
      &node->state().leases(), &node->loop(), &timers_, SystemClock::Get());
}

void LifecycleDriver::Start() {
  timers_.Start();
  lifecycle_->Start();
  autoscaler_->Start();
  assigner_->Start();
}

void LifecycleDriver::Stop() { timers_.Stop(); }

FrontEnd::FrontEnd(const FrontEndOptions& options)
    : options_(options),
      wake_pool_("wake", kWakeThreads, kJobsMax),
      read_pool_("read", options.read_threads, kJobsMax),
      timers_(SystemClock::Get()),
      tails_(options.tail_bytes_max, &wake_pool_),
      claims_(&wake_pool_) {
  observers_.Add(&tails_);
  observers_.Add(&claims_);
}

FrontEnd::~FrontEnd() { Stop(absl::ZeroDuration()); }

absl::Status FrontEnd::Listen() {
  ASSIGN_OR_RETURN(server_, GrpcServer::Start(options_.grpc));
  if (options_.kinesis.has_value()) {
    absl::StatusOr<std::unique_ptr<KinesisServer>> started =
        KinesisServer::Start(*options_.kinesis);
    if (!started.ok()) {
      return absl::Status(
          started.status().code(),
          absl::StrCat("the endpoint for AWS clients (--kinesis-listen, or "
                       "kinesis.listen) ",
                       started.status().message()));
    }
    kinesis_ = *std::move(started);
  }
  return absl::OkStatus();
}

void FrontEnd::Serve(Node* node) {
  timers_.Start();
  broker_ = std::make_unique<Broker>(
      options_.broker,
      BrokerParts{&node->loop(), &node->state(), &tails_, &claims_, &read_pool_,
                  &timers_, &node->loop().cluster_clock()});
  server_->Serve(broker_.get());
  if (kinesis_ != nullptr) kinesis_->Serve(broker_.get());
}

void FrontEnd::StartDraining() {
  if (server_ != nullptr) server_->StartDraining();
  if (kinesis_ != nullptr) kinesis_->StartDraining();
}

void FrontEnd::Stop(absl::Duration grace) {
  // Those of both servers: they would last the whole grace.
  if (broker_ != nullptr) broker_->StopSubscriptions();
  const absl::Time end = absl::Now() + grace;
  if (server_ != nullptr) server_->Stop(grace);
  server_.reset();
  if (kinesis_ != nullptr) {
    kinesis_->Stop(std::max(end - absl::Now(), absl::ZeroDuration()));
  }
  kinesis_.reset();
  timers_.Stop();
  // Their jobs use the broker, which is destroyed before them.
  wake_pool_.Stop();
  read_pool_.Stop();
}

}  // namespace trireme
