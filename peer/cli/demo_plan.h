// The course of a demo: when to kill a peer, when to add one, when it is over and how it went.
//
// Pure: whoever owns the processes calls Observe() with the time and what is known of the peers,
// and does what it returns. The plan goes
//   starting   until every peer trains; one that ends before that ends the demo;
//   training   with churn, kills the last peer once a third of the way is done, and adds one at two
//              thirds (of the peers that were there at the start and still are);
//   settling   once these are finished: a bounded wait for evaluations, for the swarm to notice the
//              killed peer, for the newcomer to finish;
//   over       at the deadline from wherever it was.
// A peer that holds the centre must come to serve like the others; it makes no steps, is not killed,
// and nothing waits for it to finish.

#ifndef STARLING_PEER_CLI_DEMO_PLAN_H_
#define STARLING_PEER_CLI_DEMO_PLAN_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "peer/cli/demo_peer.h"

namespace starling {

enum class DemoOutcome {
  kFinished,     // the training was done; how well, the report tells
  kTimedOut,     // the deadline came first
  kNotStarted,   // the peers did not all begin to train
  kNobodyLeft,   // every peer ended
  kInterrupted,  // the user stopped it
};

struct DemoAction {
  enum class Kind { kKill, kStartNewcomer, kFinish };

  Kind kind;
  int peer = -1;  // kKill: index of the peer
  // kFinish:
  DemoOutcome outcome = DemoOutcome::kFinished;
  std::string reason;  // one line, empty for kFinished
  int culprit = -1;    // the peer whose log explains it, if any
};

class DemoPlan {
 public:
  struct Options {
    bool churn = false;
    absl::Time deadline = absl::InfiniteFuture();
    // Time for all peers to begin training. Up: patience with slow disks; down: earlier news of a
    // peer that hangs.
    absl::Duration start_wait = absl::Seconds(60);
    // Longest time between the last step and the end. Above the failure detector's time to declare
    // a peer dead, and the time of an evaluation.
    absl::Duration settle_wait = absl::Seconds(30);
  };

  DemoPlan(const Options& options, absl::Time now);

  // What to do now, in order; nothing after kFinish was returned. `peers` keeps its order and only
  // grows.
  std::vector<DemoAction> Observe(absl::Time now, const std::vector<DemoPeer>& peers);

  // Share of the way, 0 to 1, never falling.
  double progress() const { return progress_; }
  bool started() const { return started_; }

 private:
  std::optional<DemoAction> CheckStart(absl::Time now, const std::vector<DemoPeer>& peers);
  std::vector<DemoAction> Churn(const std::vector<DemoPeer>& peers);
  bool Settled(absl::Time now, const std::vector<DemoPeer>& peers);

  const Options options_;
  const absl::Time start_;
  double progress_ = 0;
  bool started_ = false;
  bool kill_done_ = false;
  bool newcomer_done_ = false;
  bool over_ = false;
  std::optional<absl::Time> all_finished_at_;
};

}  // namespace starling

#endif  // STARLING_PEER_CLI_DEMO_PLAN_H_
