// A few AveragingRounds, one per peer, joined by a network that does as it is told, under one
// clock.

#ifndef STARLING_TESTS_PEER_AVERAGING_ROUND_SWARM_H_
#define STARLING_TESTS_PEER_AVERAGING_ROUND_SWARM_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "peer/averaging/plan.h"
#include "peer/averaging/round.h"
#include "peer/gossip/shard_map.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/check.h"
#include "peer/runtime/ids.h"
#include "peer/transport/frame.h"

namespace starling {

class RoundSwarm {
 public:
  struct Message {
    PeerId from;
    PeerId to;
    Frame frame;
  };
  struct Peer {
    std::unique_ptr<AveragingRound> round;
    std::vector<float> parameters;
    bool trainer_busy = false;  // refuses snapshots and displacements
    bool snapshots_held = false;  // is asked for snapshots but does not answer
    std::vector<uint32_t> applied_shards;
    int reduces_sent = 0;
    std::vector<v1::RefusalReason> faults;  // of frames it refused
  };

  // Peers 1 to n take part, each with recognisable parameters.
  RoundSwarm(uint64_t n, ShardMap shard_map) : shards(shard_map) {
    plan.key = {7, 3};
    plan.deadline = absl::Seconds(10);
    for (uint64_t id = 1; id <= n; ++id) {
      plan.participants.push_back(PeerId(id));
      Peer& peer = peers[PeerId(id)];
      for (size_t i = 0; i < shards.elements; ++i) {
        peer.parameters.push_back(static_cast<float>(id * id) + 0.125f * static_cast<float>(i));
      }
    }
  }

  Peer& peer(uint64_t id) { return peers.at(PeerId(id)); }

  // The plan reaches a peer; its first messages are underway.
  void Start(uint64_t id) {
    Peer& starting = peer(id);
    starting.round =
        std::make_unique<AveragingRound>(options, plan, PeerId(id), shards, &buffers, now);
    Do(PeerId(id), starting.round->Advance(now));
  }
  void StartAll() {
    for (auto& [id, unused] : peers) Start(id.value());
  }

  // Delivers until nothing is underway. A peer without a round refuses as one that has no plan.
  void Settle() {
    while (!underway.empty()) {
      Message message;
      if (newest_first) {
        message = std::move(underway.back());
        underway.pop_back();
      } else {
        message = std::move(underway.front());
        underway.pop_front();
      }
      const int arrivals = copies ? copies(message) : 1;
      for (int i = 0; i < arrivals; ++i) Arrive(message);
    }
  }

  // Settles, and lets time pass until `end`, waking rounds when they want to be woken.
  void RunUntil(absl::Time end) {
    for (Settle();; Settle()) {
      absl::Time next = absl::InfiniteFuture();
      for (auto& [id, each] : peers) {
        if (each.round) next = std::min(next, each.round->NextWake());
      }
      if (next > end) break;
      STARLING_CHECK(next > now);  // no round spins
      now = next;
      for (auto& [id, each] : peers) {
        if (each.round && each.round->NextWake() <= now) Do(id, each.round->Advance(now));
      }
    }
    now = end;
  }
  void RunToTheEnd() { RunUntil(begin + plan.deadline + absl::Seconds(1)); }

  AveragingRound::Outcome Give(uint64_t id, const Frame& frame) {
    AveragingRound& round = *peer(id).round;
    return frame.header.kind() == v1::FRAME_KIND_REDUCE
               ? round.OnReduce(now, frame.header, frame.payload)
               : round.OnAverage(now, frame.header, frame.payload);
  }

  Frame MakeFrame(v1::FrameKind kind, uint64_t from, uint32_t shard, SharedBytes payload) const {
    Frame frame;
    frame.header.set_kind(kind);
    frame.header.set_sender(from);
    frame.header.set_epoch(plan.key.epoch);
    frame.header.set_round(plan.key.round);
    frame.header.set_shard(shard);
    frame.header.set_shard_count(shards.count());
    frame.header.set_offset(shards.offset(shard));
    frame.header.set_elements(shards.length(shard));
    frame.payload = std::move(payload);
    return frame;
  }

  SharedBytes Freeze(const std::vector<float>& values) {
    MutableBuffer buffer = buffers.Take(values.size());
    std::copy(values.begin(), values.end(), buffer.floats().begin());
    return std::move(buffer).Freeze();
  }

  double Sum() const {
    double sum = 0;
    for (const auto& [id, each] : peers) {
      for (const float value : each.parameters) sum += value;
    }
    return sum;
  }

  void Do(PeerId id, AveragingRound::Actions actions) {
    for (AveragingRound::Action& action : actions) {
      std::visit([&](auto& each) { Execute(id, each); }, action);
    }
  }

  const ShardMap shards;
  const absl::Time begin = absl::UnixEpoch();
  absl::Time now = begin;
  RoundOptions options;
  AveragingPlan plan;
  BufferPool buffers{size_t{1} << 20};
  std::map<PeerId, Peer> peers;
  std::deque<Message> underway;
  bool newest_first = false;
  // How often a message arrives; unset: once.
  std::function<int(const Message&)> copies;

 private:
  void Arrive(const Message& message) {
    Peer& receiver = peers.at(message.to);
    const v1::ShardHeader& header = message.frame.header;
    if (header.kind() == v1::FRAME_KIND_REFUSAL) {
      if (receiver.round) Do(message.to, receiver.round->OnRefusal(now, header));
      return;
    }
    AveragingRound::Outcome outcome;
    if (receiver.round) {
      outcome = Give(message.to.value(), message.frame);
    } else {
      outcome.fault = FrameFault{v1::REFUSAL_REASON_UNKNOWN_ROUND, "no plan yet"};
    }
    if (outcome.fault) {
      receiver.faults.push_back(outcome.fault->reason);
      Frame refusal = MakeRefusal(header, outcome.fault->reason, outcome.fault->detail);
      refusal.header.set_sender(message.to.value());
      underway.push_back({message.to, message.from, std::move(refusal)});
    }
    Do(message.to, std::move(outcome.actions));
  }

  void Execute(PeerId id, AveragingRound::TakeSnapshot) {
    Peer& self = peers.at(id);
    if (self.snapshots_held) return;
    Do(id, self.trainer_busy ? self.round->OnSnapshotRefused(now)
                             : self.round->OnSnapshot(now, Freeze(self.parameters)));
  }
  void Execute(PeerId id, AveragingRound::SendReduce& action) {
    ++peers.at(id).reduces_sent;
    Frame frame = MakeFrame(v1::FRAME_KIND_REDUCE, id.value(), action.shard, action.values);
    frame.header.set_weight(action.weight);
    underway.push_back({id, action.owner, std::move(frame)});
  }
  void Execute(PeerId id, AveragingRound::SendAverage& action) {
    Frame frame = MakeFrame(v1::FRAME_KIND_AVERAGE, id.value(), action.shard, action.average);
    for (const PeerId each : *action.contributors) frame.header.add_contributors(each.value());
    underway.push_back({id, action.contributor, std::move(frame)});
  }
  void Execute(PeerId id, AveragingRound::ApplyDisplacement& action) {
    Peer& self = peers.at(id);
    if (self.trainer_busy) {
      Do(id, self.round->OnApplyRefused(now, std::move(action)));
      return;
    }
    self.applied_shards.push_back(action.shard);
    const size_t offset = shards.offset(action.shard);
    const absl::Span<const float> average = action.average.floats();
    const absl::Span<const float> snapshot = action.snapshot.floats();
    STARLING_CHECK(average.size() == shards.length(action.shard));
    STARLING_CHECK(snapshot.size() == average.size());
    for (size_t i = 0; i < average.size(); ++i) {
      self.parameters[offset + i] += average[i] - snapshot[i];
    }
  }
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_AVERAGING_ROUND_SWARM_H_
