#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/runtime/check.h"
#include "tests/bench/raw_streams.h"

namespace starling {
namespace {

constexpr size_t kChunk = size_t{1} << 20;

bool ReadAll(int fd, char* to, size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = recv(fd, to, std::min(bytes, kChunk), 0);
    if (got <= 0) return false;
    to += got;
    bytes -= static_cast<size_t>(got);
  }
  return true;
}

bool WriteAll(int fd, const char* from, size_t bytes) {
  while (bytes > 0) {
    const ssize_t sent = send(fd, from, std::min(bytes, kChunk), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    from += sent;
    bytes -= static_cast<size_t>(sent);
  }
  return true;
}

class TcpSink final : public StreamSink {
 public:
  explicit TcpSink(size_t bytes) : buffer_(bytes), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    STARLING_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&any), sizeof(any)) == 0);
    STARLING_CHECK(listen(listener_, 1) == 0);
    thread_ = std::thread([this] { Serve(); });
  }
  ~TcpSink() override {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string address() const override {
    sockaddr_in bound{};
    socklen_t size = sizeof(bound);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size);
    return absl::StrCat("127.0.0.1:", ntohs(bound.sin_port));
  }

 private:
  void Serve() {
    const int fd = accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    while (ReadAll(fd, buffer_.data(), buffer_.size()) && WriteAll(fd, "!", 1)) {
    }
    close(fd);
  }

  std::vector<char> buffer_;
  const int listener_;
  std::thread thread_;
};

class TcpSource final : public StreamSource {
 public:
  TcpSource(const std::string& address, size_t bytes)
      : buffer_(bytes, 'x'), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    there.sin_port = htons(
        static_cast<uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
    STARLING_CHECK(connect(fd_, reinterpret_cast<sockaddr*>(&there), sizeof(there)) == 0);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  ~TcpSource() override { close(fd_); }

  absl::StatusOr<absl::Duration> Send() override {
    const absl::Time begin = absl::Now();
    char answer;
    if (!WriteAll(fd_, buffer_.data(), buffer_.size()) || !ReadAll(fd_, &answer, 1)) {
      return absl::UnavailableError("the TCP stream broke");
    }
    return absl::Now() - begin;
  }

 private:
  const std::vector<char> buffer_;
  const int fd_;
};

}  // namespace

std::unique_ptr<StreamSink> StartTcpSink(size_t bytes) { return std::make_unique<TcpSink>(bytes); }

std::unique_ptr<StreamSource> ConnectTcp(const std::string& address, size_t bytes) {
  return std::make_unique<TcpSource>(address, bytes);
}

}  // namespace starling
