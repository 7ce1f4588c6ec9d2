#include "replication/grpc_transport.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "gtest/gtest.h"
#include "replication/peer_connection.h"
#include "replication/wire.h"
#include "storage/entry_payload.h"
#include "tests/free_ports.h"
#include "tests/sim/sim_state.h"
#include "trireme/v1/replication.grpc.pb.h"

namespace trireme {
namespace {

constexpr uint32_t kGroups = 3;
constexpr GroupId kGroup{1};
constexpr char kCluster[] = "test";
constexpr absl::Duration kPatience = absl::Seconds(20);

// Keeps what arrives. Envelopes are told by the numbers of their reads, as
// those that wait together are merged.
class Receiver : public EnvelopeReceiver {
 public:
  void Receive(Envelope envelope) override {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(
        +[](bool* held) { return !*held; }, &held_));
    ++envelopes_;
    for (const ForwardedRead& read : envelope.reads) {
      numbers_.push_back(read.request);
    }
    from_ = envelope.from;
  }
  void ConnectionLost(NodeId peer) override {
    absl::MutexLock lock(&mu_);
    lost_.push_back(peer);
  }

  // Makes the receiver's threads stand still.
  void Hold(bool held) {
    absl::MutexLock lock(&mu_);
    held_ = held;
  }
  std::vector<uint64_t> AwaitNumbers(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto enough = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return numbers_.size() >= count;
    };
    mu_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
    return numbers_;
  }
  std::vector<NodeId> AwaitLost(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto enough = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return lost_.size() >= count;
    };
    mu_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
    return lost_;
  }
  size_t envelopes() {
    absl::MutexLock lock(&mu_);
    return envelopes_;
  }
  NodeId from() {
    absl::MutexLock lock(&mu_);
    return from_;
  }

 private:
  absl::Mutex mu_;
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  size_t envelopes_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<uint64_t> numbers_ ABSL_GUARDED_BY(mu_);
  std::vector<NodeId> lost_ ABSL_GUARDED_BY(mu_);
  NodeId from_ ABSL_GUARDED_BY(mu_);
};

Envelope Numbered(uint64_t number) {
  Envelope envelope;
  envelope.from = NodeId(1);
  envelope.reads.push_back({number, kGroup});
  return envelope;
}

// One that weighs as much as a proposal of this many bytes.
Envelope Heavy(uint64_t number, size_t bytes) {
  Envelope envelope = Numbered(number);
  ForwardedProposal& proposal = envelope.proposals.emplace_back();
  auto body = std::make_shared<ProposalBody>();
  body->command.assign(bytes, 'c');
  proposal.body = std::move(body);
  return envelope;
}

std::vector<uint64_t> UpTo(uint64_t count) {
  std::vector<uint64_t> numbers;
  for (uint64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

// Nodes 1 and 2 on loopback; what node 1 sends arrives at node 2.
class GrpcTransportTest : public ::testing::Test {
 protected:
  struct Node {
    std::unique_ptr<Formation> formation;
    std::unique_ptr<Receiver> receiver;
    std::unique_ptr<GrpcTransport> transport;
  };

  void TearDown() override {
    for (auto& [id, node] : nodes_) node.receiver->Hold(false);
    nodes_.clear();
  }

  std::string AddressOf(uint32_t id) const {
    return absl::StrCat("127.0.0.1:", ports_[id - 1]);
  }

  // Listens; says nothing before Connect.
  Node& Start(uint32_t id, const std::string& cluster = kCluster) {
    Node& node = nodes_[id];
    node.transport.reset();
    Identity identity;
    identity.cluster = cluster;
    identity.node = NodeId(id);
    identity.group_count = kGroups;
    identity.incarnation = 100 + id;
    node.formation = std::make_unique<Formation>(
        identity, std::vector<NodeId>{NodeId(1), NodeId(2)});
    node.receiver = std::make_unique<Receiver>();
    GrpcTransportOptions options;
    options.cluster = cluster;
    options.self = NodeId(id);
    options.listen = AddressOf(id);
    options.peers[NodeId(3 - id)] = AddressOf(3 - id);
    options.queued_bytes_max = queued_bytes_max_;
    options.server_credentials = grpc::InsecureServerCredentials();
    options.channel_credentials = grpc::InsecureChannelCredentials();
    auto transport = GrpcTransport::Start(options, node.formation.get());
    EXPECT_TRUE(transport.ok()) << transport.status();
    node.transport = *std::move(transport);
    return node;
  }
  void Connect(uint32_t id, ReplicatedState* state = nullptr) {
    nodes_[id].transport->Connect(nodes_[id].receiver.get(), state);
  }
  void StartBoth(ReplicatedState* state_of_2 = nullptr) {
    Start(1);
    Start(2);
    Connect(1);
    Connect(2, state_of_2);
  }

  bool Send(Envelope envelope) {
    return nodes_[1].transport->Send(NodeId(2), std::move(envelope));
  }
  // Nothing tells when a connection is there but that it takes something.
  void SendOnceConnected(uint64_t number) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (!Send(Numbered(number))) {
      ASSERT_LT(absl::Now(), deadline) << "no connection";
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  // What node 2 answers to one envelope from somebody who says that he is of
  // `cluster`.
  grpc::Status ExchangeOne(const std::string& cluster,
                           const v1::Envelope& envelope) {
    const auto stub = v1::Replication::NewStub(
        grpc::CreateChannel(AddressOf(2), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.AddMetadata(kClusterMetadata, cluster);
    const auto stream = stub->Exchange(&context);
    stream->Write(envelope);
    // Nothing is ever answered but the end.
    v1::ExchangeResponse ignored;
    EXPECT_FALSE(stream->Read(&ignored));
    return stream->Finish();
  }

  const std::vector<int> ports_ = FreePorts(2);
  uint64_t queued_bytes_max_ = 64u << 20;
  std::map<uint32_t, Node> nodes_;
};

TEST_F(GrpcTransportTest, EnvelopesArriveInTheOrderTheyWereSent) {
  constexpr uint64_t kCount = 3000;
  StartBoth();
  SendOnceConnected(0);
  for (uint64_t i = 1; i < kCount; ++i) ASSERT_TRUE(Send(Numbered(i)));
  EXPECT_EQ(nodes_[2].receiver->AwaitNumbers(kCount), UpTo(kCount));
  EXPECT_EQ(nodes_[2].receiver->from(), NodeId(1));
}

TEST_F(GrpcTransportTest, APeerThatTakesNothingHoldsABoundedQueue) {
  constexpr size_t kEnvelopeBytes = 256u << 10;
  // What the sockets and windows between the two may hold.
  constexpr uint64_t kOnTheWayMax = 128u << 20;
  queued_bytes_max_ = 4u << 20;
  StartBoth();
  SendOnceConnected(0);
  nodes_[2].receiver->AwaitNumbers(1);
  nodes_[2].receiver->Hold(true);
  uint64_t sent = 1;
  while (Send(Heavy(sent, kEnvelopeBytes))) {
    ++sent;
    ASSERT_LT(sent * kEnvelopeBytes, kOnTheWayMax + queued_bytes_max_);
  }
  EXPECT_GE(sent * kEnvelopeBytes, queued_bytes_max_);
  nodes_[2].receiver->Hold(false);
  // What was taken arrives, in order, in fewer messages than it was sent in.
  EXPECT_EQ(nodes_[2].receiver->AwaitNumbers(sent), UpTo(sent));
  EXPECT_LT(nodes_[2].receiver->envelopes(), sent);
  SendOnceConnected(sent);
  EXPECT_EQ(nodes_[2].receiver->AwaitNumbers(sent + 1), UpTo(sent + 1));
}

TEST_F(GrpcTransportTest, ALostConnectionIsReportedAndMadeAgain) {
  StartBoth();
  SendOnceConnected(0);
  nodes_[2].receiver->AwaitNumbers(1);
  nodes_[2].transport->Stop();
  EXPECT_EQ(nodes_[1].receiver->AwaitLost(1), std::vector<NodeId>{NodeId(2)});
  EXPECT_FALSE(Send(Numbered(1)));
  Start(2);
  Connect(2);
  SendOnceConnected(2);
  EXPECT_EQ(nodes_[2].receiver->AwaitNumbers(1), std::vector<uint64_t>{2});
}

TEST_F(GrpcTransportTest, NobodyIsCalledAfterStop) {
  StartBoth();
  SendOnceConnected(0);
  nodes_[2].receiver->AwaitNumbers(1);
  nodes_[1].transport->Stop();
  EXPECT_FALSE(Send(Numbered(1)));
  nodes_[2].transport->Stop();
  nodes_[1].receiver = std::make_unique<Receiver>();
  nodes_[2].receiver = std::make_unique<Receiver>();
}

TEST_F(GrpcTransportTest, ANodeOfAnotherClusterExchangesNoWord) {
  StartBoth();
  const v1::Envelope envelope = EncodeEnvelope(Numbered(0));
  const grpc::Status status = ExchangeOne("another", envelope);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(absl::StrContains(status.error_message(), kCluster))
      << status.error_message();
  EXPECT_EQ(nodes_[2].receiver->envelopes(), 0u);
}

TEST_F(GrpcTransportTest, AMalformedEnvelopeEndsItsStream) {
  StartBoth();
  v1::Envelope envelope = EncodeEnvelope(Numbered(0));
  envelope.add_messages()->set_type(99);
  EXPECT_EQ(ExchangeOne(kCluster, envelope).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(nodes_[2].receiver->envelopes(), 0u);
}

TEST_F(GrpcTransportTest, BeforeItIsConnectedANodeOnlySaysWhoItIs) {
  Start(1);
  Start(2);
  EXPECT_EQ(ExchangeOne(kCluster, EncodeEnvelope(Numbered(0))).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  const auto source = nodes_[1].transport->PullState(NodeId(2), kGroup, "");
  EXPECT_TRUE(absl::IsUnavailable(source.status())) << source.status();
  const absl::StatusOr<Identity> identity =
      nodes_[1].transport->Introduce(NodeId(2));
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->cluster, kCluster);
  EXPECT_EQ(identity->node, NodeId(2));
  EXPECT_EQ(identity->incarnation, 102u);
  EXPECT_FALSE(identity->formed);
}

TEST_F(GrpcTransportTest, AStrangerIsNoPeer) {
  StartBoth();
  const NodeId stranger(9);
  EXPECT_FALSE(nodes_[1].transport->Send(stranger, Numbered(0)));
  EXPECT_TRUE(
      absl::IsNotFound(nodes_[1].transport->Introduce(stranger).status()));
  EXPECT_TRUE(absl::IsNotFound(
      nodes_[1].transport->PullState(stranger, kGroup, "").status()));
}

TEST_F(GrpcTransportTest, AnAddressInUseIsNamed) {
  Start(1);
  GrpcTransportOptions options;
  options.listen = AddressOf(1);
  options.server_credentials = grpc::InsecureServerCredentials();
  const auto second = GrpcTransport::Start(options, nodes_[1].formation.get());
  EXPECT_EQ(second.status(), absl::UnavailableError(
                                 absl::StrCat("cannot listen on ", AddressOf(1),
                                              ": address already in use")));
}

// --- pulling a state ---

// A state that has no end, and tells when nobody pulls it any more.
class EndlessState : public sim::SimState {
 public:
  EndlessState() : SimState(NodeId(2), kGroups, nullptr) {}

  absl::StatusOr<std::unique_ptr<StateSource>> OpenSource(
      GroupId, absl::string_view) override {
    return std::make_unique<Source>(&ended_);
  }
  bool AwaitEnd() { return ended_.WaitForNotificationWithTimeout(kPatience); }

 private:
  class Source : public StateSource {
   public:
    explicit Source(absl::Notification* ended) : ended_(ended) {}
    ~Source() override { ended_->Notify(); }
    AppliedPosition position() const override { return {}; }
    absl::StatusOr<std::string> Next() override {
      return std::string(1u << 20, 'c');
    }

   private:
    absl::Notification* const ended_;
  };

  absl::Notification ended_;
};

// A state of some entries.
class GrpcTransportPullTest : public GrpcTransportTest {
 protected:
  GrpcTransportPullTest() {
    for (LogIndex i = 1; i <= 50; ++i) {
      const std::string command =
          sim::SimCommand(history_.NewRecord(), "note", ShardIndex(1));
      EXPECT_TRUE(theirs_
                      .Apply({kGroup, i, 1, true,
                              MakePayload(EncodeCommandPayload(7, command))})
                      .ok());
    }
  }

  sim::Events events_;
  sim::Trace trace_{&events_, false};
  sim::History history_{kGroups, &trace_};
  sim::SimState ours_{NodeId(1), kGroups, &history_};
  sim::SimState theirs_{NodeId(2), kGroups, &history_};
};

TEST_F(GrpcTransportPullTest, AStateComesInChunksWithItsPosition) {
  StartBoth(&theirs_);
  auto source = nodes_[1].transport->PullState(NodeId(2), kGroup,
                                               *ours_.DescribeHeld(kGroup));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->position().index, 50u);
  EXPECT_EQ((*source)->position().term, 1u);
  EXPECT_EQ((*source)->position().stamp_ms, 7);
  while (true) {
    const absl::StatusOr<std::string> chunk = (*source)->Next();
    ASSERT_TRUE(chunk.ok()) << chunk.status();
    if (chunk->empty()) break;
    ASSERT_TRUE(ours_.InstallChunk(kGroup, *chunk).ok());
  }
  ASSERT_TRUE(ours_.FinishInstall(kGroup, (*source)->position()).ok());
  EXPECT_EQ(ours_.Applied(kGroup).index, 50u);
}

TEST_F(GrpcTransportPullTest, APullIsRefusedToStrangersAndForUnknownGroups) {
  Start(1, "another");
  Start(2);
  Connect(2, &theirs_);
  const auto stranger = nodes_[1].transport->PullState(NodeId(2), kGroup, "0");
  EXPECT_TRUE(absl::IsPermissionDenied(stranger.status())) << stranger.status();
  nodes_[1].transport.reset();
  Start(1);
  const auto unknown =
      nodes_[1].transport->PullState(NodeId(2), GroupId(kGroups), "0");
  EXPECT_TRUE(absl::IsInvalidArgument(unknown.status())) << unknown.status();
}

TEST_F(GrpcTransportPullTest, APullFromANodeThatGoesFails) {
  EndlessState endless;
  StartBoth(&endless);
  auto source = nodes_[1].transport->PullState(NodeId(2), kGroup, "0");
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_TRUE((*source)->Next().ok());
  nodes_[2].transport->Stop();
  absl::StatusOr<std::string> chunk;
  do {
    chunk = (*source)->Next();
  } while (chunk.ok() && !chunk->empty());
  EXPECT_TRUE(absl::IsUnavailable(chunk.status()) ||
              absl::IsCancelled(chunk.status()))
      << chunk.status();
  source->reset();
  nodes_.clear();
}

// A state whose source falls silent.
class SilentState : public sim::SimState {
 public:
  SilentState() : SimState(NodeId(2), kGroups, nullptr) {}

  absl::StatusOr<std::unique_ptr<StateSource>> OpenSource(
      GroupId, absl::string_view) override {
    return std::make_unique<Source>(&released_);
  }
  void Release() { released_.Notify(); }

 private:
  class Source : public StateSource {
   public:
    explicit Source(absl::Notification* released) : released_(released) {}
    AppliedPosition position() const override { return {}; }
    absl::StatusOr<std::string> Next() override {
      released_->WaitForNotification();
      return std::string();
    }

   private:
    absl::Notification* const released_;
  };

  absl::Notification released_;
};

TEST_F(GrpcTransportPullTest, APullFromASilentNodeIsEndedByOurStop) {
  SilentState silent;
  StartBoth(&silent);
  GrpcTransport& transport = *nodes_[1].transport;
  auto source = transport.PullState(NodeId(2), kGroup, "0");
  ASSERT_TRUE(source.ok()) << source.status();
  std::thread stopper([&] { transport.StopPulls(); });
  const absl::StatusOr<std::string> chunk = (*source)->Next();
  EXPECT_TRUE(absl::IsCancelled(chunk.status())) << chunk.status();
  stopper.join();
  // Nor does a later one wait.
  EXPECT_TRUE(
      absl::IsCancelled(transport.PullState(NodeId(2), kGroup, "0").status()));
  silent.Release();
  source->reset();
  nodes_.clear();
}

TEST_F(GrpcTransportPullTest, APullThatIsGivenUpEndsAtItsSource) {
  EndlessState endless;
  StartBoth(&endless);
  auto source = nodes_[1].transport->PullState(NodeId(2), kGroup, "0");
  ASSERT_TRUE(source.ok()) << source.status();
  source->reset();
  EXPECT_TRUE(endless.AwaitEnd());
  nodes_.clear();
}

}  // namespace
}  // namespace trireme
