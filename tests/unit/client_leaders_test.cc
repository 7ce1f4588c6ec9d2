// Puts go straight to the node that leads the record's shard.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/producer.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::client {
namespace {

using testing::FakeTrireme;

// Of the thirds of the hash key space: shard n begins at its n-th.
constexpr const char* kHashKeys[] = {"1",
                                     "113427455640312821154458202477256070486",
                                     "226854911280625642308916404954512140971"};

// Three nodes; each leads one of the stream's three groups. Clients are given
// the first node only.
class LeadersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (FakeTrireme& node : nodes_) {
      auto client = ClientOf(node);
      ASSERT_TRUE(client->CreateStream("s", 3).ok());
      ASSERT_TRUE(client->DescribeStreamSummary("s").ok());
    }
    client_ = ClientOf(nodes_[0]);
    SetLeaders({0, 1, 2});
  }

  static std::unique_ptr<Client> ClientOf(const FakeTrireme& node) {
    auto client =
        Client::Create({.endpoints = {node.address()}, .credentials = nullptr});
    EXPECT_TRUE(client.ok());
    return *std::move(client);
  }

  // By group, which node leads it.
  void SetLeaders(std::array<int, 3> leaders) {
    std::map<uint32_t, std::string> addresses;
    for (uint32_t group = 1; group <= 3; ++group) {
      addresses[group] = nodes_[leaders[group - 1]].address();
    }
    for (FakeTrireme& node : nodes_) node.SetLeaders(addresses);
  }

  void Put(Producer& producer, int first, int count) {
    for (int i = first; i < first + count; ++i) {
      const int shard = i % 3;
      const absl::Status status = producer.Put(
          {absl::StrCat("key", shard), absl::StrCat(i), kHashKeys[shard], 0},
          [](absl::StatusOr<PutOutcome> outcome) {
            EXPECT_TRUE(outcome.ok()) << outcome.status();
          });
      ASSERT_TRUE(status.ok()) << status;
    }
    producer.Flush();
  }

  // What a node was sent, by key.
  std::map<std::string, std::vector<int>> At(int node) {
    std::map<std::string, std::vector<int>> sent;
    for (const v1::Record& record : nodes_[node].records("s")) {
      sent[record.partition_key()].push_back(std::stoi(record.data()));
    }
    return sent;
  }
  static std::vector<int> Numbers(int first, int end) {
    std::vector<int> numbers;
    for (int i = first; i < end; i += 3) numbers.push_back(i);
    return numbers;
  }

  // Deletes the stream everywhere, and makes it again.
  void Remake(const std::function<void()>& meanwhile) {
    for (FakeTrireme& node : nodes_) {
      auto client = ClientOf(node);
      ASSERT_TRUE(client->DeleteStream("s").ok());
      ASSERT_TRUE(client->WaitUntilGone("s", absl::Seconds(10)).ok());
    }
    meanwhile();
    for (FakeTrireme& node : nodes_) {
      ASSERT_TRUE(ClientOf(node)->CreateStream("s", 3).ok());
    }
  }

  std::array<FakeTrireme, 3> nodes_;
  std::unique_ptr<Client> client_;
};

using Sent = std::map<std::string, std::vector<int>>;

TEST_F(LeadersTest, AProducerSendsNoRecordToANodeThatDoesNotLeadIt) {
  Producer producer(*client_, {.stream_name = "s"});
  Put(producer, 0, 300);
  for (int node = 0; node < 3; ++node) {
    EXPECT_EQ(At(node),
              (Sent{{absl::StrCat("key", node), Numbers(node, 300)}}));
  }
}

TEST_F(LeadersTest, AProducerFollowsALeaderThatMovesAndKeepsTheOrder) {
  Producer producer(*client_, {.stream_name = "s", .request_records_max = 5});
  Put(producer, 0, 300);
  SetLeaders({2, 1, 2});
  client_->topology().LearnLeaders(absl::Now(), absl::InfiniteFuture());
  Put(producer, 300, 300);
  EXPECT_EQ(At(0), (Sent{{"key0", Numbers(0, 300)}}));
  EXPECT_EQ(At(1), (Sent{{"key1", Numbers(1, 600)}}));
  EXPECT_EQ(At(2),
            (Sent{{"key0", Numbers(300, 600)}, {"key2", Numbers(2, 600)}}));
}

TEST_F(LeadersTest, AnyNodeTakesWhatALeaderThatIsGoneCannot) {
  nodes_[2].Shutdown();
  Producer producer(*client_, {.stream_name = "s"});
  Put(producer, 0, 30);
  EXPECT_EQ(At(0), (Sent{{"key0", Numbers(0, 30)}, {"key2", Numbers(2, 30)}}));
  EXPECT_EQ(At(1), (Sent{{"key1", Numbers(1, 30)}}));
}

TEST_F(LeadersTest, AnAddressThatNobodyCanReachIsNotNeeded) {
  for (FakeTrireme& node : nodes_) {
    node.SetLeaders({{1, "nowhere.invalid:1"}, {2, "not an address"}});
  }
  Producer producer(*client_, {.stream_name = "s"});
  Put(producer, 0, 30);
  EXPECT_EQ(nodes_[0].records("s").size(), 30u);
}

TEST_F(LeadersTest, AStreamThatCannotBeListedStillTakesRecords) {
  nodes_[0].FailNext("ListShards",
                     testing::TypedError(grpc::StatusCode::INTERNAL,
                                         "InternalFailure", "as planned"));
  Producer producer(*client_, {.stream_name = "s"});
  Put(producer, 0, 30);
  EXPECT_EQ(nodes_[0].records("s").size(), 30u);
}

TEST_F(LeadersTest, SinglePutsGoStraightFromTheSecondOn) {
  const auto put = [&](int shard) {
    v1::PutRecordRequest request;
    request.set_stream_name("s");
    request.set_partition_key("k");
    request.set_explicit_hash_key(kHashKeys[shard]);
    EXPECT_TRUE(client_->PutRecord(request).ok());
  };
  put(2);
  EXPECT_EQ(nodes_[0].calls("PutRecord"), 1);
  EXPECT_EQ(nodes_[0].calls("ListShards"), 0);
  for (int i = 0; i < 9; ++i) put(i % 3);
  EXPECT_EQ(nodes_[0].calls("PutRecord"), 4);
  EXPECT_EQ(nodes_[1].calls("PutRecord"), 3);
  EXPECT_EQ(nodes_[2].calls("PutRecord"), 3);
  EXPECT_EQ(nodes_[0].calls("ListShards"), 1);
}

TEST_F(LeadersTest, AStreamThatIsMadeAgainIsLearnedAgain) {
  const auto put = [&] {
    v1::PutRecordRequest request;
    request.set_stream_name("s");
    request.set_partition_key("k");
    request.set_explicit_hash_key(kHashKeys[0]);
    return client_->PutRecord(request).status();
  };
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(put().ok());
  Producer producer(*client_, {.stream_name = "s"});
  Put(producer, 0, 3);
  EXPECT_EQ(nodes_[0].calls("ListShards"), 1);
  Remake([&] { EXPECT_TRUE(absl::IsNotFound(put())); });
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(put().ok());
  EXPECT_EQ(nodes_[0].calls("ListShards"), 2);
  Remake([&] {
    EXPECT_TRUE(absl::IsNotFound(
        producer.Put({"k", "x", kHashKeys[0], 0}).get().status()));
  });
  Put(producer, 0, 3);
  EXPECT_EQ(nodes_[0].calls("ListShards"), 3);
}

TEST_F(LeadersTest, SinglePutsGoElsewhereWhenTheLeaderIsGone) {
  v1::PutRecordsRequest request;
  request.set_stream_name("s");
  request.add_records()->set_partition_key("k");
  request.mutable_records(0)->set_explicit_hash_key(kHashKeys[1]);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(client_->PutRecords(request).ok());
  EXPECT_EQ(nodes_[1].calls("PutRecords"), 2);
  nodes_[1].Shutdown();
  // A call that breaks may have written; only one that was never sent is
  // repeated by itself.
  while (!client_->PutRecords(request).ok()) {
  }
  EXPECT_EQ(nodes_[0].calls("PutRecords"), 2);
}

}  // namespace
}  // namespace trireme::client
