#include "peer/cli/tcp_probe.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace starling {
namespace {

// A bound port, which refuses connections until Listen.
class Port {
 public:
  Port() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    number_ = ntohs(address.sin_port);
  }
  ~Port() { ::close(fd_); }
  void Listen() { EXPECT_EQ(::listen(fd_, 1), 0); }
  std::string number() const { return std::to_string(number_); }

 private:
  const int fd_;
  int number_ = 0;
};

TEST(TcpProbeTest, AListeningPortIsOpen) {
  Port port;
  port.Listen();
  const TcpProbe probe = ProbeTcp("127.0.0.1", port.number(), absl::Seconds(5));
  EXPECT_EQ(probe.outcome, TcpProbe::Outcome::kOpen);
  EXPECT_EQ(probe.addresses, (std::vector<std::string>{"127.0.0.1"}));
}

TEST(TcpProbeTest, APortThatNobodyListensOnRefuses) {
  Port port;
  const TcpProbe probe = ProbeTcp("127.0.0.1", port.number(), absl::Seconds(5));
  EXPECT_EQ(probe.outcome, TcpProbe::Outcome::kRefused);
  EXPECT_NE(probe.detail, "");
}

TEST(TcpProbeTest, ANameThatNobodyKnowsIsSaidSo) {
  const TcpProbe probe = ProbeTcp("no-such-host.invalid", "1", absl::Seconds(5));
  EXPECT_EQ(probe.outcome, TcpProbe::Outcome::kUnresolved);
  EXPECT_NE(probe.detail, "");
}

TEST(TcpProbeTest, AddressesThatMeanHereAreKnown) {
  for (const char* host : {"127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"10.0.0.1", "128.0.0.1", "example.org"}) EXPECT_FALSE(IsLoopback(host)) << host;
  EXPECT_TRUE(IsUnspecified("0.0.0.0"));
  EXPECT_FALSE(IsUnspecified("10.0.0.0"));
}

}  // namespace
}  // namespace starling
