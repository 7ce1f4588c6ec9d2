#include "storage/record.h"

#include <vector>

#include "gtest/gtest.h"

namespace trireme {
namespace {

TEST(RecordTest, RecordsComeBackInOrder) {
  std::string batch;
  const std::string big(100'000, 'd');
  const std::vector<RecordView> records = {
      {"key", "data"}, {"k", ""}, {"other", big}};
  size_t expected_bytes = 0;
  for (const RecordView& record : records) {
    AppendRecord(record, &batch);
    expected_bytes += EncodedRecordBytes(record);
  }
  EXPECT_EQ(batch.size(), expected_bytes);
  RecordBatchReader reader(batch);
  RecordView record;
  for (const RecordView& expected : records) {
    ASSERT_TRUE(reader.Next(&record));
    EXPECT_EQ(record.partition_key, expected.partition_key);
    EXPECT_EQ(record.data, expected.data);
  }
  EXPECT_FALSE(reader.Next(&record));
  EXPECT_TRUE(reader.status().ok());
}

TEST(RecordTest, EveryCutIsNoticed) {
  std::string batch;
  AppendRecord({"key", "data"}, &batch);
  const size_t first = batch.size();
  AppendRecord({"key2", "data2"}, &batch);
  for (size_t size = 1; size < batch.size(); ++size) {
    RecordBatchReader reader(absl::string_view(batch).substr(0, size));
    RecordView record;
    while (reader.Next(&record)) {
    }
    EXPECT_EQ(reader.status().ok(), size == first) << size;
  }
}

TEST(RecordTest, RefusesFlagsOfLaterVersions) {
  std::string batch;
  AppendRecord({"key", "data"}, &batch);
  batch[2] = 1;
  RecordBatchReader reader(batch);
  RecordView record;
  EXPECT_FALSE(reader.Next(&record));
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace trireme
