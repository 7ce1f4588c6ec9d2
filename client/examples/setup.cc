#include "client/examples/setup.h"

#include <cstdio>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/error.h"
#include "client/status_macros.h"

namespace trireme::examples {
namespace {

constexpr absl::Duration kActiveTimeout = absl::Seconds(30);

}  // namespace

absl::StatusOr<std::unique_ptr<client::Client>> Connect(
    const std::vector<std::string>& endpoints) {
  client::ClientOptions options;
  if (!endpoints.empty()) options.endpoints = endpoints;
  CLIENT_ASSIGN_OR_RETURN(auto client,
                          client::Client::Create(std::move(options)));
  CLIENT_RETURN_IF_ERROR(client->GetClusterStatus().status());
  return client;
}

absl::Status MakeStreamIfMissing(client::Client& client,
                                 const std::string& name, int shards) {
  const absl::Status made = client.CreateStream(name, shards);
  if (!made.ok() && client::Reason(made) != "ResourceInUseException") {
    return made;
  }
  return client.WaitUntilActive(name, kActiveTimeout);
}

std::string NewRun() {
  absl::BitGen random;
  return absl::StrCat(
      absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16));
}

std::string FilterOf(const std::string& run) {
  return absl::StrCat(R"({"data": {"run": [")", run, R"("]}})");
}

client::ConsumerOptions ReadingFromNow(const std::string& stream,
                                       const std::string& group) {
  client::ConsumerOptions options;
  options.stream_name = stream;
  options.group_name = group;
  options.from = client::FromTime(absl::Now() - absl::Minutes(1));
  options.on_error = [stream](absl::string_view shard,
                              const absl::Status& status) {
    std::fprintf(stderr, "%s\n",
                 absl::StrCat(stream, " ", shard, ": ", status.ToString(),
                              " (tried again)")
                     .c_str());
  };
  return options;
}

client::PutCallback PutErrors::Note() {
  return [this](absl::StatusOr<client::PutOutcome> outcome) {
    if (outcome.ok()) return;
    absl::MutexLock lock(&mu_);
    first_.Update(outcome.status());
  };
}

absl::Status PutErrors::first() {
  absl::MutexLock lock(&mu_);
  return first_;
}

}  // namespace trireme::examples
