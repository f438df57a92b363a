#include "peer/runtime/asio_listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/steady_timer.hpp"
#include "peer/runtime/host_port.h"
#include "spdlog/spdlog.h"

namespace starling {
namespace {

using boost::asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr rlim_t kEnoughFiles = 65536;
constexpr auto kLogInterval = std::chrono::minutes(1);
// Pause after an error that trying again at once would only repeat.
constexpr auto kErrorPause = std::chrono::milliseconds(50);

int OpenSpare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

// The connections that were accepted and are still open, by descriptor and the inode of the socket
// behind it: a descriptor that was closed and given out again names another inode.
class OpenConnections {
 public:
  void Add(int fd) {
    struct stat status;
    if (::fstat(fd, &status) == 0) sockets_.push_back({fd, status.st_ino});
  }

  // Looks for closed ones only when it matters.
  bool AtLeast(size_t limit) {
    if (sockets_.size() < limit) return false;
    sockets_.erase(std::remove_if(sockets_.begin(), sockets_.end(),
                                  [](const Socket& socket) { return !IsOpen(socket); }),
                   sockets_.end());
    return sockets_.size() >= limit;
  }

 private:
  struct Socket {
    int fd;
    ino_t inode;
  };

  static bool IsOpen(const Socket& socket) {
    struct stat status;
    return ::fstat(socket.fd, &status) == 0 && S_ISSOCK(status.st_mode) &&
           status.st_ino == socket.inode;
  }

  std::vector<Socket> sockets_;
};

absl::Status BindError(absl::string_view address, const std::string& port, int error) {
  switch (error) {
    case EADDRINUSE:
      return absl::UnavailableError(absl::StrCat(
          address, " is already in use; `ss -ltnp 'sport = :", port,
          "'` shows by which program; choose another port, or 0 for any free one"));
    case EACCES:
    case EPERM:
      return absl::UnavailableError(absl::StrCat(
          "may not listen on ", address, ": ", std::strerror(error), "; choose a port above 1023"));
    case EADDRNOTAVAIL:
      return absl::InvalidArgumentError(
          absl::StrCat("cannot listen on ", address, ": this machine does not have that address; "
                       "use one of its own, 127.0.0.1 or 0.0.0.0"));
    default:
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", address, ": ", std::strerror(error)));
  }
}

}  // namespace

int RaiseFileLimit() {
  struct rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t wanted = std::min(limit.rlim_max, kEnoughFiles);
  if (limit.rlim_cur < wanted) {
    const struct rlimit raised = {wanted, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, INT32_MAX));
}

class AsioListener::Impl {
 public:
  Impl(int max_connections, std::function<void(int)> accepted)
      : max_connections_(max_connections),
        accepted_(std::move(accepted)),
        acceptor_(context_),
        pause_(context_) {}

  ~Impl() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
    if (spare_ >= 0) ::close(spare_);
  }

  absl::Status Start(absl::string_view address) {
    absl::StatusOr<HostPort> where = ParseHostPort(address);
    if (!where.ok()) return where.status();
    boost::system::error_code error;
    tcp::resolver resolver(context_);
    const auto found = resolver.resolve(where->host, where->port, tcp::resolver::passive, error);
    if (error) {
      return absl::InvalidArgumentError(absl::StrCat("cannot listen on ", address, ": host \"",
                                                     where->host, "\": ", error.message()));
    }
    std::vector<tcp::endpoint> endpoints;
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    std::stable_partition(endpoints.begin(), endpoints.end(),
                          [](const tcp::endpoint& endpoint) { return endpoint.address().is_v4(); });
    absl::Status status;
    for (const tcp::endpoint& endpoint : endpoints) {
      Bind(endpoint, error);
      if (!error) break;
      status.Update(BindError(address, where->port, error.value()));
    }
    if (error) return status;

    const bool v6 = where->host.find(':') != std::string::npos;
    address_ = absl::StrCat(v6 ? "[" : "", where->host, v6 ? "]" : "", ":",
                            acceptor_.local_endpoint().port());
    spare_ = OpenSpare();
    WaitForClient();
    thread_ = std::thread([this] { context_.run(); });
    pthread_setname_np(thread_.native_handle(), "listener");
    return absl::OkStatus();
  }

  const std::string& address() const { return address_; }
  uint64_t shed() const { return shed_.load(std::memory_order_relaxed); }

 private:
  void Bind(const tcp::endpoint& endpoint, boost::system::error_code& error) {
    acceptor_.close(error);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
    if (!error) acceptor_.non_blocking(true, error);
    if (!error) ::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
  }

  void WaitForClient() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](const boost::system::error_code& error) {
      if (error || !AcceptAll()) {
        pause_.expires_after(kErrorPause);
        pause_.async_wait([this](const boost::system::error_code&) { WaitForClient(); });
      } else {
        WaitForClient();
      }
    });
  }

  // Accepts until nobody waits. False if there was an error.
  bool AcceptAll() {
    if (spare_ < 0) spare_ = OpenSpare();
    for (;;) {
      int fd = Accept();
      if (fd < 0 && (errno == EMFILE || errno == ENFILE)) fd = AcceptWithSpare();
      if (fd >= 0) {
        Serve(fd);
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
      if (errno == ECONNABORTED || errno == EINTR) continue;  // that client has gone
      Log("accept failed", std::strerror(errno));
      return false;
    }
  }

  void Serve(int fd) {
    if (open_.AtLeast(max_connections_)) {
      CountShed("too many open connections");
      ::close(fd);
      return;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    open_.Add(fd);
    accepted_(fd);
  }

  int Accept() {
    return ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  }

  // Accepts when no descriptor is left, with the one kept for this, and closes the client again. As
  // accept(), which without a descriptor does not even tell whether somebody waits; ECONNABORTED
  // stands for a client that was closed. Should there be a descriptor after all by now, the client
  // is kept.
  int AcceptWithSpare() {
    if (spare_ >= 0) ::close(spare_);
    int fd = Accept();
    int error = errno;
    spare_ = OpenSpare();
    if (fd >= 0 && spare_ < 0) {
      CountShed("no file descriptors left");
      ::close(fd);
      fd = -1;
      error = ECONNABORTED;
      spare_ = OpenSpare();
    }
    errno = error;
    return fd;
  }

  void CountShed(const char* reason) {
    shed_.fetch_add(1, std::memory_order_relaxed);
    Log("turning clients away", reason);
  }

  void Log(const char* what, const char* reason) {
    const Clock::time_point now = Clock::now();
    if (now < quiet_until_) return;
    quiet_until_ = now + kLogInterval;
    spdlog::warn("{}: {}: {} ({} turned away so far; limit {} connections)", address_, what, reason,
                 shed(), max_connections_);
  }

  const size_t max_connections_;
  const std::function<void(int)> accepted_;
  std::string address_;
  std::atomic<uint64_t> shed_{0};

  // The listener's thread only, once it runs.
  boost::asio::io_context context_;
  tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  OpenConnections open_;
  int spare_ = -1;
  Clock::time_point quiet_until_ = Clock::time_point::min();

  std::thread thread_;
};

AsioListener::AsioListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AsioListener::~AsioListener() = default;

absl::StatusOr<std::unique_ptr<AsioListener>> AsioListener::Listen(
    absl::string_view address, int max_connections, std::function<void(int)> accepted) {
  auto impl = std::make_unique<Impl>(max_connections, std::move(accepted));
  if (absl::Status status = impl->Start(address); !status.ok()) return status;
  return std::unique_ptr<AsioListener>(new AsioListener(std::move(impl)));
}

const std::string& AsioListener::address() const { return impl_->address(); }
uint64_t AsioListener::shed() const { return impl_->shed(); }

}  // namespace starling
