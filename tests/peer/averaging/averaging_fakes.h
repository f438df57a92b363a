// The seams of the AveragingActor with nothing behind them: a transport that writes down what it is given,
// an owner of parameters without a trainer.

#ifndef STARLING_TESTS_PEER_AVERAGING_AVERAGING_FAKES_H_
#define STARLING_TESTS_PEER_AVERAGING_AVERAGING_FAKES_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "peer/training/parameter_owner.h"
#include "peer/transport/frame.h"
#include "peer/transport/transport.h"

namespace starling {

struct SentFrame {
  std::string address;
  Frame frame;
};

class RecordingTransport : public Transport {
 public:
  void SetDelegate(Delegate*) override {}
  absl::Status SendFrame(const std::string& address, Frame frame) override {
    if (full) return absl::ResourceExhaustedError("full");
    sent.push_back({address, std::move(frame)});
    return absl::OkStatus();
  }
  void Call(const std::string&, v1::ControlRequest, absl::Duration, CallCallback) override {}
  void Forget(const std::string&) override {}
  uint64_t bytes_sent() const override { return 0; }
  uint64_t bytes_received() const override { return 0; }

  bool full = false;
  std::vector<SentFrame> sent;
};

class RecordingReplyPath : public ReplyPath {
 public:
  void Send(Frame frame) override { sent.push_back(std::move(frame)); }

  std::vector<Frame> sent;
};

class ParametersWithoutTrainer : public ParameterOwner {
 public:
  explicit ParametersWithoutTrainer(std::vector<float> initial) : values(std::move(initial)) {}

  size_t size() const override { return values.size(); }
  bool TakeSnapshot(std::shared_ptr<const Codec>,
                    absl::AnyInvocable<void(Snapshot)> done) override {
    ++snapshots_asked;
    if (busy) return false;
    if (hold_snapshots) {
      held = std::move(done);
    } else {
      done(MakeSnapshot());
    }
    return true;
  }
  bool TakeShard(size_t, size_t, absl::AnyInvocable<void(Snapshot)>) override { return false; }
  bool GiveSnapshot(std::shared_ptr<const Codec>,
                    absl::AnyInvocable<void(Snapshot)>) override {
    return false;
  }
  void ReturnMass(size_t, double) override {}
  bool RespondToMix(std::shared_ptr<const MixRule>, size_t, size_t, CodedBytes, MixTerms,
                    std::shared_ptr<const Codec>,
                    absl::AnyInvocable<void(MixAnswer)>) override {
    return false;
  }
  bool CommitMix(std::shared_ptr<const MixRule>, size_t, size_t, CodedBytes, CodedBytes, MixTerms, uint32_t,
                 absl::AnyInvocable<void(absl::StatusOr<double>)>) override {
    return false;
  }
  void DropAnchors() override {}
  bool ApplyDisplacement(size_t offset, SharedBytes average, SharedBytes snapshot,
                         absl::AnyInvocable<void()> done) override {
    if (busy) return false;
    for (size_t i = 0; i < average.floats().size(); ++i) {
      values[offset + i] += average.floats()[i] - snapshot.floats()[i];
    }
    done();
    return true;
  }

  Snapshot MakeSnapshot() const {
    auto copy = std::make_shared<std::vector<float>>(values);
    const float* data = copy->data();
    return Snapshot{.values = SharedBytes(std::move(copy), data, values.size() * sizeof(float)),
                    .step = 42};
  }

  std::vector<float> values;
  bool busy = false;
  bool hold_snapshots = false;
  absl::AnyInvocable<void(Snapshot)> held;
  int snapshots_asked = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_AVERAGING_AVERAGING_FAKES_H_
