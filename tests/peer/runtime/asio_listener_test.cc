#include "peer/runtime/asio_listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "spdlog/spdlog.h"

namespace starling {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

int PortOf(const std::string& address) {
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  return port;
}

class Client {
 public:
  explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(port);
    connected_ = fd_ >= 0 && ::connect(fd_, reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0;
  }
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  ~Client() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool connected() const { return connected_; }

  // True if the other side closes the connection, false if it sends something or time runs out.
  bool IsTurnedAway() {
    pollfd wait = {fd_, POLLIN, 0};
    if (::poll(&wait, 1, absl::ToInt64Milliseconds(kPatience)) != 1) return false;
    char byte;
    return ::read(fd_, &byte, 1) <= 0;
  }
  // True if the other side sends the greeting.
  bool IsGreeted() {
    pollfd wait = {fd_, POLLIN, 0};
    if (::poll(&wait, 1, absl::ToInt64Milliseconds(kPatience)) != 1) return false;
    char byte;
    return ::read(fd_, &byte, 1) == 1;
  }

 private:
  int fd_;
  bool connected_;
};

// Greets every connection and keeps it.
class Greeter {
 public:
  void operator()(int fd) {
    EXPECT_EQ(::write(fd, "!", 1), 1);
    EXPECT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
    absl::MutexLock lock(&mutex_);
    open_.push_back(fd);
  }
  void CloseAll() {
    absl::MutexLock lock(&mutex_);
    for (int fd : open_) ::close(fd);
    open_.clear();
  }
  ~Greeter() { CloseAll(); }

 private:
  absl::Mutex mutex_;
  std::vector<int> open_;
};

absl::StatusOr<std::unique_ptr<AsioListener>> ListenWith(const std::string& address, int limit,
                                                         Greeter& greeter) {
  return AsioListener::Listen(address, limit, [&greeter](int fd) { greeter(fd); });
}

TEST(AsioListenerTest, ClientsAreAccepted) {
  Greeter greeter;
  auto listener = ListenWith("127.0.0.1:0", 100, greeter);
  ASSERT_TRUE(listener.ok()) << listener.status();
  const int port = PortOf((*listener)->address());
  EXPECT_EQ((*listener)->address(), absl::StrCat("127.0.0.1:", port));
  Client one(port), two(port);
  EXPECT_TRUE(one.IsGreeted());
  EXPECT_TRUE(two.IsGreeted());
  EXPECT_EQ((*listener)->shed(), 0);
}

TEST(AsioListenerTest, NamesAndIPv6AddressesWork) {
  Greeter greeter;
  auto named = ListenWith("localhost:0", 100, greeter);
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ((*named)->address().rfind("localhost:", 0), 0);
  EXPECT_TRUE(Client(PortOf((*named)->address())).IsGreeted());

  const int probe = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 loopback = {};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const bool have_v6 =
      probe >= 0 && ::bind(probe, reinterpret_cast<sockaddr*>(&loopback), sizeof(loopback)) == 0;
  ::close(probe);
  if (!have_v6) GTEST_SKIP() << "this machine has no IPv6 loopback";
  auto v6 = ListenWith("[::1]:0", 100, greeter);
  ASSERT_TRUE(v6.ok()) << v6.status();
  EXPECT_EQ((*v6)->address().rfind("[::1]:", 0), 0);
}

TEST(AsioListenerTest, AddressesThatMakeNoSenseAreInvalidArguments) {
  Greeter greeter;
  for (const char* address : {"", "7001", "localhost", "127.0.0.1:", "127.0.0.1:70000", "::1:7001",
                              "127.0.0.1:http", "no.such.host.invalid:0", "192.0.2.1:0"}) {
    const auto listener = ListenWith(address, 100, greeter);
    EXPECT_EQ(listener.status().code(), absl::StatusCode::kInvalidArgument)
        << address << ": " << listener.status();
  }
}

TEST(AsioListenerTest, ATakenPortIsUnavailable) {
  Greeter greeter;
  auto first = ListenWith("127.0.0.1:0", 100, greeter);
  ASSERT_TRUE(first.ok());
  const auto second = ListenWith((*first)->address(), 100, greeter);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find((*first)->address()), absl::string_view::npos)
      << second.status();
}

TEST(AsioListenerTest, APortIsFreeAgainAfterItsListenerIsGone) {
  Greeter greeter;
  auto first = ListenWith("127.0.0.1:0", 100, greeter);
  ASSERT_TRUE(first.ok());
  const std::string address = (*first)->address();
  EXPECT_TRUE(Client(PortOf(address)).IsGreeted());
  first->reset();
  EXPECT_TRUE(ListenWith(address, 100, greeter).ok());
}

TEST(AsioListenerTest, AboveTheLimitClientsAreTurnedAwayUntilOthersLeave) {
  Greeter greeter;
  auto listener = ListenWith("127.0.0.1:0", 3, greeter);
  ASSERT_TRUE(listener.ok());
  const int port = PortOf((*listener)->address());
  for (int round = 0; round < 3; ++round) {
    std::vector<Client> clients;
    for (int i = 0; i < 3; ++i) {
      clients.emplace_back(port);
      ASSERT_TRUE(clients.back().IsGreeted());
    }
    EXPECT_TRUE(Client(port).IsTurnedAway());
    EXPECT_TRUE(Client(port).IsTurnedAway());
    EXPECT_EQ((*listener)->shed(), 2 * (round + 1));
    greeter.CloseAll();
  }
}

// In a process of its own, because it takes away all file descriptors.
void FloodUntilDescriptorsRunOut() {
  // UBSan needs descriptors when it sees a type for the first time: let it see the logger's now.
  spdlog::warn("{} of {} begins", "a flood", 40);
  Greeter greeter;
  auto listener = ListenWith("127.0.0.1:0", 1000, greeter);
  if (!listener.ok()) std::_Exit(2);
  const int port = PortOf((*listener)->address());
  std::vector<Client> early;
  for (int i = 0; i < 5; ++i) early.emplace_back(port);
  for (Client& client : early) {
    if (!client.IsGreeted()) std::_Exit(3);
  }
  // Sockets made before the limit falls; they connect when no descriptor is left for the other end.
  std::vector<int> sockets;
  for (int i = 0; i < 40; ++i) sockets.push_back(::socket(AF_INET, SOCK_STREAM, 0));
  const int highest = ::dup(0);
  ::close(highest);
  const struct rlimit tight = {static_cast<rlim_t>(highest), static_cast<rlim_t>(highest)};
  if (::setrlimit(RLIMIT_NOFILE, &tight) != 0) std::_Exit(4);

  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name.sin_port = htons(port);
  for (int fd : sockets) {
    if (::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)) != 0) std::_Exit(5);
    pollfd wait = {fd, POLLIN, 0};
    char byte;
    if (::poll(&wait, 1, absl::ToInt64Milliseconds(kPatience)) != 1) std::_Exit(6);
    if (::read(fd, &byte, 1) > 0) std::_Exit(7);
  }
  if ((*listener)->shed() != sockets.size()) std::_Exit(8);

  // With descriptors to spare again, clients are served again.
  for (int fd : sockets) ::close(fd);
  if (!Client(port).IsGreeted()) std::_Exit(9);
  std::_Exit(0);
}

TEST(AsioListenerDeathTest, AFloodThatTakesAllDescriptorsIsShedAndThenClientsAreServedAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(FloodUntilDescriptorsRunOut(), testing::ExitedWithCode(0), "");
}

TEST(AsioListenerTest, TheFileLimitIsRaisedToWhatIsAllowedAndSensible) {
  const int limit = RaiseFileLimit();
  struct rlimit now;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(limit, static_cast<int>(now.rlim_cur));
  EXPECT_GE(now.rlim_cur, std::min<rlim_t>(now.rlim_max, 65536));
}

}  // namespace
}  // namespace starling
