#include "peer/runtime/stderr_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "proto/peer.pb.h"

namespace starling {
namespace {

// Takes the place of the standard error stream; what is logged stays in it until it is read.
class Pipe {
 public:
  Pipe() : saved_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    dup2(ends_[1], STDERR_FILENO);
  }
  ~Pipe() {
    dup2(saved_, STDERR_FILENO);
    for (int fd : {ends_[0], ends_[1], saved_}) close(fd);
  }

  void Fill() {
    fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::string page(4096, '.');
    while (write(ends_[1], page.data(), page.size()) > 0) {
    }
    fcntl(ends_[1], F_SETFL, 0);
  }

  std::string Read() {
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = read(ends_[0], buffer, sizeof(buffer))) > 0;) text.append(buffer, got);
    return text;
  }

 private:
  const int saved_;
  int ends_[2];
};

TEST(StderrLogTest, LinesComeThroughInOrder) {
  Pipe pipe;
  const auto logger = MakeStderrLogger("name");
  logger->set_pattern("%n %l %v");
  logger->info("one");
  logger->warn("two");
  EXPECT_EQ(pipe.Read(), "name info one\nname warning two\n");
}

TEST(StderrLogTest, TextOfOthersThatIsNotUtf8IsNoReasonToWriteThere) {
  Pipe pipe;
  const auto logger = MakeStderrLogger("name");
  v1::SameHost said;
  EXPECT_FALSE(said.ParseFromString("\x0a\x01\xff"));
  EXPECT_EQ(pipe.Read(), "");
}

TEST(StderrLogTest, AFullPipeCostsLinesAndNoTimeAndIsToldOfAfterwards) {
  Pipe pipe;
  const auto logger = MakeStderrLogger("name");
  logger->set_pattern("%n %l %v");
  pipe.Fill();
  for (int i = 0; i < 3; ++i) logger->info("nobody hears this");
  pipe.Read();
  logger->info("heard");
  logger->info("again");
  EXPECT_EQ(pipe.Read(),
            "name warning 3 earlier lines were dropped: nobody read this log\n"
            "name info heard\nname info again\n");
}

}  // namespace
}  // namespace starling
