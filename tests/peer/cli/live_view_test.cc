#include "peer/cli/live_view.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "peer/cli/live_screen.h"
#include "tests/peer/cli/status_samples.h"

namespace starling {
namespace {

LiveFrame TwoPeers() {
  LivePeer first = {.name = "p0", .known = true, .status = TrainingAt(50, 200)};
  first.status.add_peers()->set_state(v1::PEER_STATE_ALIVE);
  first.status.add_peers()->set_state(v1::PEER_STATE_DEAD);
  return {.title = "demo",
          .run_id = "00000000000000ff",
          .algorithm = "elastic_gossip",
          .elapsed = absl::Seconds(3),
          .progress = 0.25,
          .peers = {first, {.name = "p1"}}};
}

TEST(LiveViewTest, AFrameShowsARowForEachPeer) {
  const std::vector<std::string> lines = RenderFrame(TwoPeers(), false);
  EXPECT_EQ(absl::StrJoin(lines, "\n"),
            "starling demo  run 00000000000000ff  elastic_gossip  3.0 s\n"
            "[#######.......................]  25 %\n"
            "\n"
            "peer  state       step  samples/s    loss  exchanges  distance  members\n"
            "p0    training  50/200       3200  0.4312         17    1.2500        1\n"
            "p1    starting");
}

TEST(LiveViewTest, ANoteTakesThePlaceOfThePhase) {
  LiveFrame frame = TwoPeers();
  frame.peers[0].note = "killed";
  const std::string text = absl::StrJoin(RenderFrame(frame, false), "\n");
  EXPECT_TRUE(absl::StrContains(text, "p0    killed    50/200")) << text;
}

TEST(LiveViewTest, TheCentreIsShownAsSuchAndNotCounted) {
  LiveFrame frame = TwoPeers();
  frame.peers[1] = {.name = "centre", .known = true, .status = TrainingAt(31, 200)};
  frame.peers[1].status.set_centre(true);
  const std::string text = absl::StrJoin(RenderFrame(frame, false), "\n");
  EXPECT_TRUE(absl::StrContains(
      text, "\ncentre  centre         -          -       -         17    1.2500")) << text;
  EXPECT_EQ(MeanProgress(frame.peers), 0.25);
  EXPECT_TRUE(absl::StrContains(RenderLine(frame), "peers 1 ")) << RenderLine(frame);
}

TEST(LiveViewTest, RoundsAreShownWhereThereAreAny) {
  LiveFrame frame = TwoPeers();
  frame.peers[0].status.mutable_rounds()->set_rounds_joined(9);
  frame.peers[0].status.mutable_rounds()->set_rounds_complete(8);
  frame.peers[0].status.mutable_training()->set_waiting_time_share(0.5);
  const std::string text = absl::StrJoin(RenderFrame(frame, false), "\n");
  EXPECT_TRUE(absl::StrContains(text, "exchanges  rounds  waiting  distance")) << text;
  EXPECT_TRUE(absl::StrContains(text, "17       8   50.0 %    1.2500")) << text;
  EXPECT_TRUE(absl::StrContains(RenderLine(frame), "  rounds 8")) << RenderLine(frame);
}

TEST(LiveViewTest, TextOfOthersCannotCommandTheTerminal) {
  LiveFrame frame = TwoPeers();
  frame.peers[1].name = "\x1b[2J";
  frame.run_id = "\x1b]0;title\x07";
  for (const std::string& line : RenderFrame(frame, false)) {
    EXPECT_FALSE(absl::StrContains(line, "\x1b")) << line;
    EXPECT_FALSE(absl::StrContains(line, "\x07")) << line;
  }
}

TEST(LiveViewTest, TheLineSumsUpPeersThatAnswer) {
  LiveFrame frame = TwoPeers();
  frame.peers[1] = frame.peers[0];
  frame.peers.push_back(
      {.name = "p2", .note = "killed", .known = true, .status = TrainingAt(1, 2)});
  EXPECT_EQ(RenderLine(frame),
            "   3.0 s   25 %  peers 2  samples/s 6400  loss 0.4312  exchanges 34  distance 1.2500"
            "  p2: killed");
}

TEST(LiveViewTest, TheLineSaysStartingWhileNobodyAnswers) {
  LiveFrame frame = {.elapsed = absl::Seconds(1), .peers = {{.name = "p0"}}};
  EXPECT_EQ(RenderLine(frame), "   1.0 s  starting");
}

TEST(LiveViewTest, TheBarStaysWithinItsWidth) {
  EXPECT_EQ(ProgressBar(0, 4), "[....]");
  EXPECT_EQ(ProgressBar(0.5, 4), "[##..]");
  EXPECT_EQ(ProgressBar(1.5, 4), "[####]");
  EXPECT_EQ(ProgressBar(-1, 4), "[....]");
}

TEST(LiveViewTest, MeanProgressCountsThoseWithATotal) {
  EXPECT_EQ(MeanProgress(TwoPeers().peers), 0.25);
  LiveFrame endless = TwoPeers();
  endless.peers[0].status.mutable_training()->set_total_steps(0);
  EXPECT_EQ(MeanProgress(endless.peers), -1);
}

// A pseudo-terminal of 80 x 24 with a stream on it, and what was written there.
class Terminal {
 public:
  Terminal() {
    master_ = posix_openpt(O_RDWR | O_NOCTTY);
    grantpt(master_);
    unlockpt(master_);
    stream_ = fopen(ptsname(master_), "w");
  }
  ~Terminal() {
    fclose(stream_);
    close(master_);
  }
  std::FILE* stream() { return stream_; }
  // What was drawn up to the end of a frame, or what had come after 10 s.
  std::string ReadFrame() {
    std::string drawn;
    pollfd readable{master_, POLLIN, 0};
    while (!absl::EndsWith(drawn, "\x1b[J") && poll(&readable, 1, 10'000) == 1) {
      char buffer[4096];
      const ssize_t size = read(master_, buffer, sizeof(buffer));
      if (size <= 0) break;
      drawn.append(buffer, static_cast<size_t>(size));
    }
    return drawn;
  }

 private:
  int master_;
  std::FILE* stream_;
};

TEST(LiveScreenTest, ATerminalIsRedrawnInPlace) {
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  Terminal terminal;
  LiveScreen screen(terminal.stream());
  EXPECT_TRUE(screen.live());
  EXPECT_TRUE(screen.colour());
  screen.Draw({"one", "two"});
  terminal.ReadFrame();
  screen.Draw({"three"});
  EXPECT_EQ(terminal.ReadFrame(), "\x1b[2A\rthree\x1b[K\r\n\x1b[J");
}

TEST(LiveScreenTest, LongLinesAreCutToTheTerminal) {
  setenv("TERM", "xterm", 1);
  Terminal terminal;
  LiveScreen screen(terminal.stream());
  screen.Draw({std::string(200, 'x')});
  EXPECT_EQ(terminal.ReadFrame(), "\r" + std::string(80, 'x') + "\x1b[K\r\n\x1b[J");
}

TEST(LiveScreenTest, NoColorIsHonoured) {
  setenv("TERM", "xterm", 1);
  setenv("NO_COLOR", "1", 1);
  Terminal terminal;
  EXPECT_FALSE(LiveScreen(terminal.stream()).colour());
  unsetenv("NO_COLOR");
}

TEST(LiveScreenTest, WhatIsNoTerminalGetsNoEscapes) {
  std::FILE* file = std::tmpfile();
  LiveScreen screen(file);
  EXPECT_FALSE(screen.live());
  screen.Draw({"one"});
  screen.Draw({"two"});
  screen.Erase();
  screen.Say("three");
  std::rewind(file);
  char buffer[64];
  const size_t size = std::fread(buffer, 1, sizeof(buffer), file);
  EXPECT_EQ(std::string(buffer, size), "one\ntwo\nthree\n");
  std::fclose(file);
}

}  // namespace
}  // namespace starling
