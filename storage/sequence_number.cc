#include "storage/sequence_number.h"

#include <cstring>

#include "absl/numeric/int128.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "storage/errors.h"

namespace trireme {
namespace {

// Layout version 2 is a number of 188 bits. From its lowest bit:
//   version 4 | shard 32 | record_s 36 | zero 8 | counter 64 |
//   low nibble of shard 4 | shard_created_s 36 | constant 2
// We keep it in three 64-bit words, `low` first.
struct Words {
  uint64_t low = 0;
  uint64_t middle = 0;
  uint64_t high = 0;
};

constexpr uint64_t kVersion = 2;
constexpr uint64_t kConstant = 2;
constexpr uint64_t kSecondsMask = (uint64_t{1} << 36) - 1;
constexpr uint64_t kShardCreatedEnd = 16'025'175'000;  // Beyond: rejected.
constexpr uint32_t kShardIndexMax = 0x7fffffff;
// The constant 2 above 184 bits makes the number 4.9e55..7.4e55.
constexpr size_t kDigits = 56;
constexpr uint64_t kTenTo19 = 10'000'000'000'000'000'000u;

Words Pack(const SequenceNumber& number) {
  const uint64_t shard = number.shard.value();
  const uint64_t record_s = number.record_s & kSecondsMask;
  Words words;
  words.low = kVersion | shard << 4 | record_s << 36;
  words.middle = record_s >> 28 | number.counter << 16;
  words.high = number.counter >> 48 | (shard & 0xf) << 16 |
               (number.shard_created_s & kSecondsMask) << 20 | kConstant << 56;
  return words;
}

// `words` / 10^19, in place; the remainder is returned. The top word is less
// than 10^19 at both calls, so each quotient fits its word.
uint64_t DivideByTenTo19(Words* words) {
  const absl::uint128 top = absl::MakeUint128(words->high, words->middle);
  const absl::uint128 quotient = top / kTenTo19;
  const uint64_t remainder = absl::Uint128Low64(top - quotient * kTenTo19);
  const absl::uint128 bottom = absl::MakeUint128(remainder, words->low);
  const absl::uint128 low = bottom / kTenTo19;
  words->high = absl::Uint128High64(quotient);
  words->middle = absl::Uint128Low64(quotient);
  words->low = absl::Uint128Low64(low);
  return absl::Uint128Low64(bottom - low * kTenTo19);
}

constexpr char kPairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536"
    "37383940414243444546474849505152535455565758596061626364656667686970717273"
    "7475767778798081828384858687888990919293949596979899";

// Exactly `digits` digits of `value`, ending before `end`.
void WriteDigits(uint64_t value, int digits, char* end) {
  for (; digits >= 2; digits -= 2) {
    end -= 2;
    std::memcpy(end, kPairs + value % 100 * 2, 2);
    value /= 100;
  }
  if (digits == 1) *--end = static_cast<char>('0' + value % 10);
}

void WriteDecimal(Words words, char* out) {
  const uint64_t low = DivideByTenTo19(&words);
  const uint64_t middle = DivideByTenTo19(&words);
  WriteDigits(low, 19, out + kDigits);
  WriteDigits(middle, 19, out + kDigits - 19);
  WriteDigits(words.low, kDigits - 38, out + kDigits - 38);
}

absl::Status NotOurs(absl::string_view text) {
  return MakeError(ErrorReason::kInvalidArgument,
                   absl::StrCat("Invalid sequence number ",
                                text.substr(0, 2 * kDigits), "."));
}

// words * 10^19 + chunk.
void MultiplyByTenTo19(Words* words, uint64_t chunk) {
  const absl::uint128 low = absl::uint128(words->low) * kTenTo19 + chunk;
  const absl::uint128 middle =
      absl::uint128(words->middle) * kTenTo19 + absl::Uint128High64(low);
  const absl::uint128 high =
      absl::uint128(words->high) * kTenTo19 + absl::Uint128High64(middle);
  words->low = absl::Uint128Low64(low);
  words->middle = absl::Uint128Low64(middle);
  words->high = absl::Uint128Low64(high);
}

uint64_t ReadDigits(absl::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits)
    value = value * 10 + static_cast<uint64_t>(c - '0');
  return value;
}

}  // namespace

void SequenceNumber::AppendTo(std::string* out) const {
  // Three chunks of 10^19 hold any number of the layout: two divisions.
  const size_t begin = out->size();
  out->resize(begin + kDigits);
  WriteDecimal(Pack(*this), out->data() + begin);
}

std::string SequenceNumber::ToString() const {
  std::string text;
  AppendTo(&text);
  return text;
}

absl::StatusOr<SequenceNumber> SequenceNumber::Parse(absl::string_view text) {
  if (text.size() != kDigits) return NotOurs(text);
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)))
      return NotOurs(text);
  }
  // 56 digits are less than 2^187, so nothing overflows the three words.
  Words words;
  words.low = ReadDigits(text.substr(0, kDigits - 38));
  MultiplyByTenTo19(&words, ReadDigits(text.substr(kDigits - 38, 19)));
  MultiplyByTenTo19(&words, ReadDigits(text.substr(kDigits - 19)));

  const uint64_t shard = words.low >> 4 & 0xffffffff;
  SequenceNumber number;
  number.shard = ShardIndex(static_cast<uint32_t>(shard));
  number.record_s = words.low >> 36 | (words.middle & 0xff) << 28;
  number.counter = words.middle >> 16 | (words.high & 0xffff) << 48;
  number.shard_created_s = words.high >> 20 & kSecondsMask;
  const bool ours = (words.low & 0xf) == kVersion &&
                    words.high >> 56 == kConstant &&
                    (words.middle >> 8 & 0xff) == 0 &&
                    (words.high >> 16 & 0xf) == (shard & 0xf) &&
                    shard <= kShardIndexMax && number.counter <= kCounterMax &&
                    number.shard_created_s < kShardCreatedEnd;
  if (!ours) return NotOurs(text);
  return number;
}

}  // namespace trireme
