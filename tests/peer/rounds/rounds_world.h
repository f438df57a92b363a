// A few RoundsActors with a network between them that does nothing by itself: every frame lies in
// `underway` until the test delivers, drops or repeats it. The trainers are the test.

#ifndef STARLING_TESTS_PEER_ROUNDS_ROUNDS_WORLD_H_
#define STARLING_TESTS_PEER_ROUNDS_ROUNDS_WORLD_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "peer/rounds/rounds_actor.h"
#include "tests/peer/rounds/round_network.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {

class RoundsWorld {
 public:
  // Six parameters in shards of 4 and 2.
  static constexpr size_t kElements = 6;

  struct Message {
    PeerId from;
    PeerId to;
    Frame frame;
  };
  struct Node : public Transport {
    Node(RoundsWorld* world, PeerId id) : world(world), id(id) {}
    void SetDelegate(Delegate*) override {}
    absl::Status SendFrame(const std::string& address, Frame frame) override {
      for (const auto& [peer, node] : world->nodes) {
        if (AddressOf(peer) == address) world->Send({id, peer, std::move(frame)});
      }
      return absl::OkStatus();
    }
    void Call(const std::string&, v1::ControlRequest, absl::Duration, CallCallback) override {}
    void Forget(const std::string&) override {}
    uint64_t bytes_sent() const override { return 0; }
    uint64_t bytes_received() const override { return 0; }

    RoundsWorld* const world;
    const PeerId id;
    FrameIdentity identity;
    std::unique_ptr<RoundsActor> actor;
    std::vector<MixedRound> mixed;           // what its trainer got back
    std::vector<v1::RefusalReason> refused;  // what it refused, why
  };
  struct Back : public ReplyPath {
    Back(RoundsWorld* world, PeerId from, PeerId to) : world(world), from(from), to(to) {}
    void Send(Frame frame) override { world->Send({from, to, std::move(frame)}); }
    RoundsWorld* const world;
    const PeerId from;
    const PeerId to;
  };

  // Peers 1 to n know each other.
  RoundsWorld(uint64_t n, std::vector<RoundSpec> specs, RoundsOptions options = {})
      : specs_(std::move(specs)), options_(options) {
    for (uint64_t id = 1; id <= n; ++id) Join(id);
  }

  // One more peer that nobody but itself and those who are there knows.
  void Join(uint64_t id) {
    auto& node = nodes[PeerId(id)] = std::make_unique<Node>(this, PeerId(id));
    node->identity = FrameIdentity{PeerId(id), 1, RunId(7), 1, ModelFingerprint(9),
                                   ShardMap{kElements, 4}};
    node->actor = std::make_unique<RoundsActor>(
        RoundsActor::Deps{&executor, node.get(), &pool,
                          [&each = *node](MixedRound mixed) {
                            each.mixed.push_back(std::move(mixed));
                          }},
        node->identity, specs_, /*seed=*/5, options_);
    for (auto& [peer, unused] : nodes) Introduce(peer.value());
  }
  // `id` knows all that are there now.
  void Introduce(uint64_t id) {
    std::vector<uint64_t> others;
    for (const auto& [peer, node] : nodes) others.push_back(peer.value());
    SetMembers(id, others);
  }
  void SetMembers(uint64_t id, const std::vector<uint64_t>& others) {
    std::map<PeerId, RoundMember> members;
    for (const uint64_t other : others) {
      if (other == id) continue;
      members[PeerId(other)] = {AddressOf(PeerId(other)), finished.count(other) > 0};
    }
    executor.Do([&] { node(id).actor->SetMembers(members); });
  }

  static std::string AddressOf(PeerId id) { return absl::StrCat("peer", id.value(), ":1"); }
  Node& node(uint64_t id) { return *nodes.at(PeerId(id)); }
  v1::AveragingStatus status(uint64_t id) {
    v1::AveragingStatus status;
    executor.Do([&] { status = node(id).actor->Status(); });
    return status;
  }

  void Contribute(uint64_t id, uint64_t step, float value, Contribution more = {}) {
    more.step = step;
    more.values = Bytes(std::vector<float>(kElements, value));
    executor.Do([&] { node(id).actor->OnContribution(more); });
  }
  // Everybody comes to `step` and contributes its id; nothing is lost.
  void Round(uint64_t step, Contribution more = {}) {
    for (auto& [id, node] : nodes) {
      Contribute(id.value(), step, static_cast<float>(id.value()), more);
    }
    Settle();
  }

  void Send(Message message) {
    if (lost == nullptr || !lost(message)) underway.push_back(std::move(message));
  }
  void Deliver(Message message) {
    const auto found = nodes.find(message.to);
    if (found == nodes.end()) return;
    executor.Do([&] { Receive(*found->second, std::move(message)); });
  }
  void Settle() {
    while (!underway.empty()) {
      Message first = std::move(underway.front());
      underway.pop_front();
      Deliver(std::move(first));
    }
  }
  // Lets time pass in small steps, delivering meanwhile.
  void RunFor(absl::Duration duration) {
    const absl::Time end = executor.Now() + duration;
    for (Settle(); executor.Now() < end; Settle()) executor.Advance(absl::Milliseconds(50));
  }

  float MixOf(uint64_t id) { return node(id).mixed.back().mixed.floats()[0]; }

  ManualExecutor executor;
  BufferPool pool{size_t{1} << 20};
  std::map<PeerId, std::unique_ptr<Node>> nodes;
  std::deque<Message> underway;
  std::function<bool(const Message&)> lost;  // null: nothing is
  std::set<uint64_t> finished;               // as SetMembers says

 private:
  // What the FrameRouter does.
  void Receive(Node& node, Message message) {
    const v1::ShardHeader header = message.frame.header;
    if (header.kind() == v1::FRAME_KIND_REFUSAL) return node.actor->OnRefusal(header);
    const auto fault = node.actor->OnFrame(std::move(message.frame),
                                           std::make_shared<Back>(this, node.id, message.from));
    if (!fault) return;
    node.refused.push_back(fault->reason);
    if (header.kind() != v1::FRAME_KIND_REDUCE && header.kind() != v1::FRAME_KIND_NEIGHBOUR_ASK) {
      return;
    }
    Frame refusal = MakeRefusal(header, fault->reason, fault->detail);
    refusal.header.set_current_round(fault->current_round);
    refusal.header.set_sender(node.id.value());
    Send({node.id, message.from, std::move(refusal)});
  }

  const std::vector<RoundSpec> specs_;
  const RoundsOptions options_;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_ROUNDS_ROUNDS_WORLD_H_
