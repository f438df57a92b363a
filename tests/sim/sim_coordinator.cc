#include "tests/sim/sim_coordinator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

// A coordinator that lost its state counts from 1; this is what one with its state has come to.
constexpr uint64_t kFirstStart = 1'000'000;

}  // namespace

struct SimCoordinator::Process {
  SimExecutor* control = nullptr;
  std::unique_ptr<CoordinatorActor> actor;
  std::vector<std::weak_ptr<Stream>> streams;  // that it has served
};

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
  // Who serves it; dead or alive.
  std::shared_ptr<Process> process;

  void OnEvent(const v1::SwarmEvent& event) override {
    if (broken_) return;
    const absl::optional<absl::Duration> delay =
        coordinator_->network_->Passage(kAddress, address_);
    if (!delay) {
      Break(coordinator_->options_.call_timeout);
      return;
    }
    last_arrival_ = std::max(last_arrival_, coordinator_->world_->now() + *delay);
    watcher_->ArriveAt(last_arrival_, [self = shared_from_this(), event] {
      if (self->heard_) self->event_(event);
    });
  }

  void OnEnd() override { Break(absl::ZeroDuration()); }

  // The watcher hears of it after that long.
  void Break(absl::Duration after) {
    if (std::exchange(broken_, true)) return;
    coordinator_->Drop(shared_from_this());
    watcher_->ArriveAt(coordinator_->world_->now() + after, [self = shared_from_this()] {
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
    : world_(world),
      network_(network),
      options_(options),
      config_(config),
      random_(random),
      start_number_(kFirstStart) {}

SimCoordinator::~SimCoordinator() {
  for (const auto& process : processes_) {
    process->control->Kill();
    process->actor.reset();
  }
}

void SimCoordinator::StartProcess(uint64_t start_number) {
  auto process = std::make_shared<Process>();
  process->control = world_->NewExecutor(absl::StrCat("coordinator ", start_number));
  process->control->Visit([&] {
    process->actor = std::make_unique<CoordinatorActor>(
        process->control, options_.registry, config_, start_number, random_.Split(start_number),
        [](const v1::Member&) {});
    process->actor->Start();
  });
  processes_.push_back(std::move(process));
}

void SimCoordinator::Start(bool with_lost_state) {
  STARLING_CHECK(!running());
  StartProcess(with_lost_state ? ++lost_starts_ : ++start_number_);
}

void SimCoordinator::StartAnother() {
  STARLING_CHECK(processes_.size() == 1);
  StartProcess(++start_number_);
}

void SimCoordinator::Stop() {
  while (running()) StopFirst();
}

void SimCoordinator::StopFirst() {
  if (!running()) return;
  const std::shared_ptr<Process> process = processes_.front();
  processes_.erase(processes_.begin());
  process->control->Kill();
  process->actor.reset();
  for (const std::weak_ptr<Stream>& served : std::exchange(process->streams, {})) {
    const std::shared_ptr<Stream> stream = served.lock();
    if (stream != nullptr && !network_->IsCut(kAddress, stream->address())) {
      stream->Break(network_->options().unreachable_after);
    }
  }
}

void SimCoordinator::Pause() {
  for (const auto& process : processes_) process->control->Pause();
}

void SimCoordinator::Resume() {
  for (const auto& process : processes_) process->control->Resume();
}

bool SimCoordinator::paused() const {
  return std::any_of(processes_.begin(), processes_.end(),
                     [](const auto& process) { return process->control->paused(); });
}

// Of two, peers find one or the other, by their addresses, and whoever found one keeps finding it.
std::shared_ptr<SimCoordinator::Process> SimCoordinator::ProcessFor(
    const std::string& address) const {
  if (processes_.empty()) return nullptr;
  uint64_t sum = start_number_;
  for (const char c : address) sum = sum * 31 + static_cast<unsigned char>(c);
  return processes_[sum % processes_.size()];
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
  caller->ScheduleAt(caller->Now() + options_.call_timeout, [call] {
    call->Finish(absl::DeadlineExceededError("the coordinator did not answer in time"));
  });
  const std::shared_ptr<Process> process = ProcessFor(from);
  if (process == nullptr) {
    caller->ArriveAt(world_->now() + network_->options().unreachable_after, [call] {
      call->Finish(absl::UnavailableError("nobody listens at the coordinator's address"));
    });
    return;
  }
  const absl::optional<absl::Duration> delay = network_->Passage(from, kAddress);
  if (!delay) return;
  process->control->ArriveAt(
      world_->now() + *delay,
      [this, process, from, caller, call = std::move(call), work = std::move(work)]() mutable {
        absl::StatusOr<Response> response = work(*process->actor);
        const absl::optional<absl::Duration> back = network_->Passage(kAddress, from);
        if (!back) return;
        caller->ArriveAt(world_->now() + *back,
                           [call = std::move(call), response = std::move(response)]() mutable {
                             call->Finish(std::move(response));
                           });
      });
}

void SimCoordinator::Watch(std::shared_ptr<Stream> stream) {
  const std::shared_ptr<Process> process = ProcessFor(stream->address());
  if (process == nullptr) {
    stream->Break(network_->options().unreachable_after);
    return;
  }
  const absl::optional<absl::Duration> delay = network_->Passage(stream->address(), kAddress);
  if (!delay) {
    stream->Break(options_.call_timeout);
    return;
  }
  process->control->ArriveAt(world_->now() + *delay, [process, stream = std::move(stream)] {
    std::erase_if(process->streams, [](const auto& served) { return served.expired(); });
    process->streams.push_back(stream);
    stream->process = process;
    if (!process->actor->AddWatcher(stream).ok()) stream->Break(absl::ZeroDuration());
  });
}

void SimCoordinator::Drop(std::shared_ptr<Stream> stream) {
  const std::shared_ptr<Process> process = stream->process;
  if (process == nullptr) return;
  // Posted: it may be one of those that are being served right now. Nothing happens if it is dead.
  process->control->Post([process, stream = std::move(stream)] {
    process->actor->RemoveWatcher(stream.get());
  });
}

}  // namespace starling
