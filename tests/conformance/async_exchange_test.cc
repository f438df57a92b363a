// Exchanges that take time: which rules of admission keep pairs that ask across each other from
// going wrong. Eight workers, each asking a random other when its clock strikes, on average once
// per unit of time; every message takes `latency` +- 50 %. No gradients: all that moves is the
// mixing.

#include <algorithm>
#include <cmath>
#include <queue>

#include "gtest/gtest.h"
#include "peer/gossip/elastic_mix.h"
#include "tests/conformance/pair_swarm.h"

namespace starling {
namespace {

constexpr size_t kWorkers = 8;
constexpr size_t kNobody = kWorkers;

enum class Admission {
  // Everybody asks whenever the clock strikes, and answers everything.
  kUnlimited,
  // One request under way per worker; of two that cross, that of the lower id counts.
  kOneOutgoing,
  // Besides, who waits for an answer gives none.
  kExclusive,
};

struct Event {
  enum class Kind { kClock, kRequest, kReply, kRefusal };
  double time;
  Kind kind;
  size_t initiator;
  size_t responder;
  Values snapshot;
  Values reply;

  bool operator<(const Event& other) const { return time > other.time; }
};

class Swarm {
 public:
  Swarm(Admission admission, double alpha, double latency, uint64_t seed)
      : admission_(admission),
        rule_(MakeElasticMix(alpha)),
        latency_(latency),
        random_(seed),
        workers_(ScatteredStart(kWorkers, 8, seed)) {}

  void Run(double duration) {
    for (size_t i = 0; i < kWorkers; ++i) StrikeAgain(0, i);
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      Handle(event, event.time < duration);
    }
  }

  const std::vector<Values>& workers() const { return workers_; }

 private:
  void StrikeAgain(double now, size_t worker) {
    events_.push({now + random_.Exponential(1), Event::Kind::kClock, worker, 0, {}, {}});
  }

  void Send(Event event, Event::Kind kind) {
    event.time += latency_ * (0.5 + random_.Uniform());
    event.kind = kind;
    events_.push(std::move(event));
  }

  bool Refuses(const Event& request) const {
    const size_t waits_for = waits_for_[request.responder];
    if (admission_ == Admission::kUnlimited || waits_for == kNobody) return false;
    if (admission_ == Admission::kExclusive) return true;
    return waits_for == request.initiator && request.responder < request.initiator;
  }

  // After the end nothing new begins, and what is under way arrives.
  void Handle(Event event, bool running) {
    const size_t a = event.initiator;
    const size_t b = event.responder;
    switch (event.kind) {
      case Event::Kind::kClock:
        if (!running) return;
        StrikeAgain(event.time, a);
        if (admission_ != Admission::kUnlimited && waits_for_[a] != kNobody) return;
        event.responder = (a + 1 + random_.UniformInt(kWorkers - 1)) % kWorkers;
        event.snapshot = workers_[a];
        waits_for_[a] = event.responder;
        return Send(std::move(event), Event::Kind::kRequest);
      case Event::Kind::kRequest: {
        if (Refuses(event)) return Send(std::move(event), Event::Kind::kRefusal);
        event.reply.resize(event.snapshot.size());
        MixTerms terms;
        rule_->Respond(absl::MakeSpan(workers_[b]), event.snapshot, absl::MakeSpan(event.reply),
                       terms);
        return Send(std::move(event), Event::Kind::kReply);
      }
      case Event::Kind::kReply:
        rule_->Commit(absl::MakeSpan(workers_[a]), event.snapshot, event.reply, {});
        [[fallthrough]];
      case Event::Kind::kRefusal:
        waits_for_[a] = kNobody;
    }
  }

  const Admission admission_;
  const std::shared_ptr<const MixRule> rule_;
  const double latency_;
  Random random_;
  std::vector<Values> workers_;
  std::vector<size_t> waits_for_ = std::vector<size_t>(kWorkers, kNobody);
  std::priority_queue<Event> events_;
};

// Median over 15 seeds of what is left of the variance after 60 units of time.
double VarianceLeft(Admission admission, double alpha, double latency) {
  std::vector<double> left;
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    Swarm swarm(admission, alpha, latency, seed);
    const std::vector<Values> before = swarm.workers();
    swarm.Run(60);
    left.push_back(Spread(swarm.workers()) / Spread(before));
    for (size_t k = 0; k < 8; ++k) {
      // Rounding is in proportion to what the values grew to.
      const double tolerance = 1e-5 * (1 + std::sqrt(Spread(swarm.workers())));
      EXPECT_NEAR(Mean(swarm.workers())[k], Mean(before)[k], 30 * tolerance);
    }
  }
  std::sort(left.begin(), left.end());
  return left[7];
}

TEST(AsyncExchangeTest, UnlimitedExchangesAgreeWhileMessagesAreFast) {
  EXPECT_LT(VarianceLeft(Admission::kUnlimited, 0.5, 0.05), 1e-9);
  EXPECT_LT(VarianceLeft(Admission::kUnlimited, 0.25, 0.5), 1e-9);
}

TEST(AsyncExchangeTest, UnlimitedExchangesDivergeWhenMessagesTakeLongerThanTheirInterval) {
  EXPECT_GT(VarianceLeft(Admission::kUnlimited, 0.5, 2), 1);
  EXPECT_GT(VarianceLeft(Admission::kUnlimited, 0.75, 0.5), 1);
  EXPECT_LT(VarianceLeft(Admission::kUnlimited, 0.25, 2), 0.01);
}

TEST(AsyncExchangeTest, OneRequestUnderWayPerWorkerIsEnoughToAgreeAtEveryLatency) {
  EXPECT_LT(VarianceLeft(Admission::kOneOutgoing, 0.5, 0.05), 1e-9);
  EXPECT_LT(VarianceLeft(Admission::kOneOutgoing, 0.5, 0.5), 1e-9);
  EXPECT_LT(VarianceLeft(Admission::kOneOutgoing, 0.5, 2), 1e-3);
  EXPECT_LT(VarianceLeft(Admission::kOneOutgoing, 0.75, 2), 1);
}

TEST(AsyncExchangeTest, ExclusiveExchangesAgreeTooButMakeFewer) {
  const double exclusive = VarianceLeft(Admission::kExclusive, 0.5, 2);
  EXPECT_LT(exclusive, 0.3);
  EXPECT_GT(exclusive, VarianceLeft(Admission::kOneOutgoing, 0.5, 2));
}

}  // namespace
}  // namespace starling
