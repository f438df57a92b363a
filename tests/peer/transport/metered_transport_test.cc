#include "peer/transport/metered_transport.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {
namespace {

Frame FrameOf(size_t numbers, uint64_t sender = 0) {
  Frame frame;
  frame.header.set_sender(sender);
  if (numbers > 0) frame.payload = BytesOf(std::vector<float>(numbers));
  return frame;
}

class Behind : public Transport {
 public:
  void SetDelegate(Delegate* told) override { delegate = told; }
  absl::Status SendFrame(const std::string&, Frame) override {
    return full ? absl::ResourceExhaustedError("full") : absl::OkStatus();
  }
  void Call(const std::string& address, v1::ControlRequest, absl::Duration,
            CallCallback done) override {
    calls.push_back(address);
    done(absl::UnavailableError("nobody"));
  }
  void Forget(const std::string& address) override { forgotten.push_back(address); }
  uint64_t bytes_sent() const override { return 11; }
  uint64_t bytes_received() const override { return 12; }

  Delegate* delegate = nullptr;
  bool full = false;
  std::vector<std::string> calls;
  std::vector<std::string> forgotten;
};

class Path : public ReplyPath {
 public:
  void Send(Frame) override { ++sent; }
  int sent = 0;
};

class Listener : public Transport::Delegate {
 public:
  void OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) override {
    frames.push_back(std::move(frame));
    path = std::move(reply);
  }
  void OnFrameRefused(const v1::ShardHeader&, v1::RefusalReason) override { ++refused; }
  void OnControl(v1::ControlRequest, ControlResponder) override { ++controls; }
  void OnPathBroken(const std::string&, const absl::Status&) override { ++broken; }

  std::vector<Frame> frames;
  std::shared_ptr<ReplyPath> path;
  int refused = 0;
  int controls = 0;
  int broken = 0;
};

class MeteredTransportTest : public ::testing::Test {
 protected:
  MeteredTransportTest() {
    v1::LinkLimits limits;
    limits.set_send_per_peer(1);
    budget_->SetLimits(executor_.Now(), limits);
    meter_->SetDelegate(&listener_);
  }
  uint64_t Spent(Direction direction) const {
    return budget_->LastDay(executor_.Now(), direction);
  }
  bool MaySendTo(uint64_t peer) const {
    return budget_->WaitFor(executor_.Now(), Direction::kSend, PeerId(peer), 1).time ==
           absl::ZeroDuration();
  }

  ManualExecutor executor_;
  Behind behind_;
  Listener listener_;
  std::shared_ptr<LinkBudget> budget_ =
      std::make_shared<LinkBudget>(LinkBudget::Whole{.sent = 10, .received = 10});
  std::unique_ptr<MeteredTransport> meter_ = std::make_unique<MeteredTransport>(
      &executor_, &behind_, budget_, [](const std::string& address) {
        return address == "two:1" ? PeerId(2) : PeerId();
      });
};

TEST_F(MeteredTransportTest, WhatIsSentIsChargedToWhoeverLivesThere) {
  EXPECT_TRUE(meter_->SendFrame("two:1", FrameOf(10)).ok());
  EXPECT_EQ(Spent(Direction::kSend), 40);
  EXPECT_FALSE(MaySendTo(2));
  EXPECT_TRUE(meter_->SendFrame("unknown:1", FrameOf(10)).ok());
  EXPECT_EQ(Spent(Direction::kSend), 80);
  EXPECT_TRUE(MaySendTo(3));
}

TEST_F(MeteredTransportTest, WhatIsDroppedOrCarriesNothingCostsNothing) {
  behind_.full = true;
  EXPECT_FALSE(meter_->SendFrame("two:1", FrameOf(10)).ok());
  behind_.full = false;
  EXPECT_TRUE(meter_->SendFrame("two:1", FrameOf(0)).ok());
  EXPECT_EQ(Spent(Direction::kSend), 0);
}

TEST_F(MeteredTransportTest, WhatIsReceivedIsChargedAndPassedOn) {
  behind_.delegate->OnFrame(FrameOf(5, 2), nullptr);
  EXPECT_EQ(Spent(Direction::kReceive), 20);
  ASSERT_EQ(listener_.frames.size(), 1);
  EXPECT_EQ(listener_.frames[0].payload.size(), 20);
  EXPECT_EQ(listener_.path, nullptr);
}

TEST_F(MeteredTransportTest, AnswersAreChargedEvenAfterTheMeterIsGone) {
  const auto path = std::make_shared<Path>();
  behind_.delegate->OnFrame(FrameOf(0, 2), path);
  listener_.path->Send(FrameOf(10));
  EXPECT_EQ(Spent(Direction::kSend), 40);
  EXPECT_FALSE(MaySendTo(2));
  meter_.reset();
  listener_.path->Send(FrameOf(10));
  EXPECT_EQ(Spent(Direction::kSend), 80);
  EXPECT_EQ(path->sent, 2);
}

TEST_F(MeteredTransportTest, EverythingElsePassesThrough) {
  bool answered = false;
  meter_->Call("two:1", {}, absl::Seconds(1), [&](const auto&) { answered = true; });
  meter_->Forget("two:1");
  behind_.delegate->OnFrameRefused({}, v1::REFUSAL_REASON_CORRUPT);
  behind_.delegate->OnControl({}, nullptr);
  behind_.delegate->OnPathBroken("two:1", absl::OkStatus());
  EXPECT_TRUE(answered);
  EXPECT_EQ(behind_.calls, std::vector<std::string>{"two:1"});
  EXPECT_EQ(behind_.forgotten, std::vector<std::string>{"two:1"});
  EXPECT_EQ(listener_.refused + listener_.controls + listener_.broken, 3);
  EXPECT_EQ(meter_->bytes_sent(), 11);
  EXPECT_EQ(meter_->bytes_received(), 12);
  meter_->SetDelegate(nullptr);
  EXPECT_EQ(behind_.delegate, nullptr);
}

}  // namespace
}  // namespace starling
