#include "tests/sim/detection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

constexpr uint64_t kRun = 7;

SimNetworkOptions Network(double loss) {
  SimNetworkOptions options;
  options.loss = loss;
  options.delay_floor = absl::Microseconds(250);
  options.delay_spread = absl::Microseconds(250);
  return options;
}

bool Reachable(v1::PeerState state) {
  return state == v1::PEER_STATE_JOINING || state == v1::PEER_STATE_ALIVE;
}

}  // namespace

class DetectionSwarm::Router final : public Transport::Delegate {
 public:
  explicit Router(MembershipActor* actor) : actor_(actor) {}

  void OnFrame(Frame, std::shared_ptr<ReplyPath>) override {}
  void OnFrameRefused(const v1::ShardHeader&, v1::RefusalReason) override {}
  void OnPathBroken(const std::string& address, const absl::Status&) override {
    actor_->OnPathBroken(address);
  }
  void OnControl(v1::ControlRequest request, ControlResponder respond) override {
    v1::ControlResponse response;
    response.set_run_id(kRun);
    if (request.has_ping_request()) {
      actor_->HandlePingRequest(request, std::move(response), std::move(respond));
    } else if (actor_->HandleControl(request, &response)) {
      respond(std::move(response));
    }
  }

 private:
  MembershipActor* const actor_;
};

struct DetectionSwarm::Node {
  SimExecutor* control = nullptr;
  PeerId id;
  std::string address;
  bool gone = false;
  bool paused = false;
  size_t reachable = 0;  // others, as it sees them
  std::unique_ptr<SimTransport> transport;
  std::unique_ptr<MembershipActor> actor;
  std::unique_ptr<Router> router;
};

DetectionSwarm::DetectionSwarm(const DetectionOptions& options)
    : options_(options),
      random_(Random(options.seed).Split("detection")),
      network_(&world_, Network(0), random_.Split("network")) {
  for (int number = 0; number < options.members; ++number) {
    auto node = std::make_unique<Node>();
    node->control = world_.NewExecutor(absl::StrCat("control ", number));
    node->id = PeerId(random_.Split("id").Split(static_cast<uint64_t>(number)).Next());
    node->address = absl::StrCat("peer", number, ":7000");
    node->transport = network_.TransportFor(node->address, node->control, {node->id, 1, RunId(kRun)});
    MembershipActor::Deps deps;
    deps.control = node->control;
    deps.transport = node->transport.get();
    deps.self.set_peer_id(node->id.value());
    deps.self.set_incarnation(1);
    deps.self.set_address(node->address);
    deps.self.set_state(v1::PEER_STATE_ALIVE);
    deps.run = RunId(kRun);
    if (number > 0) deps.seeds = {"peer0:7000"};
    deps.random = random_.Split("membership");
    deps.on_view = [this, number](std::shared_ptr<const MembershipView> view) {
      OnView(number, *view);
    };
    deps.on_round = [](const v1::RoundPlan&) {};
    deps.on_started = [] {};
    deps.on_refused = [](absl::Status) {};
    deps.log = [](const std::string&) {};
    node->actor = std::make_unique<MembershipActor>(options.membership, std::move(deps));
    node->router = std::make_unique<Router>(node->actor.get());
    node->control->Post([node = node.get()] {
      node->transport->SetDelegate(node->router.get());
      node->actor->Start();
    });
    nodes_.push_back(std::move(node));
  }
  STARLING_CHECK(RunUntil([this] { return AllWell(); }, absl::Minutes(5)));
  network_.SetOptions(Network(options.loss));
  RunFor((3 + 2 * random_.Uniform()) * options.membership.ping_interval);
}

DetectionSwarm::~DetectionSwarm() {
  for (const auto& node : nodes_) node->control->Kill();
}

void DetectionSwarm::HappensTo(int member) {
  victim_ = member;
  happened_ = world_.now();
  suspected_.clear();
  dead_.clear();
}

void DetectionSwarm::Crash(int member) {
  HappensTo(member);
  nodes_[member]->gone = true;
  std::set<std::string> others;
  for (const auto& node : nodes_) others.insert(node->address);
  network_.Partition({nodes_[member]->address}, others);
}

void DetectionSwarm::Kill(int member) {
  HappensTo(member);
  Node& node = *nodes_[member];
  node.gone = true;
  node.control->Kill();
  node.actor.reset();
  node.transport.reset();
}

void DetectionSwarm::Pause(int member) {
  HappensTo(member);
  nodes_[member]->paused = true;
  nodes_[member]->control->Pause();
}

void DetectionSwarm::Resume(int member) {
  nodes_[member]->paused = false;
  nodes_[member]->control->Resume();
}

void DetectionSwarm::RunFor(absl::Duration duration) { world_.RunUntil(world_.now() + duration); }

bool DetectionSwarm::RunUntil(absl::FunctionRef<bool()> condition, absl::Duration limit) {
  const absl::Time end = world_.now() + limit;
  while (!condition()) {
    if (world_.now() >= end) return false;
    world_.RunUntil(std::min(end, world_.now() + options_.membership.gossip_interval));
  }
  return true;
}

void DetectionSwarm::OnView(int observer, const MembershipView& view) {
  Node& node = *nodes_[observer];
  node.reachable = 0;
  for (const MemberView& other : view.others) {
    const v1::Member& member = other.member;
    node.reachable += Reachable(member.state());
    const PeerId id(member.peer_id());
    const bool dead = member.state() == v1::PEER_STATE_DEAD;
    const bool suspect = dead || member.state() == v1::PEER_STATE_SUSPECT;
    if (victim_ >= 0 && id == nodes_[victim_]->id) {
      if (suspect) {
        suspected_.emplace(observer, world_.now());
      } else {
        suspected_.erase(observer);
      }
      if (dead) {
        dead_.emplace(observer, world_.now());
      } else {
        dead_.erase(observer);
      }
    }
    if (!suspect || node.gone) continue;
    const auto accused = std::find_if(nodes_.begin(), nodes_.end(),
                                      [&](const auto& each) { return each->id == id; });
    if (accused == nodes_.end() || (*accused)->gone) continue;
    (dead ? false_deaths_ : false_suspicions_).emplace(id, member.refutations());
  }
}

DetectionSwarm::Times DetectionSwarm::Seen() const {
  Times times;
  const size_t others = nodes_.size() - 1;
  const auto spread = [&](const std::map<int, absl::Time>& when, absl::Duration* first,
                          absl::Duration* all) {
    size_t seen = 0;
    absl::Duration last;
    for (const auto& [observer, time] : when) {
      if (observer == victim_) continue;
      ++seen;
      *first = std::min(*first, time - happened_);
      last = std::max(last, time - happened_);
    }
    if (seen == others) *all = last;
  };
  spread(suspected_, &times.first_suspect, &times.all_suspect);
  spread(dead_, &times.first_dead, &times.all_dead);
  return times;
}

bool DetectionSwarm::AllWell() const {
  size_t living = 0;
  for (const auto& node : nodes_) living += !node->gone;
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
    return node->gone || node->reachable == living - 1;
  });
}

}  // namespace starling
