#include "replication/peer_connection.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "replication/wire.h"
#include "spdlog/spdlog.h"
#include "storage/named_thread.h"

namespace trireme {
namespace {

constexpr absl::Duration kReconnectAfter = absl::Milliseconds(200);
// Larger envelopes are sent in several messages of about this size.
constexpr uint64_t kMessageBytes = 4u << 20;

std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetMaxReceiveMessageSize(-1);
  // A peer that was cut off without a word is noticed within seconds, and one
  // that came back is tried at once.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 5000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  // Peers get a connection each, also when two share an address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

}  // namespace

// One life of the stream. The read that is always pending fails when the
// stream breaks, so an idle connection notices too.
class PeerConnection::Stream
    : public grpc::ClientBidiReactor<v1::Envelope, v1::ExchangeResponse> {
 public:
  explicit Stream(PeerConnection* connection) : connection_(connection) {
    context_.AddMetadata(kClusterMetadata, connection_->cluster_);
    connection_->stub_->async()->Exchange(&context_, this);
    StartRead(&response_);
    StartCall();
  }

  // Sends what TakeQueued put into message().
  void Write() { StartWrite(&message_); }
  v1::Envelope* message() { return &message_; }
  void Cancel() { context_.TryCancel(); }

  grpc::Status WaitUntilDone() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&done_));
    return status_;
  }

  void OnReadInitialMetadataDone(bool ok) override {
    if (ok) connection_->OnConnected(this);
  }
  void OnWriteDone(bool ok) override { connection_->OnWriteDone(this, ok); }
  void OnReadDone(bool ok) override {
    if (ok) return StartRead(&response_);
    // No write may be started from here on.
    connection_->OnBroken();
  }
  void OnDone(const grpc::Status& status) override {
    absl::MutexLock lock(&mu_);
    status_ = status;
    done_ = true;
  }

 private:
  PeerConnection* const connection_;
  grpc::ClientContext context_;
  v1::ExchangeResponse response_;
  v1::Envelope message_;  // Being written.

  absl::Mutex mu_;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
};

PeerConnection::PeerConnection(
    const std::string& cluster, NodeId peer, const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    uint64_t queued_bytes_max)
    : cluster_(cluster),
      peer_(peer),
      queued_bytes_max_(queued_bytes_max),
      channel_(MakeChannel(address, credentials)),
      stub_(v1::Replication::NewStub(channel_)) {}

PeerConnection::~PeerConnection() { Stop(); }

void PeerConnection::Start(EnvelopeReceiver* receiver) {
  receiver_ = receiver;
  thread_ =
      NamedThread(absl::StrCat("peer-", peer_.value()), [this] { Run(); });
}

void PeerConnection::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    if (stream_ != nullptr) stream_->Cancel();
  }
  stop_.Set();
  if (thread_.joinable()) thread_.join();
}

void PeerConnection::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      broken_ = writing_ = false;
    }
    Stream stream(this);
    {
      absl::MutexLock lock(&mu_);
      stream_ = &stream;
      if (stopping_) stream.Cancel();
    }
    const grpc::Status status = stream.WaitUntilDone();
    bool was_connected = false;
    {
      absl::MutexLock lock(&mu_);
      stream_ = nullptr;
      connected_ = false;
      was_connected = std::exchange(was_connected_, false);
      queue_.clear();
      queued_bytes_ = 0;
    }
    if (was_connected) {
      spdlog::info("connection to node {} lost: {}", peer_.value(),
                   status.error_message());
      receiver_->ConnectionLost(peer_);
    }
    if (stop_.WaitFor(kReconnectAfter)) return;
  }
}

void PeerConnection::OnConnected(Stream* stream) {
  spdlog::info("connected to node {}", peer_.value());
  absl::MutexLock lock(&mu_);
  // It may have broken before we hear that it was open.
  if (broken_) return;
  stream_ = stream;
  connected_ = was_connected_ = true;
}

void PeerConnection::OnBroken() {
  absl::MutexLock lock(&mu_);
  broken_ = true;
  connected_ = false;
}

void PeerConnection::OnWriteDone(Stream* stream, bool ok) {
  absl::MutexLock lock(&mu_);
  writing_ = false;
  if (ok) MaybeWrite(stream);
}

bool PeerConnection::Send(Envelope envelope) {
  const uint64_t bytes = SizeOf(envelope);
  absl::MutexLock lock(&mu_);
  if (!connected_ || queued_bytes_ > queued_bytes_max_) return false;
  queued_bytes_ += bytes;
  queue_.push_back(std::move(envelope));
  MaybeWrite(stream_);
  return true;
}

void PeerConnection::MaybeWrite(Stream* stream) {
  if (writing_ || !connected_ || queue_.empty()) return;
  // All that waits goes as one message, up to a size that keeps memory and
  // the receiver's turns even.
  Envelope merged = std::move(queue_.front());
  uint64_t bytes = SizeOf(merged);
  queued_bytes_ -= bytes;
  size_t taken = 1;
  for (; taken < queue_.size() && bytes < kMessageBytes; ++taken) {
    const uint64_t more = SizeOf(queue_[taken]);
    bytes += more;
    queued_bytes_ -= more;
    Merge(std::move(queue_[taken]), &merged);
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(taken));
  *stream->message() = EncodeEnvelope(merged);
  writing_ = true;
  stream->Write();
}

void PeerConnection::Merge(Envelope from, Envelope* into) {
  const auto append = [](auto& source, auto& target) {
    std::move(source.begin(), source.end(), std::back_inserter(target));
  };
  append(from.messages, into->messages);
  append(from.proposals, into->proposals);
  append(from.outcomes, into->outcomes);
  append(from.reads, into->reads);
  append(from.read_indexes, into->read_indexes);
  if (from.report != nullptr) into->report = std::move(from.report);
}

uint64_t PeerConnection::SizeOf(const Envelope& envelope) {
  constexpr uint64_t kOverheadBytes = 64;
  uint64_t bytes = kOverheadBytes;
  for (const auto& [group, message] : envelope.messages) {
    bytes += kOverheadBytes;
    for (const raft::Entry& entry : message.entries) {
      bytes += kOverheadBytes + entry.payload_bytes;
    }
  }
  for (const ForwardedProposal& proposal : envelope.proposals) {
    bytes += kOverheadBytes + proposal.body->bytes();
  }
  return bytes + kOverheadBytes * envelope.outcomes.size();
}

}  // namespace trireme
