#include "replication/grpc_transport.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "replication/listen_check.h"
#include "replication/peer_connection.h"
#include "replication/pulls.h"
#include "replication/wire.h"
#include "spdlog/spdlog.h"
#include "storage/status_macros.h"
#include "trireme/v1/replication.grpc.pb.h"

namespace trireme {

namespace {

constexpr absl::Duration kIntroduceTimeout = absl::Seconds(2);
// A whole shard's pull may take long; a silent peer must not hold it for ever.
constexpr absl::Duration kPullTimeout = absl::Hours(6);

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()),
          std::string(status.message())};
}

absl::Status FromGrpc(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()),
          status.error_message()};
}

// A pull seen from the replica that lags.
class PulledSource : public StateSource {
 public:
  PulledSource(Pulls* pulls, v1::Replication::Stub* stub,
               const std::string& cluster, GroupId group,
               absl::string_view held)
      : pulls_(pulls) {
    pulls_->Add(&context_);
    context_.AddMetadata(kClusterMetadata, cluster);
    context_.set_deadline(absl::ToChronoTime(absl::Now() + kPullTimeout));
    v1::PullStateRequest request;
    request.set_group(group.value());
    request.set_held(std::string(held));
    reader_ = stub->PullState(&context_, request);
  }
  ~PulledSource() override {
    pulls_->Remove(&context_);
    context_.TryCancel();
  }

  absl::Status ReadPosition() {
    v1::PullStateChunk first;
    if (!reader_->Read(&first)) {
      const grpc::Status status = reader_->Finish();
      return status.ok() ? absl::DataLossError("the peer sent no position")
                         : FromGrpc(status);
    }
    position_ = {first.index(), first.term(), first.stamp_ms()};
    return absl::OkStatus();
  }

  AppliedPosition position() const override { return position_; }

  absl::StatusOr<std::string> Next() override {
    v1::PullStateChunk chunk;
    if (reader_->Read(&chunk)) return std::move(*chunk.mutable_chunk());
    const grpc::Status status = reader_->Finish();
    if (!status.ok()) return FromGrpc(status);
    return "";
  }

 private:
  Pulls* const pulls_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::PullStateChunk>> reader_;
  AppliedPosition position_;
};

// A pull seen from the replica that serves it: one chunk at a time, as the
// connection takes them.
class ServedPull : public grpc::ServerWriteReactor<v1::PullStateChunk> {
 public:
  explicit ServedPull(absl::StatusOr<std::unique_ptr<StateSource>> source) {
    if (!source.ok()) {
      Finish(ToGrpc(source.status()));
      return;
    }
    source_ = *std::move(source);
    const AppliedPosition position = source_->position();
    chunk_.set_index(position.index);
    chunk_.set_term(position.term);
    chunk_.set_stamp_ms(position.stamp_ms);
    StartWrite(&chunk_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    absl::StatusOr<std::string> next = source_->Next();
    if (!next.ok()) return Finish(ToGrpc(next.status()));
    if (next->empty()) return Finish(grpc::Status::OK);
    chunk_.Clear();
    chunk_.set_chunk(*std::move(next));
    StartWrite(&chunk_);
  }
  void OnDone() override { delete this; }

 private:
  std::unique_ptr<StateSource> source_;
  v1::PullStateChunk chunk_;
};

}  // namespace

// The service that peers call.
class ExchangeReceiver : public v1::Replication::CallbackService {
 public:
  explicit ExchangeReceiver(const Formation* formation)
      : formation_(formation) {}

  void Connect(EnvelopeReceiver* receiver, ReplicatedState* state) {
    absl::MutexLock lock(&mu_);
    receiver_ = receiver;
    state_ = state;
  }

  grpc::ServerBidiReactor<v1::Envelope, v1::ExchangeResponse>* Exchange(
      grpc::CallbackServerContext*) override;

  grpc::ServerUnaryReactor* Introduce(grpc::CallbackServerContext* context,
                                      const v1::NodeIdentity*,
                                      v1::NodeIdentity* response) override {
    *response = EncodeIdentity(formation_->Describe());
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  // PermissionDenied to a node of another cluster.
  absl::Status CheckCluster(const grpc::CallbackServerContext& context) const {
    const auto& metadata = context.client_metadata();
    const auto found = metadata.find(kClusterMetadata);
    const std::string ours = formation_->Describe().cluster;
    if (found != metadata.end() &&
        std::string(found->second.data(), found->second.size()) == ours) {
      return absl::OkStatus();
    }
    return absl::PermissionDeniedError(
        absl::StrCat("this node is of cluster '", ours, "'"));
  }

  grpc::ServerWriteReactor<v1::PullStateChunk>* PullState(
      grpc::CallbackServerContext* context,
      const v1::PullStateRequest* request) override {
    if (const absl::Status status = CheckCluster(*context); !status.ok()) {
      return new ServedPull(status);
    }
    if (request->group() >= formation_->Describe().group_count) {
      return new ServedPull(absl::InvalidArgumentError(
          absl::StrCat("there is no group ", request->group())));
    }
    ReplicatedState* state;
    {
      absl::MutexLock lock(&mu_);
      state = state_;
    }
    if (state == nullptr) {
      return new ServedPull(absl::UnavailableError("the node is starting"));
    }
    return new ServedPull(
        state->OpenSource(GroupId(request->group()), request->held()));
  }

  absl::Status Deliver(v1::Envelope& message) {
    absl::StatusOr<Envelope> envelope = DecodeEnvelope(message);
    if (!envelope.ok()) return envelope.status();
    absl::ReaderMutexLock lock(&mu_);
    if (receiver_ == nullptr) {
      return absl::UnavailableError("the node is starting or stopping");
    }
    receiver_->Receive(*std::move(envelope));
    return absl::OkStatus();
  }

  bool connected() {
    absl::ReaderMutexLock lock(&mu_);
    return receiver_ != nullptr;
  }

 private:
  const Formation* const formation_;  // Set at construction.

  absl::Mutex mu_;
  EnvelopeReceiver* receiver_ ABSL_GUARDED_BY(mu_) = nullptr;
  ReplicatedState* state_ ABSL_GUARDED_BY(mu_) = nullptr;
};

namespace {

// One peer's Exchange stream, seen from the receiver.
class ServedExchange
    : public grpc::ServerBidiReactor<v1::Envelope, v1::ExchangeResponse> {
 public:
  ServedExchange(ExchangeReceiver* service,
                 const grpc::CallbackServerContext& context)
      : service_(service) {
    if (const absl::Status status = service_->CheckCluster(context);
        !status.ok()) {
      Finish(ToGrpc(status));
      return;
    }
    if (!service_->connected()) {
      Finish({grpc::StatusCode::UNAVAILABLE, "the node is starting"});
      return;
    }
    StartSendInitialMetadata();
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    if (const absl::Status status = service_->Deliver(message_); !status.ok()) {
      // What arrives while this node stops is nobody's fault.
      spdlog::log(absl::IsUnavailable(status) ? spdlog::level::debug
                                              : spdlog::level::warn,
                  "an envelope from node {} was refused: {}", message_.from(),
                  status.ToString());
      return Finish(ToGrpc(status));
    }
    StartRead(&message_);
  }
  void OnDone() override { delete this; }

 private:
  ExchangeReceiver* const service_;
  v1::Envelope message_;
};

}  // namespace

grpc::ServerBidiReactor<v1::Envelope, v1::ExchangeResponse>*
ExchangeReceiver::Exchange(grpc::CallbackServerContext* context) {
  return new ServedExchange(this, *context);
}

GrpcTransport::GrpcTransport(const GrpcTransportOptions& options)
    : options_(options), pulls_(std::make_unique<Pulls>()) {}

absl::StatusOr<std::unique_ptr<GrpcTransport>> GrpcTransport::Start(
    const GrpcTransportOptions& options, const Formation* formation) {
  RETURN_IF_ERROR(CheckCanListen(options.listen));
  std::unique_ptr<GrpcTransport> transport(new GrpcTransport(options));
  transport->service_ = std::make_unique<ExchangeReceiver>(formation);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.listen, options.server_credentials, &port);
  builder.RegisterService(transport->service_.get());
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  // Two processes must never share the address by accident.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  transport->server_ = builder.BuildAndStart();
  if (transport->server_ == nullptr || port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot serve peers on ", options.listen));
  }
  for (const auto& [peer, address] : options.peers) {
    transport->connections_[peer] = std::make_unique<PeerConnection>(
        options.cluster, peer, address, options.channel_credentials,
        options.queued_bytes_max);
  }
  return transport;
}

GrpcTransport::~GrpcTransport() { Stop(); }

void GrpcTransport::Connect(EnvelopeReceiver* receiver,
                            ReplicatedState* state) {
  service_->Connect(receiver, state);
  for (auto& [peer, connection] : connections_) connection->Start(receiver);
}

void GrpcTransport::StopPulls() { pulls_->Stop(); }

void GrpcTransport::Stop() {
  StopPulls();
  for (auto& [peer, connection] : connections_) connection->Stop();
  service_->Connect(nullptr, nullptr);
  if (server_ != nullptr) {
    server_->Shutdown(absl::ToChronoTime(absl::Now()));
    server_.reset();
  }
}

absl::StatusOr<Identity> GrpcTransport::Introduce(NodeId peer) {
  const auto connection = connections_.find(peer);
  if (connection == connections_.end()) {
    return absl::NotFoundError(absl::StrCat("no peer ", peer.value()));
  }
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kIntroduceTimeout));
  v1::NodeIdentity answer;
  const grpc::Status status =
      connection->second->stub()->Introduce(&context, {}, &answer);
  if (!status.ok()) return FromGrpc(status);
  return DecodeIdentity(answer);
}

bool GrpcTransport::Send(NodeId to, Envelope envelope) {
  const auto connection = connections_.find(to);
  return connection != connections_.end() &&
         connection->second->Send(std::move(envelope));
}

absl::StatusOr<std::unique_ptr<StateSource>> GrpcTransport::PullState(
    NodeId from, GroupId group, absl::string_view held) {
  const auto connection = connections_.find(from);
  if (connection == connections_.end()) {
    return absl::NotFoundError(absl::StrCat("no peer ", from.value()));
  }
  auto source = std::make_unique<PulledSource>(
      pulls_.get(), connection->second->stub(), options_.cluster, group, held);
  RETURN_IF_ERROR(source->ReadPosition());
  return source;
}

}  // namespace trireme
