#include "tests/bench/exchange_node.h"

#include <atomic>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
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
#include "peer/state/joiner.h"
#include "peer/state/state_keeper.h"
#include "peer/training/training_actor.h"
#include "peer/transport/grpc_transport.h"

namespace starling {
namespace {

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

// Says when as many parameters as there are have been committed, without asking anybody meanwhile: whoever polls
// while an exchange runs takes the time that it measures.
class CommitWatch final : public MixObserver {
 public:
  void Expect(size_t elements) {
    absl::MutexLock lock(&mutex_);
    left_ = elements;
  }
  bool Wait(absl::Duration patience) {
    absl::MutexLock lock(&mutex_);
    const auto done = [this] {
      mutex_.AssertHeld();
      return left_ == 0;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&done), patience);
  }

 private:
  void OnResponded(size_t, size_t, const CodedBytes&) override {}
  void OnCommitted(size_t, size_t elements, const CodedBytes&) override {
    absl::MutexLock lock(&mutex_);
    left_ -= elements;
  }

  absl::Mutex mutex_;
  size_t left_ ABSL_GUARDED_BY(mutex_) = 0;
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
  Node(uint64_t number, size_t elements, CodecChoice codecs, bool copies)
      : elements_(elements),
        pool_(3 * elements * sizeof(float) + (size_t{8} << 20)),
        transport_(std::make_unique<GrpcTransport>(&control_, Limits(copies))) {
    transport_->MakeRoomFor(2 * elements * sizeof(float));
    TrainingOptions training;
    training.learn = false;
    training.mailbox_capacity = 4096;
    training.observer = &commits_;
    training.step_time = [this] { return absl::Nanoseconds(step_nanos_.load()); };
    v1::OptimizerConfig sgd;
    sgd.set_name("sgd");
    trainer_ = std::make_unique<TrainingActor>(
        &training_, std::make_unique<StillModel>(elements, number), *MakeOptimizer(sgd, elements),
        BatchCursor(std::make_shared<SyntheticDataset>(SyntheticOptions{.examples = 10, .shape = {1}}), {0}, 1, Random(1)), &pool_,
        training, [this](const TrainingProgress& progress) { steps_ = progress.step; });
    const FrameIdentity identity = IdentityOf(number, elements);
    keeper_ = std::make_unique<StateKeeper>(&control_, trainer_.get(), identity,
                                            StateKeeperOptions());
    JoinerOptions joining;
    joining.mode = FetchMode::kPatchwork;
    joiner_ = std::make_unique<Joiner>(&control_, transport_.get(), &pool_, identity,
                                       Random(number), joining, [](const std::string&) {});
    GossipOptions gossip;
    gossip.codecs = std::move(codecs);
    gossip.pending_answers = 1024;
    gossip_ = std::make_unique<GossipActor>(&control_, transport_.get(), trainer_.get(),
                                            identity, ElasticGossip(),
                                            Random(number), gossip);
    RunOnControl([this] {
      transport_->SetDelegate(this);
      gossip_->SetAccepting(true);
    });
  }

  ~Node() override {
    RunOnControl([this] { transport_->SetDelegate(nullptr); });
    trainer_->Stop();
    server_.reset();
    training_threads_.Join();
    control_threads_.Join();
    joiner_.reset();
    keeper_.reset();
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
    commits_.Expect(elements_);
    RunOnControl([&] {
      before = gossip_->Status().exchanges_committed();
      gossip_->OnStep(++step_);
    });
    if (commits_.Wait(absl::Seconds(60))) {
      // What is left is to hear of the last commits.
      for (int i = 0; i < 1000; ++i) {
        uint64_t committed = 0;
        RunOnControl([&] { committed = gossip_->Status().exchanges_committed(); });
        if (committed > before) return absl::Now() - begin;
        absl::SleepFor(absl::Microseconds(100));
      }
    }
    return absl::DeadlineExceededError("the exchange does not end");
  }

  void Train(absl::Duration step_time) override {
    step_nanos_ = absl::ToInt64Nanoseconds(step_time);
    trainer_->Start();
  }
  uint64_t steps() override { return steps_; }

  absl::StatusOr<absl::Duration> Join(const std::map<uint64_t, std::string>& donors) override {
    const absl::Time begin = absl::Now();
    absl::Notification ended;
    absl::Status status;
    RunOnControl([&] {
      std::map<PeerId, Donor> known;
      for (const auto& [number, address] : donors) known[PeerId(number)] = {address, {}};
      v1::ControlRequest request;
      request.set_run_id(1);
      joiner_->OnSwarm(known, true);
      joiner_->Start(request, [&](absl::StatusOr<absl::optional<Snapshot>> state) {
        status = state.status();
        ended.Notify();
      });
    });
    if (!ended.WaitForNotificationWithTimeout(absl::Seconds(60))) {
      RunOnControl([this] { joiner_->Stop(); });
      return absl::DeadlineExceededError("the transfer does not end");
    }
    if (!status.ok()) return status;
    return absl::Now() - begin;
  }

  uint64_t bytes_sent() override { return transport_->bytes_sent(); }

 private:
  static GrpcTransportOptions Limits(bool copies) {
    GrpcTransportOptions options;
    options.same_host_copies = copies;
    return options;
  }

  void OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) override {
    switch (frame.header.kind()) {
      case v1::FRAME_KIND_STATE_REQUEST:
        keeper_->OnRequest(frame, reply);
        return;
      case v1::FRAME_KIND_STATE_REPLY:
        joiner_->OnFrame(frame);
        return;
      default:
        gossip_->OnFrame(std::move(frame), std::move(reply));
    }
  }
  void OnFrameRefused(const v1::ShardHeader&, v1::RefusalReason) override {}
  void OnControl(v1::ControlRequest request, ControlResponder respond) override {
    if (request.has_hold_state()) {
      keeper_->Hold(request.hold_state(), [respond = std::move(respond)](v1::ControlResponse response) mutable {
        respond(std::move(response));
      });
      return;
    }
    if (request.has_release_state()) keeper_->Release(request.release_state().state_id());
    respond(v1::ControlResponse());
  }
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

  const size_t elements_;
  CommitWatch commits_;
  AsioThreads control_threads_{"control", 1};
  AsioThreads training_threads_{"training", 1};
  AsioExecutor control_{control_threads_};
  AsioExecutor training_{training_threads_};
  BufferPool pool_;
  std::unique_ptr<GrpcTransport> transport_;
  std::unique_ptr<TrainingActor> trainer_;
  std::unique_ptr<GossipActor> gossip_;
  std::unique_ptr<StateKeeper> keeper_;
  std::unique_ptr<Joiner> joiner_;
  std::unique_ptr<GrpcServer> server_;
  uint64_t step_ = 0;
  std::atomic<int64_t> step_nanos_{0};
  std::atomic<uint64_t> steps_{0};
};

}  // namespace

absl::StatusOr<CodecChoice> ChoiceOf(const std::string& pair) {
  const std::pair<std::string, std::string> halves = absl::StrSplit(pair, absl::MaxSplits('/', 1));
  return MakeCodecChoice(halves.first, halves.second);
}

absl::StatusOr<std::unique_ptr<ExchangeNode>> ExchangeNode::Start(uint64_t number,
                                                                  size_t elements,
                                                                  CodecChoice codecs,
                                                                  bool copies) {
  auto node = std::make_unique<Node>(number, elements, std::move(codecs), copies);
  if (absl::Status status = node->Listen(); !status.ok()) return status;
  return node;
}

}  // namespace starling
