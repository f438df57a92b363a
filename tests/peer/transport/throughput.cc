// How fast frames travel between two transports in this process over the loopback: prints GB/s of
// `rounds` bursts of 64 frames of 1 MiB (or `frames` of `mebibytes`).

#include <cstdio>
#include <cstdlib>

#include "absl/time/clock.h"
#include "tests/peer/transport/transport_test_util.h"

namespace starling {
namespace {

class CountingDelegate final : public Transport::Delegate {
 public:
  void OnFrame(Frame, std::shared_ptr<ReplyPath>) override {
    absl::MutexLock lock(&mutex_);
    ++count_;
  }
  void OnFrameRefused(const v1::ShardHeader&, v1::RefusalReason) override { std::abort(); }
  void OnControl(v1::ControlRequest, ControlResponder) override {}
  void OnPathBroken(const std::string&, const absl::Status&) override {}

  void Await(int count) {
    absl::MutexLock lock(&mutex_);
    auto enough = [this, count] { return count_ >= count; };
    mutex_.Await(absl::Condition(&enough));
  }

 private:
  absl::Mutex mutex_;
  int count_ = 0;
};

void Measure(int rounds, int frames, int mebibytes) {
  TestNode a, b;
  CountingDelegate counter;
  RunOn(b.control, [&] { b.transport->SetDelegate(&counter); });
  const size_t elements = (size_t{1} << 18) * mebibytes;
  const Frame frame = RequestFrame(1, std::vector<float>(elements, 0.5f));
  const std::string to = b.address();
  for (int round = 0; round < rounds; ++round) {
    const absl::Time start = absl::Now();
    RunOn(a.control, [&] {
      for (int i = 0; i < frames; ++i) a.transport->SendFrame(to, frame).IgnoreError();
    });
    counter.Await(frames * (round + 1));
    const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
    std::printf("%d frames of %d MiB: %.2f GB/s\n", frames, mebibytes,
                frames * elements * sizeof(float) / seconds / 1e9);
  }
  RunOn(b.control, [&] { b.transport->SetDelegate(nullptr); });
}

}  // namespace
}  // namespace starling

int main(int argc, char** argv) {
  auto argument = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  starling::Measure(argument(1, 5), argument(2, 64), argument(3, 1));
}
