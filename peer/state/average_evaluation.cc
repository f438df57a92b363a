#include "peer/codec/registry.h"
#include "peer/state/average_evaluation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace starling {

AverageEvaluation::AverageEvaluation(Executor* control, Transport* transport, BufferPool* pool,
                                     ParameterOwner* parameters, EvaluationActor* evaluator,
                                     const FrameIdentity& self)
    : Actor(control, /*mailbox_capacity=*/64),
      transport_(transport),
      pool_(pool),
      parameters_(parameters),
      evaluator_(evaluator),
      self_(self) {}

void AverageEvaluation::Start(v1::ControlRequest request_template,
                              std::map<PeerId, std::string> others, Callback done) {
  AssertHere();
  if (done_) {
    done(absl::ResourceExhaustedError("another evaluation of the average is running; try again"));
    return;
  }
  done_ = std::move(done);
  request_template_ = std::move(request_template);
  waiting_ = std::move(others);
  collected_.clear();
  sum_.assign(self_.shards.elements, 0.0);
  sum_of_squares_ = 0;
  response_.Clear();
  const bool posted = parameters_->TakeSnapshot(
      PlainCodec(), Deliver<Snapshot>([this](Snapshot snapshot) {
    Collect(self_.peer, snapshot.values);
    FetchNext();
  }));
  if (!posted) Finish(absl::UnavailableError("the trainer is too busy to copy its parameters"));
}

void AverageEvaluation::Collect(PeerId peer, const SharedBytes& values) {
  const absl::Span<const float> floats = values.floats();
  double squares = 0;
  for (size_t i = 0; i < floats.size(); ++i) {
    sum_[i] += floats[i];
    squares += static_cast<double>(floats[i]) * floats[i];
  }
  sum_of_squares_ += squares;
  collected_.push_back(peer);
  response_.add_peer_ids(peer.ToString());
}

void AverageEvaluation::FetchNext() {
  if (waiting_.empty()) {
    Evaluate();
    return;
  }
  const auto [donor, address] = *waiting_.begin();
  waiting_.erase(waiting_.begin());
  StateFetcher::Events events;
  events.on_done = Deliver<FetchedState>([this, donor = donor](FetchedState state) {
    fetcher_.reset();
    Collect(donor, state.snapshot.values);
    FetchNext();
  });
  events.on_lost = [lost = DeliverEach<absl::Status>([this, donor = donor](absl::Status why) {
                      fetcher_.reset();
                      response_.add_missing(absl::StrCat(donor.ToString(), ": ", why.message()));
                      FetchNext();
                    })](PeerId, absl::Status why) { lost(std::move(why)); };
  fetcher_ = std::make_unique<StateFetcher>(executor(), transport_, pool_, self_,
                                            request_template_, FetchMode::kOneCopy,
                                            StateSourceOptions(), std::move(events));
  fetcher_->AddDonor(donor, address);
}

void AverageEvaluation::Evaluate() {
  const double count = static_cast<double>(collected_.size());
  MutableBuffer average = pool_->Take(sum_.size());
  double squared_average = 0;
  for (size_t i = 0; i < sum_.size(); ++i) {
    const double mean = sum_[i] / count;
    average.floats()[i] = static_cast<float>(mean);
    squared_average += mean * mean;
  }
  // mean |x_i - average|^2 = mean |x_i|^2 - |average|^2
  response_.set_consensus_distance(
      std::sqrt(std::max(0.0, sum_of_squares_ / count - squared_average)));
  const bool posted = evaluator_->Evaluate(
      std::move(average).Freeze(),
      Deliver<absl::StatusOr<Evaluation>>([this](absl::StatusOr<Evaluation> result) {
        if (!result.ok()) {
          Finish(result.status());
          return;
        }
        response_.set_test_accuracy(result->accuracy);
        response_.set_test_loss(result->loss);
        Finish(response_);
      }));
  if (!posted) Finish(absl::ResourceExhaustedError("too many evaluations wait; try again"));
}

bool AverageEvaluation::OnFrame(const Frame& frame) {
  AssertHere();
  return fetcher_ != nullptr && fetcher_->OnFrame(frame);
}

void AverageEvaluation::Finish(absl::StatusOr<v1::EvaluateAverageResponse> result) {
  auto done = std::move(done_);
  done_ = nullptr;
  sum_ = {};
  done(std::move(result));
}

}  // namespace starling
