#include "server/aws/signing_keys.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

TEST(SigningKeysTest, FindWhatTheyRemember) {
  SigningKeys keys;
  EXPECT_EQ(keys.Find("a"), std::nullopt);
  keys.Remember("a", Sha256("1"));
  keys.Remember("b", Sha256("2"));
  keys.Remember("a", Sha256("3"));
  EXPECT_EQ(keys.Find("a"), Sha256("3"));
  EXPECT_EQ(keys.Find("b"), Sha256("2"));
}

TEST(SigningKeysTest, BeginAnewWhenFull) {
  SigningKeys keys;
  for (size_t i = 0; i < SigningKeys::kKeysMax; ++i) {
    keys.Remember(absl::StrCat(i), Sha256("key"));
  }
  EXPECT_TRUE(keys.Find("0"));
  keys.Remember("one more", Sha256("key"));
  EXPECT_FALSE(keys.Find("0"));
  EXPECT_TRUE(keys.Find("one more"));
}

}  // namespace
}  // namespace trireme
