#include "peer/bootstrap.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"

namespace starling {
namespace {

constexpr absl::Duration kFirstBackoff = absl::Milliseconds(200);
constexpr absl::Duration kLongestBackoff = absl::Seconds(5);
constexpr absl::Duration kPoll = absl::Milliseconds(100);

// A value that one thread waits for and another delivers, once.
template <typename T>
class Awaited {
 public:
  void Set(T value) {
    absl::MutexLock lock(&mutex_);
    if (!value_) value_ = std::move(value);
  }
  // nullopt after `timeout`, or when `stopped` says so.
  absl::optional<T> Wait(absl::Duration timeout, const std::function<bool()>& stopped) {
    absl::MutexLock lock(&mutex_);
    while (!value_ && timeout > absl::ZeroDuration() && !stopped()) {
      const absl::Duration slice = std::min(timeout, kPoll);
      mutex_.AwaitWithTimeout(absl::Condition(this, &Awaited::HasValue), slice);
      timeout -= slice;
    }
    return value_;
  }

 private:
  bool HasValue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return value_.has_value(); }
  absl::Mutex mutex_;
  absl::optional<T> value_ ABSL_GUARDED_BY(mutex_);
};

absl::Status CheckExpected(const BootstrapOptions& options, const v1::RunConfig& config,
                           const std::string& whose) {
  if (!options.expect_model.empty() && options.expect_model != config.model().name()) {
    return absl::FailedPreconditionError(absl::StrCat(
        whose, " trains model \"", config.model().name(), "\", this peer was started with --model=",
        options.expect_model, "; leave the flag out or join another swarm"));
  }
  if (!options.expect_algorithm.empty() && options.expect_algorithm != config.algorithm().name()) {
    return absl::FailedPreconditionError(
        absl::StrCat(whose, " runs algorithm \"", config.algorithm().name(),
                     "\", this peer was started with --algorithm=", options.expect_algorithm,
                     "; leave the flag out or join another swarm"));
  }
  return absl::OkStatus();
}

// The first living peer's run; nullopt if none answers in time.
absl::optional<v1::RunConfig> AskPeers(Executor* control, Transport* transport,
                                       const BootstrapOptions& options, absl::Duration patience) {
  auto answer = std::make_shared<Awaited<v1::RunConfig>>();
  absl::Duration left = patience;
  while (left > absl::ZeroDuration() && !options.stopped()) {
    for (const std::string& seed : options.seeds) {
      if (seed == options.self.address()) continue;
      v1::ControlRequest request;
      *request.mutable_sender() = options.self;
      request.mutable_get_run();
      control->Post([transport, seed, request, answer] {
        transport->Call(seed, request, absl::Seconds(2),
                        [answer](absl::StatusOr<v1::ControlResponse> response) {
                          if (response.ok() && response->has_run()) {
                            answer->Set(response->run().config());
                          }
                        });
      });
    }
    const absl::Duration slice = std::min(left, absl::Milliseconds(500));
    if (auto config = answer->Wait(slice, options.stopped)) return config;
    left -= slice;
  }
  return absl::nullopt;
}

absl::StatusOr<BootstrapResult> AskCoordinator(Executor* control, Transport* transport,
                                               CoordinatorClient* coordinator,
                                               const BootstrapOptions& options) {
  absl::Duration backoff = kFirstBackoff;
  absl::Duration left = options.join_timeout;
  std::string last_error;
  for (;;) {
    auto answer = std::make_shared<Awaited<absl::StatusOr<v1::JoinResponse>>>();
    v1::JoinRequest request;
    *request.mutable_member() = options.self;
    request.set_expect_model(options.expect_model);
    request.set_expect_algorithm(options.expect_algorithm);
    control->Post([coordinator, request, answer] {
      coordinator->Join(request, [answer](absl::StatusOr<v1::JoinResponse> response) {
        answer->Set(std::move(response));
      });
    });
    const auto response = answer->Wait(absl::Seconds(10), options.stopped);
    if (options.stopped()) return absl::CancelledError("stopped while joining");
    absl::Status status = response ? response->status()
                                   : absl::DeadlineExceededError("no answer for 10 s");
    if (status.ok()) {
      BootstrapResult result;
      result.config = (*response)->config();
      result.peer_id = (*response)->peer_id();
      result.slot = (*response)->slot();
      result.has_slot = true;
      return result;
    }
    if (absl::IsFailedPrecondition(status) || absl::IsAlreadyExists(status) ||
        absl::IsInvalidArgument(status)) {
      return absl::Status(
          absl::IsAlreadyExists(status) ? status.code() : absl::StatusCode::kFailedPrecondition,
          absl::StrCat("coordinator at ", coordinator->address(),
                       " refuses this peer: ", status.message()));
    }
    const std::string error(status.message());
    if (error != last_error) {
      options.log(absl::StrCat("coordinator at ", coordinator->address(), " does not answer: ",
                               error, "; trying again"));
      last_error = error;
    }
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(
          absl::StrCat("coordinator at ", coordinator->address(), " did not answer within ",
                       absl::FormatDuration(options.join_timeout), ": ", error));
    }
    // A swarm that goes on without its coordinator takes in whoever comes back.
    if (const auto config = AskPeers(control, transport, options, backoff)) {
      BootstrapResult result;
      result.config = *config;
      result.peer_id = options.self.peer_id();
      return result;
    }
    if (options.stopped()) return absl::CancelledError("stopped while joining");
    left -= backoff;
    backoff = std::min(backoff * 2, kLongestBackoff);
  }
}

}  // namespace

absl::StatusOr<BootstrapResult> FindRun(Executor* control, Transport* transport,
                                        CoordinatorClient* coordinator,
                                        const BootstrapOptions& options) {
  if (coordinator != nullptr) {
    auto result = AskCoordinator(control, transport, coordinator, options);
    if (!result.ok()) return result;
    const absl::Status expected = CheckExpected(options, result->config, "the swarm");
    if (!expected.ok()) return expected;
    return result;
  }
  BootstrapResult result;
  result.peer_id = options.self.peer_id();
  if (!options.seeds.empty() && !options.found) {
    const auto config = AskPeers(control, transport, options, options.patience);
    if (options.stopped()) return absl::CancelledError("stopped while looking for peers");
    if (config) {
      const absl::Status expected = CheckExpected(options, *config, "the swarm");
      if (!expected.ok()) return expected;
      result.config = *config;
      return result;
    }
    options.log(absl::StrCat("no peer answers at ", absl::StrJoin(options.seeds, ", "), " within ",
                             absl::FormatDuration(options.patience),
                             "; starting as the first of a swarm, and asking on"));
  }
  result.config = options.own;
  return result;
}

}  // namespace starling
