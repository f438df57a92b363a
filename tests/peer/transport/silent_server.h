// A machine that does not answer: a port of the loopback that is bound; once it listens, connections are taken and
// never answered.

#ifndef STARLING_TESTS_PEER_TRANSPORT_SILENT_SERVER_H_
#define STARLING_TESTS_PEER_TRANSPORT_SILENT_SERVER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace starling {

class SilentServer {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size), 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(name.sin_port));
  }
  ~SilentServer() { ::close(fd_); }

  void Listen() { EXPECT_EQ(::listen(fd_, 8), 0); }
  const std::string& address() const { return address_; }

 private:
  int fd_;
  std::string address_;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_TRANSPORT_SILENT_SERVER_H_
