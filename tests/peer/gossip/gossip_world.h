// A few GossipActors with a network between them that does nothing by itself: every frame lies in
// `underway` until the test delivers, drops or repeats it.

#ifndef STARLING_TESTS_PEER_GOSSIP_GOSSIP_WORLD_H_
#define STARLING_TESTS_PEER_GOSSIP_GOSSIP_WORLD_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "peer/gossip/gossip_actor.h"
#include "peer/algorithms/registry.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {

// A row of the registry that exchanges at every step.
inline Algorithm EagerAlgorithm(const std::string& name) {
  v1::AlgorithmConfig config;
  config.set_name(name);
  for (const AlgorithmOptionSpec& spec : FindAlgorithm(name)->options) {
    if (spec.name != "p" && spec.name != "tau") continue;
    v1::AlgorithmOption* option = config.add_options();
    option->set_name(std::string(spec.name));
    option->set_value(1);
  }
  return *MakeAlgorithm(config);
}

class GossipWorld {
 public:
  // Ten parameters in shards of 4, 4 and 2.
  static constexpr size_t kElements = 10;
  static constexpr size_t kShardElements = 4;
  static constexpr uint32_t kShards = 3;

  struct Message {
    PeerId from;
    PeerId to;
    Frame frame;
  };
  struct Node : public Transport {
    Node(GossipWorld* world, PeerId id, float value)
        : world(world), id(id), owner(std::vector<float>(kElements, value), kShardElements) {}

    void SetDelegate(Delegate*) override {}
    absl::Status SendFrame(const std::string& address, Frame frame) override {
      addresses_used.push_back(address);
      const PeerId to = world->PeerAt(address);
      link->Charge(world->executor.Now(), Direction::kSend, to, frame.payload.size());
      world->underway.push_back({id, to, std::move(frame)});
      return absl::OkStatus();
    }
    void Call(const std::string&, v1::ControlRequest, absl::Duration, CallCallback) override {}
    void Forget(const std::string&) override {}
    uint64_t bytes_sent() const override { return 0; }
    uint64_t bytes_received() const override { return 0; }

    GossipWorld* const world;
    const PeerId id;
    FakeParameterOwner owner;
    FrameIdentity identity;
    // Without limits, unless the test sets some; charged as a MeteredTransport does.
    std::unique_ptr<LinkBudget> link;
    std::unique_ptr<GossipActor> actor;
    uint64_t step = 0;
    std::vector<std::string> addresses_used;
    std::vector<v1::RefusalReason> refused;  // what it refused, why
  };

  // Peers 1 to n know each other and train; peer i's parameters are all i * i.
  explicit GossipWorld(int n, const std::string& algorithm = "elastic_gossip",
                       GossipOptions options = {}) {
    for (int i = 1; i <= n; ++i) {
      const PeerId id(static_cast<uint64_t>(i));
      auto& node = nodes[id] =
          std::make_unique<Node>(this, id, static_cast<float>(i) * static_cast<float>(i));
      node->identity = FrameIdentity{id,  /*incarnation=*/1,    RunId(7),
                                     1,   ModelFingerprint(9),  ShardMap{kElements, kShardElements}};
      node->link = std::make_unique<LinkBudget>(ExchangeBudget::WholeExchange(
          EagerAlgorithm(algorithm), options.codecs, node->identity.shards));
      node->actor = std::make_unique<GossipActor>(
          &executor, node.get(), &node->owner, node->identity, EagerAlgorithm(algorithm),
          Random(42).Split(id.value()), options, node->link.get());
      node->actor->SetLateRefusal([this, to = node.get()](const v1::ShardHeader& header,
                                                          const FrameFault& fault, ReplyPath* reply) {
        Refuse(*to, header, fault, reply);
      });
    }
    for (auto& [id, node] : nodes) {
      SetCandidates(id.value(), Others(id));
      executor.Do([&node = node] { node->actor->SetAccepting(true); });
    }
  }

  Node& node(uint64_t id) { return *nodes.at(PeerId(id)); }
  v1::GossipStatus status(uint64_t id) { return node(id).actor->Status(); }
  static std::string AddressOf(PeerId id) { return absl::StrCat("peer", id.value(), ":1"); }
  PeerId PeerAt(const std::string& address) const {
    for (const auto& [id, node] : nodes) {
      if (AddressOf(id) == address) return id;
    }
    return PeerId(0);
  }

  std::map<PeerId, Contact> Others(PeerId self) const {
    std::map<PeerId, Contact> others;
    for (const auto& [id, node] : nodes) {
      if (id != self) others.emplace(id, AddressOf(id));
    }
    return others;
  }
  void SetCandidates(uint64_t id, std::map<PeerId, Contact> candidates) {
    executor.Do([&] { node(id).actor->SetCandidates(std::move(candidates)); });
    executor.RunPosted();
  }

  // The trainer reports a step; an exchange that starts asks for its snapshot.
  void Step(uint64_t id) {
    executor.Do([&] { node(id).actor->OnStep(++node(id).step); });
    executor.RunPosted();
  }
  void Boundary(uint64_t id) {
    node(id).owner.Boundary();
    executor.RunPosted();
  }
  // Step and boundary: the requests of an exchange are underway.
  void StartExchange(uint64_t id) {
    Step(id);
    Boundary(id);
  }

  void Deliver(Message message) {
    if (nodes.count(message.to) == 0) return;
    executor.Do([&] { Receive(*nodes.at(message.to), std::move(message)); });
    executor.RunPosted();
  }
  // The message underway longest.
  Message TakeFirst() {
    Message first = std::move(underway.front());
    underway.pop_front();
    return first;
  }
  // Takes what is of one kind off the network.
  std::vector<Message> Take(v1::FrameKind kind) {
    std::vector<Message> taken;
    std::deque<Message> others;
    for (Message& message : underway) {
      if (message.frame.header.kind() == kind) {
        taken.push_back(std::move(message));
      } else {
        others.push_back(std::move(message));
      }
    }
    underway = std::move(others);
    return taken;
  }
  void DeliverAll(std::vector<Message> messages) {
    for (Message& message : messages) Deliver(std::move(message));
  }
  // Delivers and serves until nothing is underway.
  void Settle() {
    for (bool busy = true; busy;) {
      busy = false;
      while (!underway.empty()) {
        Deliver(TakeFirst());
        busy = true;
      }
      for (auto& [id, node] : nodes) {
        busy |= node->owner.waiting() > 0;
        Boundary(id.value());
      }
    }
  }

  double Sum() const {
    double sum = 0;
    for (const auto& [id, node] : nodes) {
      for (const float value : node->owner.values) sum += value;
    }
    return sum;
  }

  ManualExecutor executor;
  std::map<PeerId, std::unique_ptr<Node>> nodes;
  std::deque<Message> underway;

 private:
  struct Back : public ReplyPath {
    Back(GossipWorld* world, PeerId from, PeerId to) : world(world), from(from), to(to) {}
    void Send(Frame frame) override {
      world->nodes.at(from)->link->Charge(world->executor.Now(), Direction::kSend, to,
                                          frame.payload.size());
      world->underway.push_back({from, to, std::move(frame)});
    }
    GossipWorld* const world;
    const PeerId from;
    const PeerId to;
  };

  // What the FrameRouter does.
  void Refuse(Node& node, const v1::ShardHeader& header, const FrameFault& fault, ReplyPath* reply) {
    node.refused.push_back(fault.reason);
    if (header.kind() != v1::FRAME_KIND_MIX_REQUEST || reply == nullptr) return;
    Frame refusal = MakeRefusal(header, fault.reason, fault.detail);
    refusal.header.set_sender(node.id.value());
    refusal.header.set_sender_incarnation(node.identity.incarnation);
    refusal.header.set_retry_after_ms(
        static_cast<uint32_t>(absl::Ceil(fault.retry_after, absl::Milliseconds(1)) /
                              absl::Milliseconds(1)));
    reply->Send(std::move(refusal));
  }
  void Receive(Node& node, Message message) {
    const v1::ShardHeader header = message.frame.header;
    node.link->Charge(executor.Now(), Direction::kReceive, message.from,
                      message.frame.payload.size());
    absl::optional<FrameFault> fault = Admit(node.identity, header);
    const auto back = std::make_shared<Back>(this, node.id, message.from);
    if (!fault) fault = node.actor->OnFrame(std::move(message.frame), back);
    if (fault) Refuse(node, header, *fault, back.get());
  }
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_GOSSIP_GOSSIP_WORLD_H_
