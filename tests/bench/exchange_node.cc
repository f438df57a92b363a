#include "tests/bench/exchange_node.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "model/batch_cursor.h"
#include "model/model.h"
#include "model/optimizer.h"
#include "model/synthetic_dataset.h"
#include "peer/algorithms/registry.h"
#include "peer/gossip/gossip_actor.h"
#include "peer/runtime/asio_executor.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/grpc_server.h"
#include "peer/training/training_actor.h"
#include "peer/transport/grpc_transport.h"

namespace starling {
namespace {

constexpr size_t kShardElements = 262144;

// Parameters that nobody trains.
class StillModel final : public Model {
 public:
  StillModel(size_t elements, uint64_t seed) : parameters_(elements) {
    Random random(seed);
    for (float& value : parameters_) value = static_cast<float>(0.05 * (random.Uniform() - 0.5));
  }
  std::string name() const override { return "still"; }
  ModelFingerprint fingerprint() const override { return ModelFingerprint(1); }
  absl::Span<float> parameters() override { return absl::MakeSpan(parameters_); }
  absl::Span<const float> gradients() const override { return {}; }
  absl::StatusOr<double> ComputeGradients(const Batch&) override { return 0.0; }
  absl::StatusOr<Evaluation> Evaluate(const Batch&) override { return Evaluation(); }
  int threads() const override { return 1; }

 private:
  std::vector<float> parameters_;
};

Algorithm ElasticGossip() {
  v1::AlgorithmConfig config;
  config.set_name("elastic_gossip");
  v1::AlgorithmOption* always = config.add_options();
  always->set_name("p");
  always->set_value(1);
  return *MakeAlgorithm(config, {});
}

FrameIdentity IdentityOf(uint64_t number, size_t elements) {
  FrameIdentity identity;
  identity.peer = PeerId(number);
  identity.incarnation = 1;
  identity.run = RunId(1);
  identity.model = ModelFingerprint(1);
  identity.shards = ShardMap{elements, kShardElements};
  return identity;
}

class Node final : public ExchangeNode, private Transport::Delegate {
 public:
  Node(uint64_t number, size_t elements, CodecChoice codecs)
      : pool_(3 * elements * sizeof(float) + (size_t{8} << 20)),
        transport_(std::make_unique<GrpcTransport>(&control_, Limits(elements))) {
    TrainingOptions training;
    training.learn = false;
    training.mailbox_capacity = 4096;
    v1::OptimizerConfig sgd;
    sgd.set_name("sgd");
    trainer_ = std::make_unique<TrainingActor>(
        &training_, std::make_unique<StillModel>(elements, number), *MakeOptimizer(sgd, elements),
        BatchCursor(std::make_shared<SyntheticDataset>(SyntheticOptions{.examples = 10, .shape = {1}}), {0}, 1, Random(1)), &pool_,
        training, nullptr);
    GossipOptions gossip;
    gossip.codecs = std::move(codecs);
    gossip.pending_answers = 1024;
    gossip_ = std::make_unique<GossipActor>(&control_, transport_.get(), trainer_.get(),
                                            IdentityOf(number, elements), ElasticGossip(),
                                            Random(number), gossip);
    RunOnControl([this] {
      transport_->SetDelegate(this);
      gossip_->SetAccepting(true);
    });
  }

  ~Node() override {
    RunOnControl([this] { transport_->SetDelegate(nullptr); });
    server_.reset();
    training_threads_.Join();
    control_threads_.Join();
    gossip_.reset();
    transport_.reset();
  }

  absl::Status Listen() {
    auto server = GrpcServer::Start({}, {transport_->service()});
    if (server.ok()) server_ = *std::move(server);
    return server.status();
  }

  const std::string& address() const override { return server_->address(); }

  void Connect(uint64_t number, const std::string& address) override {
    RunOnControl([&] { gossip_->SetCandidates({{PeerId(number), Contact(address)}}); });
  }

  absl::StatusOr<absl::Duration> Exchange() override {
    const absl::Time begin = absl::Now();
    uint64_t before = 0;
    RunOnControl([&] {
      before = gossip_->Status().exchanges_committed();
      gossip_->OnStep(++step_);
    });
    for (;;) {
      uint64_t committed = 0;
      RunOnControl([&] { committed = gossip_->Status().exchanges_committed(); });
      if (committed > before) return absl::Now() - begin;
      if (absl::Now() - begin > absl::Seconds(60)) {
        return absl::DeadlineExceededError("the exchange does not end");
      }
      absl::SleepFor(absl::Microseconds(200));
    }
  }

  uint64_t bytes_sent() override { return transport_->bytes_sent(); }

 private:
  static GrpcTransportOptions Limits(size_t elements) {
    GrpcTransportOptions options;
    options.max_queued_bytes = std::max(options.max_queued_bytes, 2 * elements * sizeof(float));
    return options;
  }

  void OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) override {
    gossip_->OnFrame(std::move(frame), std::move(reply));
  }
  void OnFrameRefused(const v1::ShardHeader&, v1::RefusalReason) override {}
  void OnControl(v1::ControlRequest, ControlResponder) override {}
  void OnPathBroken(const std::string&, const absl::Status&) override {}

  template <typename Task>
  void RunOnControl(Task task) {
    absl::Notification done;
    control_.Post([&] {
      task();
      done.Notify();
    });
    done.WaitForNotification();
  }

  AsioThreads control_threads_{"control", 1};
  AsioThreads training_threads_{"training", 1};
  AsioExecutor control_{control_threads_};
  AsioExecutor training_{training_threads_};
  BufferPool pool_;
  std::unique_ptr<GrpcTransport> transport_;
  std::unique_ptr<TrainingActor> trainer_;
  std::unique_ptr<GossipActor> gossip_;
  std::unique_ptr<GrpcServer> server_;
  uint64_t step_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExchangeNode>> ExchangeNode::Start(uint64_t number,
                                                                  size_t elements,
                                                                  CodecChoice codecs) {
  auto node = std::make_unique<Node>(number, elements, std::move(codecs));
  if (absl::Status status = node->Listen(); !status.ok()) return status;
  return node;
}

}  // namespace starling
