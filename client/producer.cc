#include "client/producer.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/error.h"
#include "client/producer_lane.h"
#include "client/status_macros.h"

namespace trireme::client {
namespace {

constexpr uint64_t kRecordBytesMax = 10 << 20;
constexpr size_t kKeyCharactersMax = 256;
constexpr absl::Duration kWatchInterval = absl::Seconds(1);

size_t CountCharacters(absl::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
}

// A malformed record would fail its whole request; stop it at the door.
absl::Status CheckRecord(const ProducerRecord& record) {
  const size_t characters = CountCharacters(record.partition_key);
  if (characters < 1 || characters > kKeyCharactersMax) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "ValidationException", "PutRecords",
        absl::StrCat("the partition key has ", characters,
                     " characters; allowed are 1 to ", kKeyCharactersMax));
  }
  const uint64_t bytes = record.partition_key.size() + record.data.size();
  if (bytes > kRecordBytesMax) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "ValidationException", "PutRecords",
        absl::StrCat("the record is ", bytes, " bytes with its key; the limit ",
                     "is ", kRecordBytesMax));
  }
  return absl::OkStatus();
}

}  // namespace

Producer::Producer(Client& client, ProducerOptions options)
    : options_(std::move(options)),
      client_(client),
      budget_(options_.unanswered_bytes_max) {
  for (int i = 0; i < std::max(options_.lanes, 1); ++i) {
    lanes_.push_back(
        std::make_unique<ProducerLane>(client_, options_, budget_));
  }
  watch_ = std::thread([this] { Watch(); });
  on_cancel_.emplace(client.cancellation(), [this] { Abort(); });
}

Producer::~Producer() {
  on_cancel_.reset();
  Abort();
  stop_watch_.Cancel();
  watch_.join();
}

void Producer::Abort() {
  budget_.Close();
  for (auto& lane : lanes_) lane->Abort();
}

void Producer::Watch() {
  while (stop_watch_.WaitFor(kWatchInterval)) {
    for (auto& lane : lanes_) lane->BreakIfSilent(absl::Now());
  }
}

absl::Status Producer::Put(ProducerRecord record, PutCallback done) {
  CLIENT_RETURN_IF_ERROR(CheckRecord(record));
  if (!budget_.Acquire(record.partition_key.size() + record.data.size())) {
    return MakeError(absl::StatusCode::kCancelled, kCancelled, "PutRecords",
                     "the producer is closed");
  }
  const size_t lane = absl::HashOf(record.partition_key) % lanes_.size();
  lanes_[lane]->Add(std::move(record), std::move(done));
  return absl::OkStatus();
}

std::future<absl::StatusOr<PutOutcome>> Producer::Put(ProducerRecord record) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<PutOutcome>>>();
  auto future = promise->get_future();
  const absl::Status status =
      Put(std::move(record), [promise](absl::StatusOr<PutOutcome> outcome) {
        promise->set_value(std::move(outcome));
      });
  if (!status.ok()) promise->set_value(status);
  return future;
}

void Producer::Flush() { budget_.WaitUntilEmpty(); }

void Producer::Close() {
  if (closed_) return;
  closed_ = true;
  Flush();
  budget_.Close();
  for (auto& lane : lanes_) lane->Close();
}

}  // namespace trireme::client
