// A few Rounds of one number, one per peer, joined by a network that does as it is told, under one
// clock.

#ifndef STARLING_TESTS_PEER_ROUNDS_ROUND_NETWORK_H_
#define STARLING_TESTS_PEER_ROUNDS_ROUND_NETWORK_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "peer/rounds/round.h"
#include "peer/rounds/round_clock.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/ids.h"

namespace starling {

inline SharedBytes Bytes(const std::vector<float>& values) {
  auto copy = std::make_shared<std::vector<float>>(values);
  const float* data = copy->data();
  return SharedBytes(std::move(copy), data, values.size() * sizeof(float));
}

inline std::vector<float> Floats(const SharedBytes& bytes) {
  return {bytes.floats().begin(), bytes.floats().end()};
}

inline std::vector<PeerId> Peers(std::initializer_list<uint64_t> ids) {
  std::vector<PeerId> peers;
  for (const uint64_t id : ids) peers.emplace_back(id);
  return peers;
}

class RoundNetwork {
 public:
  static constexpr RoundTimes kTimes{absl::Milliseconds(400), absl::Seconds(10)};

  struct Message {
    PeerId from;
    PeerId to;
    Round::Send send;
  };

  void Add(uint64_t id, std::unique_ptr<Round> round) { rounds[PeerId(id)] = std::move(round); }
  Round& round(uint64_t id) { return *rounds.at(PeerId(id)); }

  void Begin(uint64_t id) { Post(PeerId(id), round(id).Begin(now)); }
  void BeginAll() {
    for (auto& [id, each] : rounds) Post(id, each->Begin(now));
  }
  void Post(PeerId from, Round::Sends sends) {
    for (Round::Send& send : sends) {
      Message message{from, send.to, std::move(send)};
      if (lost == nullptr || !lost(message)) underway.push_back(std::move(message));
    }
  }

  v1::ShardHeader HeaderOf(const Message& message) const {
    const ShardMap& shards = rounds.begin()->second->shards();
    const Round::Send& send = message.send;
    v1::ShardHeader header;
    header.set_sender(message.from.value());
    header.set_kind(send.kind);
    header.set_shard(send.shard);
    header.set_shard_count(shards.count());
    header.set_offset(shards.offset(send.shard));
    header.set_elements(static_cast<uint32_t>(shards.length(send.shard)));
    header.set_mass(send.mass);
    header.set_loss(send.loss);
    if (send.contributors != nullptr) {
      for (const PeerId peer : *send.contributors) header.add_contributors(peer.value());
    }
    return header;
  }
  // Returns the fault, if it is refused. Whoever asks for an answer and is refused hears of it.
  absl::optional<FrameFault> Deliver(const Message& message) {
    const auto receiver = rounds.find(message.to);
    if (receiver == rounds.end()) return absl::nullopt;
    Round::Outcome outcome =
        receiver->second->OnFrame(now, HeaderOf(message), message.send.values);
    Post(message.to, std::move(outcome.sends));
    const bool asks = message.send.kind == v1::FRAME_KIND_REDUCE ||
                      message.send.kind == v1::FRAME_KIND_NEIGHBOUR_ASK;
    if (outcome.fault && asks && rounds.count(message.from) > 0) {
      Post(message.from, rounds.at(message.from)->OnAbsent(now, message.to));
    }
    return std::move(outcome.fault);
  }
  void Settle() {
    while (!underway.empty()) {
      const Message first = std::move(underway.front());
      underway.pop_front();
      if (Deliver(first)) ++refused;
      if (twice) Deliver(first);
    }
  }
  // Settles and lets time pass, waking rounds when they want to be woken.
  void RunFor(absl::Duration duration) {
    const absl::Time end = now + duration;
    for (Settle();; Settle()) {
      absl::Time next = absl::InfiniteFuture();
      for (auto& [id, each] : rounds) next = std::min(next, each->NextWake());
      if (next > end) break;
      now = std::max(now, next);
      for (auto& [id, each] : rounds) {
        if (each->NextWake() <= now) Post(id, each->OnTime(now));
      }
    }
    now = end;
  }
  bool AllEnded() const {
    return std::all_of(rounds.begin(), rounds.end(),
                       [](const auto& each) { return each.second->ended(); });
  }

  absl::Time now = absl::UnixEpoch();
  BufferPool buffers{size_t{1} << 20};
  std::map<PeerId, std::unique_ptr<Round>> rounds;
  std::deque<Message> underway;
  std::function<bool(const Message&)> lost;  // null: nothing is
  bool twice = false;                        // everything arrives twice
  int refused = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_ROUNDS_ROUND_NETWORK_H_
