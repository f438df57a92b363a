// A place to draw frames on: redrawn in place on a terminal, appended elsewhere.
// Not thread-safe.

#ifndef STARLING_PEER_CLI_LIVE_SCREEN_H_
#define STARLING_PEER_CLI_LIVE_SCREEN_H_

#include <cstdio>
#include <string>
#include <vector>

namespace starling {

class LiveScreen {
 public:
  // `stream` outlives this object.
  explicit LiveScreen(std::FILE* stream);

  // True if frames are redrawn in place: the stream is a terminal that can.
  bool live() const { return live_; }
  // True if colour is wanted: live, and NO_COLOR is not set (https://no-color.org).
  bool colour() const { return colour_; }

  // Live: draws over the frame before, cut to the size of the terminal. Otherwise: appends.
  void Draw(const std::vector<std::string>& lines);

  // Takes the last frame off a live screen; elsewhere nothing happens.
  void Erase();

  // Appends one line that stays, above the frame if there is one.
  void Say(const std::string& line);

 private:
  std::FILE* stream_;
  bool live_;
  bool colour_;
  size_t drawn_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_CLI_LIVE_SCREEN_H_
