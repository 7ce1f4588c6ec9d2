#include "server/aws/crc32.h"

#include "gtest/gtest.h"

namespace trireme {
namespace {

TEST(Crc32Test, IsThatOfZlib) {
  EXPECT_EQ(Crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(Crc32("6789", Crc32("12345")), 0xCBF43926u);
  EXPECT_EQ(Crc32(""), 0u);
  absl::Cord pieces("12345");
  pieces.Append(absl::MakeCordFromExternal("6789", [] {}));
  EXPECT_EQ(Crc32(pieces), 0xCBF43926u);
}

}  // namespace
}  // namespace trireme
