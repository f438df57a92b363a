#include "peer/bootstrap.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "peer/runtime/awaited.h"

namespace starling {
namespace {

constexpr absl::Duration kFirstBackoff = absl::Milliseconds(200);
constexpr absl::Duration kLongestBackoff = absl::Seconds(5);
constexpr absl::Duration kPatienceWithCall = absl::Seconds(10);

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

// Its name and what went wrong there.
std::string SaidBy(const CoordinatorClient& coordinator, absl::string_view what,
                   absl::string_view message) {
  return absl::StrCat("coordinator at ", coordinator.address(), " ", what, ": ", message);
}

// Asked again it would say the same.
bool IsFinal(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsAlreadyExists(status) ||
         absl::IsInvalidArgument(status);
}

absl::Status Refusal(const CoordinatorClient& coordinator, const absl::Status& status) {
  return absl::Status(
      absl::IsAlreadyExists(status) ? status.code() : absl::StatusCode::kFailedPrecondition,
      SaidBy(coordinator, "refuses this peer", status.message()));
}

// Sends `request` and waits for what comes of it, at most `timeout`.
absl::StatusOr<v1::JoinResponse> Join(Executor* control, CoordinatorClient* coordinator,
                                      const v1::JoinRequest& request, absl::Duration timeout,
                                      const std::function<bool()>& stopped) {
  auto answer = std::make_shared<Awaited<absl::StatusOr<v1::JoinResponse>>>();
  control->Post([coordinator, request, answer] {
    coordinator->Join(request, [answer](absl::StatusOr<v1::JoinResponse> response) {
      answer->Set(std::move(response));
    });
  });
  auto response = answer->Wait(timeout, stopped);
  if (stopped()) return absl::CancelledError("stopped while joining");
  if (response) return *std::move(response);
  return absl::DeadlineExceededError(
      absl::StrCat("no answer for ", absl::FormatDuration(timeout)));
}

absl::StatusOr<v1::RunConfig> AskCoordinator(Executor* control, Transport* transport,
                                             CoordinatorClient* coordinator,
                                             const BootstrapOptions& options) {
  absl::Duration backoff = kFirstBackoff;
  const absl::Time deadline = control->Now() + options.join_timeout;
  std::string last_error;
  for (;;) {
    v1::JoinRequest question;  // without a run: nobody is registered
    *question.mutable_member() = options.self;
    question.set_expect_model(options.expect_model);
    question.set_expect_algorithm(options.expect_algorithm);
    const absl::Duration patience =
        std::clamp(deadline - control->Now(), kFirstBackoff, kPatienceWithCall);
    const auto response = Join(control, coordinator, question, patience, options.stopped);
    if (response.ok()) return response->config();
    if (absl::IsCancelled(response.status())) return response.status();
    if (IsFinal(response.status())) return Refusal(*coordinator, response.status());
    const std::string error(response.status().message());
    if (error != last_error) {
      options.log(absl::StrCat(SaidBy(*coordinator, "does not answer", error), "; trying again"));
      last_error = error;
    }
    const absl::Duration left = deadline - control->Now();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(
          absl::StrCat("coordinator at ", coordinator->address(), " did not answer within ",
                       absl::FormatDuration(options.join_timeout), ": ", error));
    }
    // A swarm that goes on without its coordinator takes in whoever comes back.
    if (const auto config = AskPeers(control, transport, options, std::min(backoff, left))) {
      return *config;
    }
    if (options.stopped()) return absl::CancelledError("stopped while joining");
    backoff = std::min(backoff * 2, kLongestBackoff);
  }
}

}  // namespace

absl::StatusOr<v1::RunConfig> FindRun(Executor* control, Transport* transport,
                                      CoordinatorClient* coordinator,
                                      const BootstrapOptions& options) {
  if (coordinator != nullptr) {
    auto config = AskCoordinator(control, transport, coordinator, options);
    if (!config.ok()) return config;
    const absl::Status expected = CheckExpected(options, *config, "the swarm");
    if (!expected.ok()) return expected;
    return config;
  }
  if (options.seeds.empty() || options.found) return options.own;
  // Whoever says how long to look wants that swarm, and no other.
  const bool only_that = options.join_timeout != absl::InfiniteDuration();
  const absl::Duration patience = only_that ? options.join_timeout : options.patience;
  const auto config = AskPeers(control, transport, options, patience);
  if (options.stopped()) return absl::CancelledError("stopped while looking for peers");
  if (config) {
    const absl::Status expected = CheckExpected(options, *config, "the swarm");
    if (!expected.ok()) return expected;
    return *config;
  }
  const std::string nobody =
      absl::StrCat("no peer answers at ", absl::StrJoin(options.seeds, ", "), " within ",
                   absl::FormatDuration(patience));
  if (only_that) {
    return absl::DeadlineExceededError(
        absl::StrCat(nobody, " (--join_timeout); start one of them, or found a swarm with --bootstrap"));
  }
  options.log(absl::StrCat(nobody, "; starting as the first of a swarm, and asking on"));
  return options.own;
}

absl::StatusOr<absl::optional<uint32_t>> TakeSlot(Executor* control, CoordinatorClient* coordinator,
                                                  RunId run, const BootstrapOptions& options) {
  v1::JoinRequest request;
  *request.mutable_member() = options.self;
  request.set_run_id(run.value());
  absl::Duration left = options.patience;
  for (;;) {
    const auto response = Join(control, coordinator, request, options.patience, options.stopped);
    if (response.ok()) return response->slot();
    if (absl::IsCancelled(response.status())) return response.status();
    if (IsFinal(response.status())) return Refusal(*coordinator, response.status());
    left -= absl::IsDeadlineExceeded(response.status()) ? options.patience : kFirstBackoff;
    if (left <= absl::ZeroDuration()) {
      options.log(absl::StrCat(
          SaidBy(*coordinator, "gives out no slot", response.status().message()),
          "; going on without it, and asking on"));
      return absl::nullopt;
    }
    Awaited<bool> nothing;
    nothing.Wait(kFirstBackoff, options.stopped);
  }
}

}  // namespace starling
