#include "server/aws/signing_time.h"

#include <cstddef>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace trireme {
namespace {

constexpr absl::string_view kBasicShape = "00000000T000000Z";
constexpr size_t kShownBytesMax = 64;

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}

bool HasBasicShape(absl::string_view text) {
  if (text.size() != kBasicShape.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (kBasicShape[i] == '0' ? !IsDigit(text[i]) : text[i] != kBasicShape[i]) {
      return false;
    }
  }
  return true;
}

int Digits(absl::string_view text, size_t at, size_t count) {
  int number = 0;
  for (const char c : text.substr(at, count)) number = number * 10 + (c - '0');
  return number;
}

// ISO 8601's basic format. By hand: absl::ParseTime is lenient and slower.
std::optional<absl::Time> ParseBasic(absl::string_view text) {
  if (!HasBasicShape(text)) return std::nullopt;
  const int month = Digits(text, 4, 2), day = Digits(text, 6, 2);
  const int hour = Digits(text, 9, 2), minute = Digits(text, 11, 2);
  const int second = Digits(text, 13, 2);
  const absl::CivilSecond civil(Digits(text, 0, 4), month, day, hour, minute,
                                second);
  // A civil second makes 3 March of 31 February.
  if (civil.month() != month || civil.day() != day || civil.hour() != hour ||
      civil.minute() != minute || civil.second() != second) {
    return std::nullopt;
  }
  return absl::FromCivil(civil, absl::UTCTimeZone());
}

std::optional<absl::Time> ParseHttpDate(absl::string_view text) {
  absl::Time time;
  for (const char* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S %z"}) {
    if (absl::ParseTime(format, text, &time, nullptr) &&
        time != absl::InfiniteFuture() && time != absl::InfinitePast()) {
      return time;
    }
  }
  return std::nullopt;
}

AwsError Invalid(std::string message) {
  return {400, "InvalidSignatureException", std::move(message)};
}

AwsError Expired(absl::Time signed_at, absl::Time now, absl::Duration holds,
                 absl::string_view holds_text) {
  return Invalid(
      absl::StrCat("Signature expired: ", FormatSigningTime(signed_at),
                   " is now earlier than ", FormatSigningTime(now - holds),
                   " (", FormatSigningTime(now), " - ", holds_text, ")"));
}

}  // namespace

std::string FormatSigningTime(absl::Time time) {
  return absl::FormatTime("%Y%m%dT%H%M%SZ", time, absl::UTCTimeZone());
}

AwsOr<absl::Time> ReadSigningTime(const HttpRequest& request,
                                  const PresentedSignature& presented) {
  const bool from_date = presented.x_amz_date.empty();
  const absl::string_view text =
      from_date ? request.Header("date") : presented.x_amz_date;
  std::optional<absl::Time> time = ParseBasic(text);
  if (!time && from_date) time = ParseHttpDate(text);
  if (time) return *time;
  return AwsError{400, "IncompleteSignatureException",
                  absl::StrCat("Date must be in ISO-8601 'basic format'. Got '",
                               text.substr(0, kShownBytesMax),
                               "'. See http://en.wikipedia.org/wiki/ISO_8601")};
}

std::optional<AwsError> CheckSigningTime(const PresentedSignature& presented,
                                         absl::Time signed_at, absl::Time now) {
  if (signed_at > now + kSignatureSkew) {
    return Invalid(absl::StrCat(
        "Signature not yet current: ", FormatSigningTime(signed_at),
        " is still later than ", FormatSigningTime(now + kSignatureSkew), " (",
        FormatSigningTime(now), " + 5 min.)"));
  }
  if (presented.expires_s.empty()) {
    if (signed_at >= now - kSignatureSkew) return std::nullopt;
    return Expired(signed_at, now, kSignatureSkew, "5 min.");
  }
  int expires_s = 0;
  if (!absl::c_all_of(presented.expires_s, IsDigit) ||
      !absl::SimpleAtoi(presented.expires_s, &expires_s) || expires_s < 1 ||
      expires_s > kPresignedExpiryMaxS) {
    return AwsError{
        400, "IncompleteSignatureException",
        absl::StrCat("'X-Amz-Expires' must be 1 to ", kPresignedExpiryMaxS,
                     " seconds. Got '",
                     presented.expires_s.substr(0, kShownBytesMax), "'.")};
  }
  const absl::Duration holds = absl::Seconds(expires_s);
  if (signed_at >= now - holds) return std::nullopt;
  return Expired(signed_at, now, holds, absl::StrCat(expires_s, " sec."));
}

}  // namespace trireme
