#include "server/aws/message_writer.h"

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

const absl::Time kTime = absl::FromUnixMillis(1'459'799'926'480);

std::string WriteAll(MessageFormat format) {
  MessageWriter writer(format);
  writer.BeginMap();
  writer.Key("Name").String("a\"b\n\xc3\xa9");
  writer.Key("Count").Integer(-7);
  writer.Key("More").Boolean(true);
  writer.Key("Data").Bytes(absl::string_view("\0\xff", 2));
  writer.Key("When").Time(kTime);
  writer.Key("List").BeginList();
  writer.Integer(300);
  writer.Bytes("");
  writer.EndList();
  writer.EndMap();
  return writer.Take();
}

TEST(MessageWriterTest, WritesJsonWithBase64AndSeconds) {
  EXPECT_EQ(WriteAll(MessageFormat::kJson),
            "{\"Name\":\"a\\\"b\\n\xc3\xa9\",\"Count\":-7,\"More\":true,"
            "\"Data\":\"AP8=\",\"When\":1459799926.48,\"List\":[300,\"\"]}");
}

TEST(MessageWriterTest, WritesCborWithBytesAndTaggedMilliseconds) {
  // The time is the vector of kinesis-contract.md §3.2; the rest is RFC 8949.
  EXPECT_EQ(absl::BytesToHexString(WriteAll(MessageFormat::kCbor)),
            "bf644e616d6566612262"
            "0ac3a9"
            "65436f756e7426"
            "644d6f7265f5"
            "644461746142"
            "00ff"
            "645768656ec11b00000153e2db26d0"
            "644c6973749f19012c40ffff");
}

TEST(MessageWriterTest, WritesWholeSecondsAndMillisecondsExactly) {
  for (const int64_t millis : {0L, 1L, 1000L, 1'700'000'000'001L,
                               1'700'000'000'999L, 253'402'300'799'999L}) {
    MessageWriter writer(MessageFormat::kJson);
    writer.Time(absl::FromUnixMillis(millis));
    const std::string text = writer.Take();
    EXPECT_EQ(static_cast<int64_t>(std::stod(text) * 1000 + 0.5), millis)
        << text;
  }
}

}  // namespace
}  // namespace trireme
