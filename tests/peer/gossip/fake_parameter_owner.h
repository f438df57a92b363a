// An owner of parameters whose step boundaries come when the test says so.

#ifndef STARLING_TESTS_PEER_GOSSIP_FAKE_PARAMETER_OWNER_H_
#define STARLING_TESTS_PEER_GOSSIP_FAKE_PARAMETER_OWNER_H_

#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "peer/runtime/shared_bytes.h"
#include "peer/training/parameter_owner.h"

namespace starling {

inline SharedBytes BytesOf(const std::vector<float>& values) {
  auto copy = std::make_shared<std::vector<float>>(values);
  const float* data = copy->data();
  return SharedBytes(std::move(copy), data, values.size() * sizeof(float));
}

class FakeParameterOwner : public ParameterOwner {
 public:
  explicit FakeParameterOwner(std::vector<float> initial) : values(std::move(initial)) {}

  // Serves everything that waits.
  void Boundary() {
    while (!waiting_.empty()) {
      auto work = std::move(waiting_.front());
      waiting_.pop_front();
      work();
    }
  }
  size_t waiting() const { return waiting_.size(); }

  size_t size() const override { return values.size(); }
  bool TakeSnapshot(absl::AnyInvocable<void(Snapshot)> done) override {
    return Accept([this, done = std::move(done)]() mutable {
      ++snapshots;
      done(Snapshot{BytesOf(values), step, samples});
    });
  }
  bool RespondToMix(std::shared_ptr<const MixRule> rule, size_t offset, size_t elements,
                    SharedBytes incoming, absl::AnyInvocable<void(MixAnswer)> done) override {
    return Accept([this, rule, offset, elements, incoming, done = std::move(done)]() mutable {
      ++responses;
      std::vector<float> reply(elements);
      const MixNorms norms = rule->Respond(
          absl::MakeSpan(values).subspan(offset, elements),
          incoming.empty() ? absl::Span<const float>() : incoming.floats(), absl::MakeSpan(reply));
      done(MixAnswer{BytesOf(reply), norms.squared_distance, norms.squared_delta, step});
    });
  }
  bool CommitMix(std::shared_ptr<const MixRule> rule, size_t offset, SharedBytes snapshot,
                 SharedBytes reply, absl::AnyInvocable<void(double)> done) override {
    return Accept([this, rule, offset, snapshot, reply, done = std::move(done)]() mutable {
      ++commits;
      done(rule->Commit(absl::MakeSpan(values).subspan(offset, reply.floats().size()),
                        snapshot.floats(), reply.floats()));
    });
  }
  bool ApplyDisplacement(size_t, SharedBytes, SharedBytes, absl::AnyInvocable<void()>) override {
    return false;
  }

  std::vector<float> values;
  uint64_t step = 0;
  uint64_t samples = 0;
  bool full = false;  // refuses everything
  int snapshots = 0;
  int responses = 0;
  int commits = 0;

 private:
  bool Accept(absl::AnyInvocable<void()> work) {
    if (full) return false;
    waiting_.push_back(std::move(work));
    return true;
  }

  std::deque<absl::AnyInvocable<void()>> waiting_;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_GOSSIP_FAKE_PARAMETER_OWNER_H_
