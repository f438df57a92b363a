#include "tests/chaos/asio_tcp_proxy.h"

#include <boost/asio.hpp>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// A client and a server with the proxy between them, all blocking.
class AsioTcpProxyTest : public testing::Test {
 protected:
  AsioTcpProxyTest()
      : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        proxy_(acceptor_.local_endpoint().port(), /*seed=*/7),
        client_(context_),
        server_(context_) {}

  void Connect() {
    client_.connect(tcp::endpoint(asio::ip::address_v4::loopback(),
                                  static_cast<uint16_t>(proxy_.port())));
    acceptor_.accept(server_);
  }

  // What arrives at the server of `text`.
  std::string Send(const std::string& text) {
    asio::write(client_, asio::buffer(text));
    std::string got(text.size(), '\0');
    asio::read(server_, asio::buffer(got));
    return got;
  }

  asio::io_context context_;
  tcp::acceptor acceptor_;
  AsioTcpProxy proxy_;
  tcp::socket client_;
  tcp::socket server_;
};

TEST_F(AsioTcpProxyTest, PassesBothWaysUnchangedByDefault) {
  Connect();
  std::string long_text;
  for (int i = 0; i < 100000; ++i) long_text += std::to_string(i);
  EXPECT_EQ(Send(long_text.substr(0, 100000)), long_text.substr(0, 100000));
  asio::write(server_, asio::buffer(std::string("answer")));
  std::string answer(6, '\0');
  asio::read(client_, asio::buffer(answer));
  EXPECT_EQ(answer, "answer");
  EXPECT_EQ(proxy_.connections(), 1);
  EXPECT_EQ(proxy_.flips(), 0);
}

TEST_F(AsioTcpProxyTest, DelaysAtLeastAsLongAsAskedAndKeepsTheOrder) {
  proxy_.Set({.delay = absl::Milliseconds(50), .jitter = absl::Milliseconds(20)});
  Connect();
  const absl::Time start = absl::Now();
  EXPECT_EQ(Send("one, two, three"), "one, two, three");
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(50));
  std::string text;
  for (int i = 0; i < 20; ++i) {
    const std::string piece = std::to_string(i) + " ";
    asio::write(client_, asio::buffer(piece));
    text += piece;
  }
  std::string got(text.size(), '\0');
  asio::read(server_, asio::buffer(got));
  EXPECT_EQ(got, text);
}

TEST_F(AsioTcpProxyTest, FlipsSingleBitsAboutAsOftenAsAsked) {
  proxy_.Set({.bytes_per_flip = 1000});
  Connect();
  int flipped = 0;
  for (int i = 0; i < 10; ++i) {
    const std::string sent(10000, 'x');
    const std::string got = Send(sent);
    for (size_t at = 0; at < got.size(); ++at) {
      if (got[at] == sent[at]) continue;
      EXPECT_EQ(__builtin_popcount(static_cast<unsigned char>(got[at] ^ sent[at])), 1);
      ++flipped;
    }
  }
  EXPECT_EQ(flipped, proxy_.flips());
  EXPECT_GT(flipped, 60);
  EXPECT_LT(flipped, 140);
}

TEST_F(AsioTcpProxyTest, ResetsAfterTheBytesAskedFor) {
  proxy_.Set({.cut_after = 5000});
  Connect();
  asio::write(client_, asio::buffer(std::string(5000, 'x')));
  char byte;
  boost::system::error_code error;
  EXPECT_EQ(client_.read_some(asio::buffer(&byte, 1), error), 0);
  EXPECT_EQ(error, asio::error::connection_reset);
  EXPECT_EQ(proxy_.cuts(), 1);
}

TEST_F(AsioTcpProxyTest, EndOfOneSideReachesTheOtherAfterItsLastByte) {
  Connect();
  asio::write(client_, asio::buffer(std::string("bye")));
  client_.shutdown(tcp::socket::shutdown_send);
  std::string got(3, '\0');
  asio::read(server_, asio::buffer(got));
  EXPECT_EQ(got, "bye");
  char byte;
  boost::system::error_code error;
  server_.read_some(asio::buffer(&byte, 1), error);
  EXPECT_EQ(error, asio::error::eof);
}

TEST_F(AsioTcpProxyTest, ClosesWhatItCannotPassOn) {
  acceptor_.close();
  client_.connect(tcp::endpoint(asio::ip::address_v4::loopback(),
                                static_cast<uint16_t>(proxy_.port())));
  char byte;
  boost::system::error_code error;
  client_.read_some(asio::buffer(&byte, 1), error);
  EXPECT_TRUE(error) << "the connection stays open though nobody is behind it";
}

}  // namespace
}  // namespace starling
