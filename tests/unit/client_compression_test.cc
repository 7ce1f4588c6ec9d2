#include <gtest/gtest.h>
#include <zstd.h>

#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/aggregation.h"
#include "client/compression.h"
#include "client/error.h"
#include "client/unpack.h"

namespace trireme::client {
namespace {

std::string Text(size_t lines) {
  std::string text;
  for (size_t i = 0; i < lines; ++i) absl::StrAppend(&text, "order ", i, "\n");
  return text;
}

std::string Noise(size_t bytes) {
  absl::BitGen random;
  std::string noise(bytes, '\0');
  for (char& c : noise) c = static_cast<char>(absl::Uniform(random, 0, 256));
  return noise;
}

// As a program does that knows nothing of us; without a content size when
// `streamed`.
std::string Frame(const std::string& data, bool streamed = false) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, streamed ? 0 : 1);
  std::string frame(ZSTD_compressBound(data.size()), '\0');
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), data.data(),
                              data.size()));
  ZSTD_freeCCtx(context);
  return frame;
}

TEST(CompressionTest, WhatIsCompressedComesBack) {
  Compressor compressor(3);
  for (const std::string& data : {Text(10), Text(100'000), Text(30)}) {
    const auto compressed = compressor.Compress(data);
    ASSERT_TRUE(compressed.has_value());
    EXPECT_LT(compressed->size(), data.size());
    EXPECT_TRUE(MayBeCompressed(*compressed));
    EXPECT_EQ(Decompress(*compressed).value(), data);
  }
}

TEST(CompressionTest, WhatWouldNotBeSmallerStaysAsItIs) {
  Compressor compressor(3);
  EXPECT_FALSE(compressor.Compress("").has_value());
  EXPECT_FALSE(compressor.Compress("order 1").has_value());
  EXPECT_FALSE(compressor.Compress(Noise(10'000)).has_value());
}

TEST(CompressionTest, DataThatLooksCompressedComesBackAsItWas) {
  Compressor compressor(3);
  for (const std::string& data :
       {Frame(Text(10)), Frame(Noise(100)), std::string("\x28\xB5\x2F\xFD"),
        "\x28\xB5\x2F\xFD" + std::string(9 << 20, '0')}) {
    const auto compressed = compressor.Compress(data);
    ASSERT_TRUE(compressed.has_value());
    EXPECT_EQ(Decompress(*compressed).value(), data);
  }
}

TEST(CompressionTest, NothingIsCompressedMoreThanAReaderTakes) {
  Compressor compressor(3);
  EXPECT_FALSE(compressor.Compress(std::string(10 << 20, '0')).has_value());
  const auto little = compressor.Compress(std::string(5'000, '0'));
  ASSERT_TRUE(little.has_value());
  EXPECT_EQ(Decompress(*little).value(), std::string(5'000, '0'));
}

TEST(CompressionTest, DataThatIsNotOneWholeFrameIsGivenAsItIs) {
  const std::string frame = Frame(Text(100));
  for (const std::string& data :
       {std::string(), std::string("plain"), frame.substr(0, 4),
        frame.substr(0, frame.size() / 2), frame.substr(0, frame.size() - 1),
        frame + "x", frame + frame, absl::StrCat("\x28\xB5\x2F\xFD", "xyz")}) {
    EXPECT_EQ(Decompress(data).value(), data);
  }
}

TEST(CompressionTest, FramesThatDoNotSayTheirSizeAreRead) {
  const std::string text = Text(200'000);
  EXPECT_EQ(Decompress(Frame(text, /*streamed=*/true)).value(), text);
  EXPECT_EQ(Decompress(Frame("", /*streamed=*/true)).value(), "");
}

TEST(CompressionTest, AFewBytesDoNotBecomeMany) {
  const std::string zeros(4 << 20, '\0');
  for (const bool streamed : {false, true}) {
    const auto too_many = Decompress(Frame(zeros, streamed));
    EXPECT_TRUE(absl::IsResourceExhausted(too_many.status()));
    EXPECT_EQ(Reason(too_many.status()), kDecompressedTooLarge);
  }
}

TEST(CompressionTest, DecompressedDataHasALimit) {
  std::string data = Text(200'000);
  while (data.size() <= kDecompressedBytesMax) data += data;
  data.resize(kDecompressedBytesMax);
  data.back() = 'x';
  EXPECT_EQ(Decompress(Frame(data, /*streamed=*/true)).value().size(),
            kDecompressedBytesMax);
  data += 'x';
  EXPECT_FALSE(Decompress(Frame(data, /*streamed=*/true)).ok());
  EXPECT_FALSE(Decompress(Frame(data)).ok());
}

TEST(UnpackTest, DecompressesThenDeaggregates) {
  Aggregate aggregate;
  for (int i = 0; i < 100; ++i) {
    aggregate.Add({"k", Text(1), absl::StrCat(i)});
  }
  v1::Record record;
  record.set_data(Frame(aggregate.Encode()));
  std::vector<UserRecord> records;
  const HashKeyRange range{0, 99};
  EXPECT_TRUE(Unpack(record, &range, &records).ok());
  ASSERT_EQ(records.size(), 100u);
  EXPECT_EQ(records[10].position.sub_sequence_number, 10u);
  EXPECT_EQ(records[0].data, Text(1));
  record.set_data(Frame(std::string(4 << 20, '\0')));
  EXPECT_EQ(Reason(Unpack(record, &range, &records)), kDecompressedTooLarge);
  EXPECT_EQ(records.size(), 100u);
}

}  // namespace
}  // namespace trireme::client
