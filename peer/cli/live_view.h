// What a person sees of a running swarm: a block of lines, redrawn as it changes, or one line now
// and then where nothing can be redrawn. Pure: statuses in, text out.

#ifndef STARLING_PEER_CLI_LIVE_VIEW_H_
#define STARLING_PEER_CLI_LIVE_VIEW_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/status.pb.h"

namespace starling {

struct LivePeer {
  std::string name;
  // Shown in place of the phase if not empty: "killed", "no answer", "DEAD".
  std::string note;
  // The last status heard, if any was.
  bool known = false;
  v1::Status status;
};

struct LiveFrame {
  std::string title;     // "demo", "top 127.0.0.1:7700"
  std::string run_id;    // 16 hexadecimal digits, empty while unknown
  std::string algorithm;
  std::string hint;      // one line below the header, empty for none
  absl::Duration elapsed;
  // 0 to 1, or negative where there is nothing to measure it by.
  double progress = -1;
  std::vector<LivePeer> peers;
};

// Mean over the workers with a known total of step / total steps, or -1 if there is none.
double MeanProgress(const std::vector<LivePeer>& peers);

// Rows of a status' member table that have not departed.
int MembersSeen(const v1::Status& status);

// "[#######.......]" of `width` columns between the brackets; `share` is cut to 0..1.
std::string ProgressBar(double share, int width);

// Header, hint, and a table with a row a peer.
std::vector<std::string> RenderFrame(const LiveFrame& frame, bool colour);

// The whole swarm in one line without colour.
std::string RenderLine(const LiveFrame& frame);

}  // namespace starling

#endif  // STARLING_PEER_CLI_LIVE_VIEW_H_
