#include "server/aws/access_keys.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kId[] = "AKIAIOSFODNN7EXAMPLE";
constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG";

std::string Refusal(const std::string& text) {
  const auto keys = AccessKeys::Parse(text, "keys.txt");
  EXPECT_TRUE(absl::IsInvalidArgument(keys.status())) << text;
  return std::string(keys.status().message());
}

TEST(AccessKeysTest, AreReadFromLines) {
  const auto keys = AccessKeys::Parse(
      absl::StrCat("# The producers.\n\n  ", kId, "\t", kSecret,
                   "  \r\nOTHER_KEY_0123456 #a/secret+that=begins\n"),
      "keys.txt");
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->size(), 2u);
  ASSERT_NE(keys->FindSecret(kId), nullptr);
  EXPECT_EQ(*keys->FindSecret(kId), kSecret);
  EXPECT_EQ(*keys->FindSecret("OTHER_KEY_0123456"), "#a/secret+that=begins");
}

TEST(AccessKeysTest, DoNotFindWhatTheyDoNotHave) {
  const auto keys = AccessKeys::Make({{kId, kSecret}});
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(keys->FindSecret(""), nullptr);
  EXPECT_EQ(keys->FindSecret("AKIAIOSFODNN7EXAMPLF"), nullptr);
  EXPECT_TRUE(AccessKeys().empty());
  EXPECT_EQ(AccessKeys().FindSecret(kId), nullptr);
}

TEST(AccessKeysTest, RefuseALineThatIsNoPairAndNameIt) {
  EXPECT_EQ(Refusal("# Comment\nALONE_ALONE_ALONE\n"),
            "keys.txt:2: 1 words; write ID SECRET, a blank between");
  EXPECT_THAT(Refusal(absl::StrCat(kId, " ", kSecret, " more")),
              HasSubstr("keys.txt:1: 3 words"));
}

TEST(AccessKeysTest, RefuseIdsAndSecretsOutOfBounds) {
  const std::string secret = kSecret;
  const std::vector<std::string> bad_ids = {
      std::string(2, 'A'), std::string(129, 'A'), "AKIAIOSFODNN7-EXAMPLE",
      "AKIAIOSFODNN7/EXAMPLE", "AKIAIOSFODNN7EXAMPL\xc3\x84"};
  for (const std::string& id : bad_ids) {
    EXPECT_EQ(Refusal(id + " " + secret),
              "keys.txt:1: the id must be 3 to 128 letters, digits and "
              "underscores");
  }
  for (const std::string& bad : {std::string(7, 's'), std::string(257, 's'),
                                 std::string("a-secret-with-\xc3\xbc-in-it")}) {
    EXPECT_EQ(Refusal(absl::StrCat(kId, " ", bad)),
              "keys.txt:1: the secret must be 8 to 256 printable ASCII "
              "characters without blanks");
  }
  EXPECT_TRUE(AccessKeys::Make({{std::string(3, 'A'), std::string(8, 's')},
                                {std::string(128, 'z'), std::string(256, '/')}})
                  .ok());
}

TEST(AccessKeysTest, RefuseAnIdGivenTwice) {
  const std::string line = absl::StrCat(kId, " ", kSecret, "\n");
  EXPECT_EQ(Refusal(line + "\n" + line), "keys.txt:3: the id is there already");
  EXPECT_EQ(
      AccessKeys::Make({{kId, kSecret}, {kId, kSecret}}).status().message(),
      "access key 2: the id is there already");
}

TEST(AccessKeysTest, RefuseATextWithoutKeys) {
  EXPECT_EQ(Refusal("# Nothing yet\n"),
            "keys.txt: has no access key; write lines of ID SECRET");
}

TEST(AccessKeysTest, TakeTenThousandAndNoMore) {
  std::string text;
  for (size_t i = 0; i < AccessKeys::kKeysMax; ++i) {
    absl::StrAppend(&text, "ACCESS_KEY_NUMBER_", i, " ", kSecret, "\n");
  }
  EXPECT_TRUE(AccessKeys::Parse(text, "keys.txt").ok());
  EXPECT_EQ(Refusal(absl::StrCat(text, "ONE_ACCESS_KEY_MORE ", kSecret)),
            "keys.txt:10001: more than 10000 access keys");
}

TEST(AccessKeysTest, NeverShowASecret) {
  const std::string secret = "TOP/SECRET+SECRET";
  for (const std::string& text :
       {absl::StrCat("id ", secret), absl::StrCat(secret, " ", kId),
        absl::StrCat(kId, " ", secret, " ", secret), secret,
        absl::StrCat(kId, " ", secret, "\xff"),
        absl::StrCat(kId, " ", secret, "\n", kId, " ", secret)}) {
    EXPECT_THAT(Refusal(text), Not(HasSubstr("SECRET+")));
  }
}

}  // namespace
}  // namespace trireme
