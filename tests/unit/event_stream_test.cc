#include "server/aws/event_stream.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/aws/crc32.h"
#include "storage/fixed_ints.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

// Both from the contract, §3.3.
constexpr char kInitialResponse[] =
    "0000007200000060ab820d9e0d3a6d6573736167652d747970650700056576656e740b3a65"
    "76656e742d74797065070010696e697469616c2d726573706f6e73650d3a636f6e74656e74"
    "2d7479706507001a6170706c69636174696f6e2f782d616d7a2d6a736f6e2d312e317b7de1"
    "6e66e4";
constexpr char kException[] =
    "0000008d0000006e865ee7150d3a6d6573736167652d74797065070009657863657074696f"
    "6e0f3a657863657074696f6e2d747970650700165265736f75726365496e55736545786365"
    "7074696f6e0d3a636f6e74656e742d7479706507001a6170706c69636174696f6e2f782d61"
    "6d7a2d6a736f6e2d312e317b226d657373616765223a2278227dd6edc97a";

std::string Hex(const absl::Cord& bytes) {
  return absl::BytesToHexString(std::string(bytes));
}

// A message of these bytes for headers, its checksums right.
absl::Cord Message(const std::string& headers, uint32_t headers_bytes,
                   uint32_t total_bytes) {
  std::string bytes;
  AppendBig(total_bytes, &bytes);
  AppendBig(headers_bytes, &bytes);
  AppendBig(Crc32(bytes), &bytes);
  bytes += headers;
  AppendBig(Crc32(bytes), &bytes);
  return absl::Cord(bytes);
}

absl::Cord Message(const std::string& headers) {
  const auto headers_bytes = static_cast<uint32_t>(headers.size());
  return Message(headers, headers_bytes, headers_bytes + 16);
}

std::string Refusal(absl::Cord bytes) {
  const absl::Cord before = bytes;
  const auto message = TakeEventMessage(bytes);
  EXPECT_TRUE(absl::IsDataLoss(message.status()));
  EXPECT_EQ(bytes, before);
  return std::string(message.status().message());
}

TEST(EventStreamTest, EncodesTheVectorsOfTheContract) {
  EXPECT_EQ(Hex(InitialResponse()), kInitialResponse);
  EXPECT_EQ(Hex(ExceptionMessage("ResourceInUseException",
                                 absl::Cord("{\"message\":\"x\"}"))),
            kException);
}

TEST(EventStreamTest, EncodesTheSameOfAPayloadInPieces) {
  const std::string text(100'000, 'x');
  absl::Cord pieces;
  for (size_t at = 0; at < text.size(); at += 5'000) {
    pieces.Append(absl::MakeCordFromExternal(
        absl::string_view(text).substr(at, 5'000), [] {}));
  }
  EXPECT_EQ(EventMessage("SubscribeToShardEvent", pieces),
            EventMessage("SubscribeToShardEvent", absl::Cord(text)));
}

TEST(EventStreamTest, TakesMessagesOneByOne) {
  absl::Cord bytes = InitialResponse();
  bytes.Append(EventMessage("SubscribeToShardEvent", absl::Cord("\xa0"),
                            "application/x-amz-cbor-1.1"));
  bytes.Append(EncodeEventMessage({}, absl::Cord()));
  auto message = TakeEventMessage(bytes);
  ASSERT_TRUE(message.ok() && *message);
  EXPECT_EQ((*message)->Header(":event-type"), "initial-response");
  EXPECT_EQ((*message)->payload, "{}");
  message = TakeEventMessage(bytes);
  ASSERT_TRUE(message.ok() && *message);
  EXPECT_THAT((*message)->headers,
              ::testing::ElementsAre(
                  EventHeader{":message-type", "event"},
                  EventHeader{":event-type", "SubscribeToShardEvent"},
                  EventHeader{":content-type", "application/x-amz-cbor-1.1"}));
  EXPECT_EQ((*message)->payload, "\xa0");
  EXPECT_EQ((*message)->Header(":other"), "");
  message = TakeEventMessage(bytes);
  ASSERT_TRUE(message.ok() && *message);
  EXPECT_TRUE((*message)->headers.empty() && (*message)->payload.empty());
  EXPECT_TRUE(bytes.empty());
}

TEST(EventStreamTest, WaitsForTheRestOfAMessage) {
  const absl::Cord whole = InitialResponse();
  for (size_t size = 0; size < whole.size(); ++size) {
    absl::Cord bytes = whole.Subcord(0, size);
    const auto message = TakeEventMessage(bytes);
    ASSERT_TRUE(message.ok()) << size << ": " << message.status();
    EXPECT_FALSE(*message) << size;
    EXPECT_EQ(bytes.size(), size);
  }
}

TEST(EventStreamTest, NoticesEveryFlippedBit) {
  const std::string whole(InitialResponse());
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EXPECT_THAT(Refusal(absl::Cord(bytes)), HasSubstr("checksum")) << bit;
  }
}

TEST(EventStreamTest, KeepsWithinItsLimits) {
  const std::string value(60'000, 'v');
  const absl::Cord payload(std::string(kEventPayloadBytesMax, 'p'));
  absl::Cord bytes = EncodeEventMessage({{"a", value}, {"b", value}}, payload);
  const auto message = TakeEventMessage(bytes);
  ASSERT_TRUE(message.ok() && *message);
  EXPECT_EQ((*message)->payload, payload);
  EXPECT_EQ((*message)->Header("b"), value);

  EXPECT_EQ(Refusal(Message("", 131'073, 200'000)),
            "the headers of an event are 131073 bytes; the limit is 131072");
  EXPECT_EQ(Refusal(Message("", 0, 16 + (16u << 20) + 1)),
            "the payload of an event is 16777217 bytes; the limit is 16777216");
  EXPECT_EQ(Refusal(Message("", 10, 25)),
            "an event is 25 bytes, less than its headers (10) take");
  EXPECT_THAT(Refusal(Message("", 0, 0)), HasSubstr("an event is 0 bytes"));
  EXPECT_THAT(Refusal(Message("", UINT32_MAX, UINT32_MAX)),
              HasSubstr("the headers of an event are 4294967295 bytes"));
}

TEST(EventStreamTest, RefusesHeadersItCannotRead) {
  using std::string_literals::operator""s;
  EXPECT_THAT(Refusal(Message("\0\7\0\0"s)), HasSubstr("has no name"));
  for (const std::string& cut : {"\0"s, "\1"s, "\1a"s, "\1a\7"s, "\1a\7\0"s,
                                 "\1a\7\0\1"s, "\1a\7\0\0\5b"s}) {
    EXPECT_THAT(Refusal(Message(cut)), HasSubstr("cut short"));
  }
  EXPECT_THAT(Refusal(Message("\1a\10\0\0\0\0\0\0\0\0"s)),
              HasSubstr("of type 8; only strings (7) are read"));
}

TEST(EventStreamDeathTest, StopsTheProcessOnAMessageOverTheLimits) {
  EXPECT_DEATH(EncodeEventMessage(
                   {}, absl::Cord(std::string(kEventPayloadBytesMax + 1, 'p'))),
               "CHECK failed");
  EXPECT_DEATH(EncodeEventMessage({{"", "value"}}, absl::Cord()),
               "CHECK failed");
  EXPECT_DEATH(EncodeEventMessage({{"a", std::string(65'536, 'v')}}, {}),
               "CHECK failed");
}

}  // namespace
}  // namespace trireme
