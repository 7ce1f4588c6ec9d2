// Texts that claim to be sequence numbers. One that is taken is the number's
// only spelling, and every number of ours is taken.
#include <cstdint>
#include <string>

#include "storage/check.h"
#include "storage/errors.h"
#include "storage/sequence_number.h"
#include "tests/fuzz/input.h"

namespace trireme {
namespace {

constexpr uint64_t kSecondsMax = 16'025'174'999;

void RunText(const std::string& text) {
  const absl::StatusOr<SequenceNumber> number = SequenceNumber::Parse(text);
  if (!number.ok()) {
    CHECK(ReasonOf(number.status()) == ErrorReason::kInvalidArgument);
    return;
  }
  CHECK(number->ToString() == text);
}

void RunNumber(Input& input) {
  SequenceNumber number;
  number.shard = ShardIndex(static_cast<uint32_t>(input.Number()) >> 1);
  number.shard_created_s = input.Number() % (kSecondsMax + 1);
  number.record_s = input.Number() % (uint64_t{1} << 36);
  number.counter = input.Number() >> 1;
  std::string text = number.ToString();
  const absl::StatusOr<SequenceNumber> parsed = SequenceNumber::Parse(text);
  CHECK(parsed.ok(), text);
  CHECK(parsed->shard == number.shard &&
        parsed->shard_created_s == number.shard_created_s &&
        parsed->record_s == number.record_s &&
        parsed->counter == number.counter);
  text[input.Below(text.size())] = static_cast<char>('0' + input.Below(10));
  RunText(text);
}

void Run(Input input) {
  if (input.Byte() % 2 == 0) return RunText(input.Rest());
  RunNumber(input);
}

}  // namespace
}  // namespace trireme

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trireme::Run(trireme::Input(data, size));
  return 0;
}
