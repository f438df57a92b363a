#include "tests/chaos/grpc_liar.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "peer/runtime/ids.h"
#include "xxhash.h"

namespace starling {
namespace {

std::unique_ptr<v1::PeerService::Stub> StubOf(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  return v1::PeerService::NewStub(grpc::CreateCustomChannel(
      address, grpc::InsecureChannelCredentials(), arguments));
}

void SetDeadline(grpc::ClientContext& context, absl::Duration patience = kPatience) {
  context.set_wait_for_ready(true);
  context.set_deadline(absl::ToChronoTime(absl::Now() + patience));
}

}  // namespace

void Fill(v1::ShardFrame& frame, float value) {
  const std::vector<float> values(frame.header().elements(), value);
  frame.set_payload(std::string(reinterpret_cast<const char*>(values.data()),
                                values.size() * sizeof(float)));
  frame.mutable_header()->set_payload_hash(
      XXH3_64bits(frame.payload().data(), frame.payload().size()));
}

Liar::Liar(const std::string& address, uint64_t parameters, Spoil in_reply)
    : parameters_(parameters), in_reply_(std::move(in_reply)) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(this);
  self_.set_peer_id(static_cast<uint64_t>(absl::ToUnixNanos(absl::Now())));
  self_.set_incarnation(2);
  self_.set_state(v1::PEER_STATE_ALIVE);

  auto stub = StubOf(address);
  v1::ControlResponse answer;
  {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::ControlRequest question = Request();
    question.mutable_get_run();
    const grpc::Status asked = stub->Control(&context, question, &answer);
    EXPECT_TRUE(asked.ok() && answer.has_run()) << asked.error_message();
  }
  run_id_ = answer.run_id();
  model_ = answer.run().model_fingerprint();
  epoch_ = answer.run().config().epoch();
  shard_elements_ = answer.run().config().shard_elements();
  server_ = builder.BuildAndStart();
  EXPECT_NE(server_, nullptr);
  self_.set_address(absl::StrCat("127.0.0.1:", port));

  grpc::ClientContext context;
  SetDeadline(context);
  v1::ControlRequest greeting = Request();
  greeting.mutable_ping();
  const grpc::Status greeted = stub->Control(&context, greeting, &answer);
  EXPECT_TRUE(greeted.ok() && answer.has_pong())
      << greeted.error_message() << answer.DebugString();
}

Liar::~Liar() { server_->Shutdown(std::chrono::system_clock::now()); }

std::string Liar::id() const { return PeerId(self_.peer_id()).ToString(); }

v1::ControlRequest Liar::Request() const {
  v1::ControlRequest request;
  *request.mutable_sender() = Self();
  request.set_run_id(run_id_);
  return request;
}

v1::Member Liar::Self() const {
  absl::MutexLock lock(&mutex_);
  return self_;
}

void Liar::Contradict(const google::protobuf::RepeatedPtrField<v1::Member>& rumours) {
  absl::MutexLock lock(&mutex_);
  for (const v1::Member& rumour : rumours) {
    if (rumour.peer_id() != self_.peer_id() || rumour.state() == v1::PEER_STATE_ALIVE) continue;
    self_.set_refutations(std::max(self_.refutations(), rumour.refutations() + 1));
  }
}

v1::ShardFrame Liar::Honest(v1::FrameKind kind, uint64_t exchange, uint32_t shard) const {
  v1::ShardFrame frame;
  v1::ShardHeader& header = *frame.mutable_header();
  header.set_kind(kind);
  header.set_exchange_id(exchange);
  header.set_sender(self_.peer_id());
  header.set_sender_incarnation(self_.incarnation());
  header.set_run_id(run_id_);
  header.set_epoch(epoch_);
  header.set_model_fingerprint(model_);
  header.set_shard(shard);
  header.set_shard_count(
      static_cast<uint32_t>((parameters_ + shard_elements_ - 1) / shard_elements_));
  header.set_offset(shard * shard_elements_);
  header.set_elements(
      static_cast<uint32_t>(std::min(shard_elements_, parameters_ - header.offset())));
  header.set_codec(v1::CODEC_FP32);
  Fill(frame, 0.001f);
  return frame;
}

v1::ShardFrame Liar::Ask(const std::string& address, const Spoil& spoil,
                         absl::Duration patience) {
  v1::ShardFrame lie = Honest(v1::FRAME_KIND_MIX_REQUEST, next_exchange_++, 0);
  spoil(lie);
  auto stub = StubOf(address);
  grpc::ClientContext context;
  SetDeadline(context, patience);
  auto stream = stub->Exchange(&context);
  stream->Write(lie);
  v1::ShardFrame answer;
  // The first word may be about memory that could be shared.
  while (stream->Read(&answer) && !answer.has_header()) {
  }
  context.TryCancel();
  stream->Finish();
  return answer;
}

grpc::Status Liar::Exchange(grpc::ServerContext*,
                            grpc::ServerReaderWriter<v1::ShardFrame, v1::ShardFrame>* stream) {
  for (v1::ShardFrame frame; stream->Read(&frame);) {
    if (frame.header().kind() != v1::FRAME_KIND_MIX_REQUEST) continue;
    v1::ShardFrame lie = Honest(v1::FRAME_KIND_MIX_REPLY, frame.header().exchange_id(),
                                frame.header().shard());
    in_reply_(lie);
    stream->Write(lie);
    ++answered_;
  }
  return grpc::Status::OK;
}

grpc::Status Liar::Control(grpc::ServerContext*, const v1::ControlRequest* request,
                           v1::ControlResponse* response) {
  Contradict(request->has_sync() ? request->sync().members() : request->ping().members());
  *response->mutable_sender() = Self();
  response->set_run_id(run_id_);
  if (request->has_ping()) {
    response->mutable_pong();
  } else if (request->has_sync()) {
    *response->mutable_sync()->add_members() = Self();
  } else {
    response->mutable_refused()->set_reason(v1::REFUSAL_REASON_BUSY);
    response->mutable_refused()->set_detail("not now");
  }
  return grpc::Status::OK;
}

}  // namespace starling
