#include "server/aws/message_reader.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "server/aws/message_tree.h"

namespace trireme {
namespace {

using nlohmann::json;

std::optional<json> ReadHex(absl::string_view hex) {
  return ReadMessage(MessageFormat::kCbor, absl::HexStringToBytes(hex));
}

TEST(MessageReaderTest, ReadsDefiniteAndIndefiniteCborAlike) {
  // {"a": [1, -2, "x"], "b": h'00ff', "c": null} in both forms; the text and
  // the bytes of the second come in chunks.
  const json definite = *ReadHex("a36161830121617861624200ff6163f6");
  const json indefinite =
      *ReadHex("bf61619f01217f6178ffff61625f410041ffff6163f6ff");
  EXPECT_EQ(definite, indefinite);
  EXPECT_EQ(definite["a"], json({1, -2, "x"}));
  EXPECT_EQ(definite["b"].get_binary(),
            json::binary_t(json::binary_t::container_type{0x00, 0xff}));
  EXPECT_TRUE(definite["c"].is_null());
}

TEST(MessageReaderTest, IgnoresTags) {
  const json message = *ReadHex("a16174c11b00000153e2db26d0");
  EXPECT_EQ(message["t"], 1'459'799'926'480);
}

TEST(MessageReaderTest, ReadsNumbersOfAllWidths) {
  const json message =
      *ReadHex("a46161f93c0061621b7fffffffffffffff61633903e76164fa3fc00000");
  EXPECT_EQ(message["a"], 1.0);
  EXPECT_EQ(message["b"], INT64_MAX);
  EXPECT_EQ(message["c"], -1000);
  EXPECT_EQ(message["d"], 1.5);
}

TEST(MessageReaderTest, RefusesWhatIsNoMessage) {
  for (const absl::string_view hex : {"",
                                      "01",
                                      "80",
                                      "a1",
                                      "a161",
                                      "a16161",
                                      "a10101",
                                      "bf6161ff",
                                      "ff",
                                      "a0a0",
                                      "bf",
                                      "9f",
                                      "a161610101",
                                      "a16161ff",
                                      "7f6161ff",
                                      "a1617f6161ff",
                                      "bf7f4161ff01ff",
                                      "a161615f6161ff",
                                      "a1616162c328",
                                      "bb7fffffffffffffff",
                                      "bbffffffffffffffff",
                                      "a161619bffffffffffffffff",
                                      "a161615bffffffffffffffff",
                                      "a16161fc",
                                      "a161613bffffffffffffffff"}) {
    EXPECT_FALSE(ReadHex(hex).has_value()) << hex;
  }
  for (const std::string text :
       {"", "1", "[]", "{", "{\"a\":}", "{}x", "{\"a\":\"\xff\"}", "null"}) {
    EXPECT_FALSE(ReadMessage(MessageFormat::kJson, text).has_value()) << text;
  }
}

TEST(MessageReaderTest, JsonIsReadAsItIsWritten) {
  const json message = *ReadMessage(
      MessageFormat::kJson,
      " {\"a\": [1, -2, 1.5e1, 18446744073709551615, true, null], "
      "\"\\u00e9\": \"\\ud83d\\ude00 \\\"\\n\", \"z\": \"a\\u0000b\"} \n");
  EXPECT_EQ(message["a"], json({1, -2, 15.0, UINT64_MAX, true, nullptr}));
  EXPECT_EQ(message["\xc3\xa9"], "\xf0\x9f\x98\x80 \"\n");
  EXPECT_EQ(message["z"], std::string("a\0b", 3));
  // A zero ends nothing.
  EXPECT_FALSE(ReadMessage(MessageFormat::kJson, std::string("{}\0", 3)));
  EXPECT_FALSE(ReadMessage(MessageFormat::kJson, "{\"a\": \"\\ud83d\"}"));
}

TEST(MessageReaderTest, BoundsTheDepthOfBothEncodings) {
  const std::string open_cbor(1'000'000, '\x81');
  EXPECT_FALSE(
      ReadMessage(MessageFormat::kCbor, "\xa1\x61\x61" + open_cbor + "\x01"));
  const std::string tags(1'000'000, '\xc1');
  EXPECT_TRUE(
      ReadMessage(MessageFormat::kCbor, "\xa1\x61\x61" + tags + "\x01"));
  const std::string open_json(1'000'000, '[');
  EXPECT_FALSE(ReadMessage(MessageFormat::kJson, "{\"a\":" + open_json));
  const auto nested = [](size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(ReadMessage(MessageFormat::kJson, nested(kMessageDepthMax - 1)));
  EXPECT_FALSE(ReadMessage(MessageFormat::kJson, nested(kMessageDepthMax)));
}

TEST(MessageReaderTest, BoundsHowManyValuesThereAre) {
  const auto many = [](size_t count) {
    std::string body = "{\"a\":[0";
    for (size_t i = 0; i + 3 < count; ++i) body += ",0";
    return body + "]}";
  };
  EXPECT_TRUE(ReadMessage(MessageFormat::kJson, many(kMessageNodesMax)));
  EXPECT_FALSE(ReadMessage(MessageFormat::kJson, many(kMessageNodesMax + 1)));
}

}  // namespace
}  // namespace trireme
