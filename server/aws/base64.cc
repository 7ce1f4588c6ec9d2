#include "server/aws/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/validation.h"

namespace trireme {
namespace {

constexpr size_t kShownBytesMax = 256;

std::string Wrong(absl::string_view text, absl::string_view why) {
  return absl::StrCat("'", Utf8Prefix(text, kShownBytesMax),
                      "' can not be converted to a Blob: ", why);
}

bool IsDigit(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '+' ||
         c == '/';
}

// What is wrong with text whose digits OpenSSL does not take.
std::string WrongDigit(absl::string_view text, absl::string_view digits) {
  const auto bad = std::find_if_not(digits.begin(), digits.end(), IsDigit);
  if (bad == digits.end()) return Wrong(text, "Invalid Base64 encoding");
  // All of a character, which may have several bytes.
  absl::string_view character =
      text.substr(static_cast<size_t>(bad - digits.begin()));
  while (Utf8Characters(character) > 1) character.remove_suffix(1);
  return Wrong(text, absl::StrCat("Invalid Base64 character: '",
                                  Utf8Prefix(character, 4), "'"));
}

}  // namespace

std::optional<std::string> DecodeBase64(absl::string_view text,
                                        std::vector<uint8_t>* bytes) {
  bytes->clear();
  const size_t characters = Utf8Characters(text);
  if (characters % 4 != 0) {
    return Wrong(text, absl::StrCat("Base64 encoded length is expected a "
                                    "multiple of 4 bytes but found: ",
                                    characters));
  }
  size_t padding = 0;
  while (padding < 2 && padding < text.size() &&
         text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  const absl::string_view digits = text.substr(0, text.size() - padding);
  if (text.empty()) return std::nullopt;
  // OpenSSL takes padding anywhere, and blanks at both ends.
  const auto is_blank = [](char c) {
    return absl::ascii_isspace(static_cast<unsigned char>(c));
  };
  if (digits.find('=') != absl::string_view::npos || is_blank(text.front()) ||
      is_blank(text.back()) || characters != text.size()) {
    return WrongDigit(text, digits);
  }
  bytes->resize(text.size() / 4 * 3);
  const int decoded = EVP_DecodeBlock(
      bytes->data(), reinterpret_cast<const unsigned char*>(text.data()),
      static_cast<int>(text.size()));
  if (decoded != static_cast<int>(bytes->size())) {
    return WrongDigit(text, digits);
  }
  // What the padding stands for is decoded as zero bits; any others were in
  // the last digit.
  const bool left_over =
      std::any_of(bytes->end() - static_cast<ptrdiff_t>(padding), bytes->end(),
                  [](uint8_t byte) { return byte != 0; });
  if (left_over) {
    return Wrong(text, "Invalid last non-pad Base64 character dectected");
  }
  bytes->resize(bytes->size() - padding);
  return std::nullopt;
}

}  // namespace trireme
