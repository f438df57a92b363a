#include "tests/sim/sim_coordinator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "peer/runtime/check.h"

namespace starling {

// One watcher's stream of events, and both ends of it. Once it broke, or the watcher has another,
// nothing more of it is heard.
class SimCoordinator::Stream final : public SwarmWatcher,
                                     public std::enable_shared_from_this<Stream> {
 public:
  Stream(SimCoordinator* coordinator, std::string address, SimExecutor* watcher,
         absl::AnyInvocable<void(v1::SwarmEvent)> event,
         absl::AnyInvocable<void(absl::Status)> closed)
      : coordinator_(coordinator),
        address_(std::move(address)),
        watcher_(watcher),
        event_(std::move(event)),
        closed_(std::move(closed)) {}

  const std::string& address() const { return address_; }

  void OnEvent(const v1::SwarmEvent& event) override {
    if (broken_) return;
    const absl::optional<absl::Duration> delay =
        coordinator_->network_->Passage(kAddress, address_);
    if (!delay) {
      Break(coordinator_->options_.call_timeout);
      return;
    }
    last_arrival_ = std::max(last_arrival_, watcher_->Now() + *delay);
    watcher_->ScheduleAt(last_arrival_, [self = shared_from_this(), event] {
      if (self->heard_) self->event_(event);
    });
  }

  void OnEnd() override { Break(absl::ZeroDuration()); }

  // The watcher hears of it after that long.
  void Break(absl::Duration after) {
    if (std::exchange(broken_, true)) return;
    coordinator_->Drop(shared_from_this());
    watcher_->ScheduleAt(watcher_->Now() + after, [self = shared_from_this()] {
      if (!std::exchange(self->heard_, false)) return;
      self->closed_(absl::UnavailableError("the stream from the coordinator broke"));
    });
  }

  // The watcher does not listen any more.
  void Abandon() {
    heard_ = false;
    if (!std::exchange(broken_, true)) coordinator_->Drop(shared_from_this());
  }

 private:
  SimCoordinator* const coordinator_;
  const std::string address_;
  SimExecutor* const watcher_;
  absl::AnyInvocable<void(v1::SwarmEvent)> event_;
  absl::AnyInvocable<void(absl::Status)> closed_;
  absl::Time last_arrival_ = absl::InfinitePast();
  bool broken_ = false;
  bool heard_ = true;
};

// Answered once, by the coordinator or by the clock.
template <typename Response>
struct SimCoordinator::PendingCall {
  absl::AnyInvocable<void(absl::StatusOr<Response>)> done;

  void Finish(absl::StatusOr<Response> result) {
    if (!done) return;
    auto once = std::move(done);
    done = nullptr;
    once(std::move(result));
  }
};

class SimCoordinator::Client final : public CoordinatorClient {
 public:
  Client(SimCoordinator* coordinator, std::string own_address, SimExecutor* control)
      : coordinator_(coordinator), own_address_(std::move(own_address)), control_(control) {}
  ~Client() override {
    if (stream_ != nullptr) stream_->Abandon();
  }

  const std::string& address() const override { return address_; }

  void Join(v1::JoinRequest request,
            absl::AnyInvocable<void(absl::StatusOr<v1::JoinResponse>)> done) override {
    coordinator_->Call<v1::JoinResponse>(
        own_address_, control_,
        [request = std::move(request)](CoordinatorActor& actor) {
          return actor.Join(request);
        },
        std::move(done));
  }

  void Heartbeat(v1::HeartbeatRequest request,
                 absl::AnyInvocable<void(absl::StatusOr<v1::HeartbeatResponse>)> done) override {
    coordinator_->Call<v1::HeartbeatResponse>(
        own_address_, control_,
        [request = std::move(request)](CoordinatorActor& actor) {
          return actor.Heartbeat(request);
        },
        std::move(done));
  }

  void Leave(v1::LeaveRequest request, absl::AnyInvocable<void(absl::Status)> done) override {
    coordinator_->Call<v1::LeaveResponse>(
        own_address_, control_,
        [request = std::move(request)](CoordinatorActor& actor) -> absl::StatusOr<v1::LeaveResponse> {
          actor.Leave(request);
          return v1::LeaveResponse();
        },
        [done = std::move(done)](absl::StatusOr<v1::LeaveResponse> response) mutable {
          done(response.status());
        });
  }

  void Watch(v1::WatchRequest, absl::AnyInvocable<void(v1::SwarmEvent)> event,
             absl::AnyInvocable<void(absl::Status)> closed) override {
    if (stream_ != nullptr) stream_->Abandon();
    stream_ = std::make_shared<Stream>(coordinator_, own_address_, control_, std::move(event),
                                       std::move(closed));
    coordinator_->Watch(stream_);
  }

 private:
  SimCoordinator* const coordinator_;
  const std::string address_ = kAddress;
  const std::string own_address_;
  SimExecutor* const control_;
  std::shared_ptr<Stream> stream_;
};

SimCoordinator::SimCoordinator(SimWorld* world, SimNetwork* network,
                               const SimCoordinatorOptions& options, const v1::RunConfig& config,
                               Random random)
    : world_(world), network_(network), options_(options), config_(config), random_(random) {}

SimCoordinator::~SimCoordinator() {
  if (control_ != nullptr) control_->Kill();
}

void SimCoordinator::Start() {
  STARLING_CHECK(!running());
  ++start_number_;
  control_ = world_->NewExecutor(absl::StrCat("coordinator ", start_number_));
  control_->Visit([this] {
    actor_ = std::make_unique<CoordinatorActor>(control_, options_.registry, config_, start_number_,
                                                random_.Split(start_number_),
                                                [](const v1::Member&) {});
    actor_->Start();
  });
}

void SimCoordinator::Stop() {
  if (!running()) return;
  control_->Kill();
  actor_.reset();
  for (const std::weak_ptr<Stream>& served : std::exchange(streams_, {})) {
    const std::shared_ptr<Stream> stream = served.lock();
    if (stream != nullptr && !network_->IsCut(kAddress, stream->address())) {
      stream->Break(network_->options().unreachable_after);
    }
  }
}

void SimCoordinator::Pause() {
  if (running()) control_->Pause();
}

void SimCoordinator::Resume() {
  if (running()) control_->Resume();
}

std::unique_ptr<CoordinatorClient> SimCoordinator::ClientFor(const std::string& address,
                                                             SimExecutor* control) {
  return std::make_unique<Client>(this, address, control);
}

template <typename Response>
void SimCoordinator::Call(const std::string& from, SimExecutor* caller,
                          absl::AnyInvocable<absl::StatusOr<Response>(CoordinatorActor&)> work,
                          absl::AnyInvocable<void(absl::StatusOr<Response>)> done) {
  STARLING_CHECK(caller->RunsHere());
  auto call = std::make_shared<PendingCall<Response>>();
  call->done = std::move(done);
  caller->ScheduleAt(world_->now() + options_.call_timeout, [call] {
    call->Finish(absl::DeadlineExceededError("the coordinator did not answer in time"));
  });
  if (!running()) {
    caller->ScheduleAt(world_->now() + network_->options().unreachable_after, [call] {
      call->Finish(absl::UnavailableError("nobody listens at the coordinator's address"));
    });
    return;
  }
  const absl::optional<absl::Duration> delay = network_->Passage(from, kAddress);
  if (!delay) return;
  control_->ScheduleAt(
      world_->now() + *delay,
      [this, from, caller, call = std::move(call), work = std::move(work)]() mutable {
        absl::StatusOr<Response> response = work(*actor_);
        const absl::optional<absl::Duration> back = network_->Passage(kAddress, from);
        if (!back) return;
        caller->ScheduleAt(world_->now() + *back,
                           [call = std::move(call), response = std::move(response)]() mutable {
                             call->Finish(std::move(response));
                           });
      });
}

void SimCoordinator::Watch(std::shared_ptr<Stream> stream) {
  if (!running()) {
    stream->Break(network_->options().unreachable_after);
    return;
  }
  const absl::optional<absl::Duration> delay = network_->Passage(stream->address(), kAddress);
  if (!delay) {
    stream->Break(options_.call_timeout);
    return;
  }
  control_->ScheduleAt(world_->now() + *delay, [this, stream = std::move(stream)] {
    std::erase_if(streams_, [](const auto& served) { return served.expired(); });
    streams_.push_back(stream);
    if (!actor_->AddWatcher(stream).ok()) stream->Break(absl::ZeroDuration());
  });
}

void SimCoordinator::Drop(std::shared_ptr<Stream> stream) {
  // Posted: it may be one of those that are being served right now.
  if (running()) {
    control_->Post([this, stream = std::move(stream)] { actor_->RemoveWatcher(stream.get()); });
  }
}

}  // namespace starling
