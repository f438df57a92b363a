#include "tests/sim/sim_network.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/buffer_pool.h"
#include "tests/sim/sim_transport.h"

namespace starling {
namespace {

constexpr size_t kElements = 16;

// Writes down what it is given; answers calls as `on_control` says.
struct Receiver : Transport::Delegate {
  void OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) override {
    frames.push_back(std::move(frame));
    replies.push_back(std::move(reply));
  }
  void OnFrameRefused(const v1::ShardHeader&, v1::RefusalReason reason) override {
    refused.push_back(reason);
  }
  void OnControl(v1::ControlRequest request, ControlResponder respond) override {
    on_control(std::move(request), std::move(respond));
  }
  void OnPathBroken(const std::string& address, const absl::Status&) override {
    broken.push_back(address);
  }

  std::vector<Frame> frames;
  std::vector<std::shared_ptr<ReplyPath>> replies;
  std::vector<v1::RefusalReason> refused;
  std::vector<std::string> broken;
  std::function<void(v1::ControlRequest, ControlResponder)> on_control =
      [](v1::ControlRequest, ControlResponder respond) { respond(v1::ControlResponse()); };
};

class SimNetworkTest : public ::testing::Test {
 protected:
  struct Process {
    SimExecutor* control;
    std::unique_ptr<SimTransport> transport;
    Receiver receiver;
  };

  void SetUp() override { Build(SimNetworkOptions()); }
  void TearDown() override { Clear(); }

  // Tasks underway refer to the network, so they go first.
  void Clear() {
    for (const auto& process : processes_) process->control->Kill();
    processes_.clear();
    network_.reset();
  }

  void Build(const SimNetworkOptions& options, uint64_t seed = 1) {
    Clear();
    world_ = std::make_unique<SimWorld>();
    network_ = std::make_unique<SimNetwork>(world_.get(), options, Random(seed));
    a_ = Spawn("a:1", 10);
    b_ = Spawn("b:1", 11);
  }

  Process* Spawn(const std::string& address, uint64_t peer) {
    processes_.push_back(std::make_unique<Process>());
    Process& process = *processes_.back();
    process.control = world_->NewExecutor(address);
    process.transport =
        network_->TransportFor(address, process.control, {PeerId(peer), 1, RunId(7)});
    process.transport->SetDelegate(&process.receiver);
    return &process;
  }

  Frame MakeFrame(uint64_t exchange, float value = 1) {
    Frame frame;
    frame.header.set_kind(v1::FRAME_KIND_MIX_REQUEST);
    frame.header.set_exchange_id(exchange);
    frame.header.set_sender(10);
    frame.header.set_elements(kElements);
    MutableBuffer buffer = pool_.Take(kElements);
    std::fill(buffer.floats().begin(), buffer.floats().end(), value);
    frame.payload = std::move(buffer).Freeze();
    return frame;
  }

  absl::Status Send(Process& from, const std::string& to, Frame frame) {
    absl::Status status;
    from.control->Visit([&] { status = from.transport->SendFrame(to, std::move(frame)); });
    return status;
  }
  // The result lands in call_result_ when it comes.
  void Call(Process& from, const std::string& to, absl::Duration timeout) {
    call_result_ = absl::UnknownError("none yet");
    from.control->Visit([&] {
      from.transport->Call(to, v1::ControlRequest(), timeout,
                           [this](absl::StatusOr<v1::ControlResponse> result) {
                             ++call_results_;
                             call_result_ = result.status();
                             called_back_at_ = world_->now();
                           });
    });
  }
  void RunFor(absl::Duration duration) { world_->RunUntil(world_->now() + duration); }

  BufferPool pool_{1 << 20};
  std::unique_ptr<SimWorld> world_;
  std::unique_ptr<SimNetwork> network_;
  std::vector<std::unique_ptr<Process>> processes_;
  Process* a_ = nullptr;
  Process* b_ = nullptr;
  absl::Status call_result_;
  int call_results_ = 0;
  absl::Time called_back_at_;
};

TEST_F(SimNetworkTest, AFrameArrivesWithTheSendersMemory) {
  const Frame frame = MakeFrame(1);
  ASSERT_TRUE(Send(*a_, "b:1", frame).ok());
  EXPECT_TRUE(b_->receiver.frames.empty());
  RunFor(absl::Seconds(1));
  ASSERT_EQ(b_->receiver.frames.size(), 1u);
  EXPECT_EQ(b_->receiver.frames[0].payload.data(), frame.payload.data());
  EXPECT_EQ(a_->transport->bytes_sent(), kElements * sizeof(float));
  EXPECT_EQ(b_->transport->bytes_received(), kElements * sizeof(float));
}

TEST_F(SimNetworkTest, AReplyGoesBackToTheProcessThatAsked) {
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  RunFor(absl::Seconds(1));
  b_->control->Visit([&] { b_->receiver.replies.at(0)->Send(MakeFrame(2)); });
  RunFor(absl::Seconds(1));
  ASSERT_EQ(a_->receiver.frames.size(), 1u);
  EXPECT_EQ(a_->receiver.frames[0].header.exchange_id(), 2u);
}

TEST_F(SimNetworkTest, AReplyDoesNotReachASuccessorAtTheSameAddress) {
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  RunFor(absl::Seconds(1));
  a_->control->Kill();
  a_->transport.reset();
  Process* const successor = Spawn("a:1", 10);
  b_->control->Visit([&] { b_->receiver.replies.at(0)->Send(MakeFrame(2)); });
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(successor->receiver.frames.empty());
}

TEST_F(SimNetworkTest, FramesAreLostDuplicatedAndReorderedAsOften) {
  SimNetworkOptions options;
  options.loss = 0.2;
  options.duplication = 0.1;
  options.delay_spread = absl::Milliseconds(20);
  options.path_frames = 1 << 20;
  Build(options);
  constexpr int kFrames = 4000;
  for (int i = 0; i < kFrames; ++i) {
    ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(static_cast<uint64_t>(i))).ok());
    RunFor(absl::Milliseconds(1));
  }
  RunFor(absl::Seconds(1));
  const std::vector<Frame>& got = b_->receiver.frames;
  EXPECT_NEAR(static_cast<double>(got.size()), kFrames * 1.1 * 0.8, 150);
  EXPECT_FALSE(std::is_sorted(got.begin(), got.end(), [](const Frame& x, const Frame& y) {
    return x.header.exchange_id() < y.header.exchange_id();
  }));
}

TEST_F(SimNetworkTest, ACorruptFrameIsRefusedAndNeverArrives) {
  SimNetworkOptions options;
  options.corruption = 1;
  Build(options);
  const Frame frame = MakeFrame(1);
  ASSERT_TRUE(Send(*a_, "b:1", frame).ok());
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(b_->receiver.frames.empty());
  EXPECT_EQ(b_->receiver.refused, std::vector<v1::RefusalReason>{v1::REFUSAL_REASON_CORRUPT});
  for (const float value : frame.payload.floats()) EXPECT_EQ(value, 1);  // the sender's own
  ASSERT_EQ(a_->receiver.frames.size(), 1u);
  const v1::ShardHeader& refusal = a_->receiver.frames[0].header;
  EXPECT_EQ(refusal.kind(), v1::FRAME_KIND_REFUSAL);
  EXPECT_EQ(refusal.refusal(), v1::REFUSAL_REASON_CORRUPT);
  EXPECT_EQ(refusal.sender(), 11u);
  EXPECT_EQ(refusal.exchange_id(), 1u);
}

TEST_F(SimNetworkTest, AFrameWithNanIsRefused) {
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1, std::numeric_limits<float>::quiet_NaN())).ok());
  RunFor(absl::Seconds(1));
  EXPECT_EQ(b_->receiver.refused, std::vector<v1::RefusalReason>{v1::REFUSAL_REASON_NON_FINITE});
}

TEST_F(SimNetworkTest, APartitionSwallowsFramesSilentlyEvenThoseUnderway) {
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  network_->Partition({"a:1"}, {"b:1"});
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(2)).ok());
  ASSERT_TRUE(Send(*b_, "a:1", MakeFrame(3)).ok());
  RunFor(absl::Seconds(10));
  network_->Heal();
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(4)).ok());
  RunFor(absl::Seconds(10));
  ASSERT_EQ(b_->receiver.frames.size(), 1u);
  EXPECT_EQ(b_->receiver.frames[0].header.exchange_id(), 4u);
  EXPECT_TRUE(a_->receiver.frames.empty());
  EXPECT_TRUE(a_->receiver.broken.empty());
}

TEST_F(SimNetworkTest, AnAsymmetricCutStopsOneDirectionOnly) {
  network_->Cut({"a:1"}, {"b:1"});
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  ASSERT_TRUE(Send(*b_, "a:1", MakeFrame(2)).ok());
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(b_->receiver.frames.empty());
  EXPECT_EQ(a_->receiver.frames.size(), 1u);
}

TEST_F(SimNetworkTest, APausedReceiverGetsItsFramesWhenItWakes) {
  b_->control->Pause();
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  RunFor(absl::Seconds(10));
  EXPECT_TRUE(b_->receiver.frames.empty());
  b_->control->Resume();
  RunFor(absl::ZeroDuration());
  EXPECT_EQ(b_->receiver.frames.size(), 1u);
}

TEST_F(SimNetworkTest, AFullPathRefusesAndEmptiesAgain) {
  SimNetworkOptions options;
  options.path_frames = 2;
  Build(options);
  b_->control->Pause();
  EXPECT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  EXPECT_TRUE(Send(*a_, "b:1", MakeFrame(2)).ok());
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(absl::IsResourceExhausted(Send(*a_, "b:1", MakeFrame(3))));
  b_->control->Resume();
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(Send(*a_, "b:1", MakeFrame(4)).ok());
  EXPECT_EQ(network_->peak_path_frames(), 2u);
}

TEST_F(SimNetworkTest, FramesUnderwayToAForgottenAddressVanish) {
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  a_->control->Visit([&] { a_->transport->Forget("b:1"); });
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(b_->receiver.frames.empty());
}

TEST_F(SimNetworkTest, WhoHasSentFramesToAProcessHearsOfItsDeath) {
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  RunFor(absl::Seconds(1));
  b_->control->Kill();
  b_->transport.reset();
  RunFor(absl::Seconds(1));
  EXPECT_EQ(a_->receiver.broken, std::vector<std::string>{"b:1"});
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(2)).ok());
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(3)).ok());
  RunFor(absl::Seconds(1));
  EXPECT_EQ(a_->receiver.broken, (std::vector<std::string>{"b:1", "b:1"}));
}

TEST_F(SimNetworkTest, ACallIsAnsweredOnce) {
  Call(*a_, "b:1", absl::Seconds(1));
  RunFor(absl::Seconds(5));
  EXPECT_TRUE(call_result_.ok()) << call_result_;
  EXPECT_EQ(call_results_, 1);
}

TEST_F(SimNetworkTest, ACallThatIsLostEndsAtItsTimeout) {
  SimNetworkOptions options;
  options.loss = 1;
  Build(options);
  const absl::Time start = world_->now();
  Call(*a_, "b:1", absl::Seconds(3));
  RunFor(absl::Seconds(10));
  EXPECT_TRUE(absl::IsDeadlineExceeded(call_result_)) << call_result_;
  EXPECT_EQ(called_back_at_ - start, absl::Seconds(3));
}

TEST_F(SimNetworkTest, AnAnswerAfterTheTimeoutIsIgnored) {
  ControlResponder late;
  b_->receiver.on_control = [&](v1::ControlRequest, ControlResponder respond) {
    late = std::move(respond);
  };
  Call(*a_, "b:1", absl::Seconds(1));
  RunFor(absl::Seconds(2));
  late(v1::ControlResponse());
  RunFor(absl::Seconds(2));
  EXPECT_TRUE(absl::IsDeadlineExceeded(call_result_)) << call_result_;
  EXPECT_EQ(call_results_, 1);
}

TEST_F(SimNetworkTest, CallsToNobodyAreUnavailable) {
  Call(*a_, "c:1", absl::Seconds(1));
  RunFor(absl::Seconds(5));
  EXPECT_TRUE(absl::IsUnavailable(call_result_)) << call_result_;
  EXPECT_EQ(call_results_, 1);
}

TEST_F(SimNetworkTest, AResponderThatIsDroppedFailsTheCall) {
  b_->receiver.on_control = [](v1::ControlRequest, ControlResponder) {};
  Call(*a_, "b:1", absl::Seconds(1));
  RunFor(absl::Seconds(5));
  EXPECT_TRUE(absl::IsUnavailable(call_result_)) << call_result_;
}

TEST_F(SimNetworkTest, CallsOfADyingTransportAreCancelled) {
  b_->receiver.on_control = [](v1::ControlRequest, ControlResponder) {};
  Call(*a_, "b:1", absl::Seconds(1));
  a_->transport.reset();
  RunFor(absl::Seconds(5));
  EXPECT_TRUE(absl::IsCancelled(call_result_)) << call_result_;
  EXPECT_EQ(call_results_, 1);
}

TEST_F(SimNetworkTest, TheSameSeedIsTheSameTraceAndAnotherSeedAnother) {
  auto trace = [this](uint64_t seed) {
    SimNetworkOptions options;
    options.loss = 0.3;
    options.duplication = 0.3;
    Build(options, seed);
    for (uint64_t i = 0; i < 50; ++i) EXPECT_TRUE(Send(*a_, "b:1", MakeFrame(i)).ok());
    RunFor(absl::Seconds(1));
    return world_->trace().value();
  };
  EXPECT_EQ(trace(3), trace(3));
  EXPECT_NE(trace(3), trace(4));
}

TEST(SimNetworkOptionsTest, ValidateNamesTheField) {
  SimNetworkOptions options;
  options.loss = 1.5;
  EXPECT_NE(options.Validate().message().find("loss is 1.5"), absl::string_view::npos);
}

TEST_F(SimNetworkTest, ABadLinkIsBadInOneDirectionOnly) {
  network_->SetLink("a:1", "b:1", {1, absl::ZeroDuration(), absl::ZeroDuration()});
  EXPECT_FALSE(network_->links_clean());
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  ASSERT_TRUE(Send(*b_, "a:1", MakeFrame(2)).ok());
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(b_->receiver.frames.empty());
  EXPECT_EQ(a_->receiver.frames.size(), 1u);
  network_->ClearLinks();
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(3)).ok());
  RunFor(absl::Seconds(1));
  EXPECT_EQ(b_->receiver.frames.size(), 1u);
}

TEST_F(SimNetworkTest, ALinkHasItsOwnDelay) {
  network_->SetLink("a:1", "b:1", {0, absl::Seconds(2), absl::ZeroDuration()});
  EXPECT_TRUE(network_->links_clean());
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  RunFor(absl::Milliseconds(1999));
  EXPECT_TRUE(b_->receiver.frames.empty());
  RunFor(absl::Milliseconds(1));
  EXPECT_EQ(b_->receiver.frames.size(), 1u);
}

TEST_F(SimNetworkTest, FramesQueueOnANarrowUplinkAndCallsDoNot) {
  SimNetworkOptions options;
  options.delay_floor = options.delay_spread = absl::ZeroDuration();
  Build(options);
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  const double bytes = static_cast<double>(a_->transport->traffic().frame_bytes);
  RunFor(absl::ZeroDuration());
  EXPECT_EQ(b_->receiver.frames.size(), 1u);
  network_->SetBandwidth("a:1", {bytes, std::numeric_limits<double>::infinity()});
  for (const uint64_t exchange : {2, 3, 4}) {
    ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(exchange)).ok());
  }
  Call(*a_, "b:1", absl::Seconds(10));
  RunFor(absl::Milliseconds(999));
  EXPECT_EQ(b_->receiver.frames.size(), 1u);
  EXPECT_EQ(call_results_, 1);
  RunFor(absl::Milliseconds(2));
  for (const size_t frames : {2, 3, 4}) {
    EXPECT_EQ(b_->receiver.frames.size(), frames);
    RunFor(absl::Seconds(1));
  }
}

TEST_F(SimNetworkTest, FramesFromSeveralSendersShareANarrowDownlink) {
  SimNetworkOptions options;
  options.delay_floor = options.delay_spread = absl::ZeroDuration();
  Build(options);
  Process* const c = Spawn("c:1", 12);
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(1)).ok());
  const double bytes = static_cast<double>(a_->transport->traffic().frame_bytes);
  RunFor(absl::ZeroDuration());
  network_->SetBandwidth("b:1", {std::numeric_limits<double>::infinity(), bytes});
  ASSERT_TRUE(Send(*a_, "b:1", MakeFrame(2)).ok());
  ASSERT_TRUE(Send(*c, "b:1", MakeFrame(3)).ok());
  RunFor(absl::Milliseconds(1001));
  EXPECT_EQ(b_->receiver.frames.size(), 2u);
  RunFor(absl::Milliseconds(1001));
  EXPECT_EQ(b_->receiver.frames.size(), 3u);
}

}  // namespace
}  // namespace starling
