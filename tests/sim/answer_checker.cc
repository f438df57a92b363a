#include "tests/sim/answer_checker.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/simulation.h"

namespace starling {
namespace {

bool CanTalk(const SimPeer& peer) {
  return !peer.paused() && !peer.leaving() && peer.phase() != v1::PHASE_STARTING;
}

// Where the other is now. Two of whom neither knows that need somebody to introduce them, who may be out of reach.
bool Knows(const SimPeer& peer, const SimPeer& other) {
  const v1::Status& status = peer.Status();
  return std::any_of(status.peers().begin(), status.peers().end(), [&](const v1::PeerStatus& row) {
    return row.peer_id() == other.spec().id.ToString() && row.address() == other.spec().address;
  });
}

class AnswerChecker final : public Checker {
 public:
  absl::string_view name() const override { return "answers"; }

  void Look(const Simulation& simulation) override {
    const SimNetwork& network = simulation.network();
    for (const SimPeer* peer : simulation.watched()) {
      std::map<std::string, const v1::PeerStatus*> rows;
      const v1::Status& status = peer->Status();
      for (const v1::PeerStatus& row : status.peers()) rows[row.peer_id()] = &row;
      for (const SimPeer* other : simulation.living()) {
        if (other == peer) continue;
        Pair& pair = pairs_[{peer->spec().process, other->spec().process}];
        if (pair.last_talked == absl::InfinitePast()) pair.last_talked = simulation.now();
        const bool talk = CanTalk(*peer) && CanTalk(*other) &&
                          network.IsReliable(peer->spec().address, other->spec().address) &&
                          network.IsReliable(other->spec().address, peer->spec().address);
        const auto row = rows.find(other->spec().id.ToString());
        // Whoever left and came back has to introduce itself: nobody calls it.
        const bool gone = row != rows.end() &&
                          (row->second->state() == v1::PEER_STATE_DEAD ||
                           (row->second->state() == v1::PEER_STATE_LEFT &&
                            row->second->incarnation() == other->spec().incarnation));
        if (!talk) {
          if (pair.gone_since != absl::InfiniteFuture()) pair.gone_since = simulation.now();
          pair.talk_since = absl::InfiniteFuture();
          continue;
        }
        if (pair.talk_since == absl::InfiniteFuture()) {
          pair.talk_since = simulation.now();
          pair.apart = simulation.now() - pair.last_talked;
        }
        pair.last_talked = simulation.now();
        if (!gone) {
          pair.gone_since = absl::InfiniteFuture();
          continue;
        }
        if (pair.gone_since == absl::InfiniteFuture()) pair.gone_since = simulation.now();
        const absl::Duration lasts =
            simulation.now() - std::max(pair.gone_since, pair.talk_since);
        if (lasts <= AnswerBound(simulation.options(), pair.apart)) continue;
        if (!Knows(*peer, *other) && !Knows(*other, *peer)) continue;
        Complain(absl::StrCat("peer ", peer->spec().node, " has thought for ",
                              absl::FormatDuration(lasts), " that peer ", other->spec().node, " is ",
                              v1::PeerState_Name(row->second->state()), " (", row->second->reason(),
                              ", incarnation ", row->second->incarnation(), " of ",
                              other->spec().incarnation, "), which lives and can be reached"));
        pair.gone_since = simulation.now();
      }
    }
  }

 private:
  struct Pair {
    absl::Time last_talked = absl::InfinitePast();
    absl::Time talk_since = absl::InfiniteFuture();
    absl::Time gone_since = absl::InfiniteFuture();
    absl::Duration apart;
  };

  std::map<std::pair<uint64_t, uint64_t>, Pair> pairs_;
};

}  // namespace

std::unique_ptr<Checker> MakeAnswerChecker() { return std::make_unique<AnswerChecker>(); }

absl::Duration AnswerBound(const SimulationOptions& options, absl::Duration apart) {
  const MembershipOptions& membership = options.membership;
  const absl::Duration rest = std::clamp(0.05 * apart, membership.heal_interval,
                                         10 * membership.heal_interval);
  return 1.1 * rest + (2 + membership.worst_health) * membership.ping_interval +
         2 * options.look_every;
}

}  // namespace starling
