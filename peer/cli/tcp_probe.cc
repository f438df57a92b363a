#include "peer/cli/tcp_probe.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace starling {
namespace {

std::string Text(const addrinfo& info) {
  char host[NI_MAXHOST] = "";
  getnameinfo(info.ai_addr, info.ai_addrlen, host, sizeof(host), nullptr, 0, NI_NUMERICHOST);
  return host;
}

// 0, or what the system says against it.
int Connect(const addrinfo& info, absl::Duration timeout) {
  const int fd = ::socket(info.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  int error = ::connect(fd, info.ai_addr, info.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd writable{fd, POLLOUT, 0};
    const int ready = ::poll(&writable, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout)));
    socklen_t size = sizeof(error);
    if (ready == 0) {
      error = ETIMEDOUT;
    } else if (ready < 0 || ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
      error = errno;
    }
  }
  ::close(fd);
  return error;
}

TcpProbe::Outcome OutcomeOf(int error) {
  switch (error) {
    case 0:
      return TcpProbe::Outcome::kOpen;
    case ECONNREFUSED:
      return TcpProbe::Outcome::kRefused;
    case ETIMEDOUT:
      return TcpProbe::Outcome::kSilent;
    default:
      return TcpProbe::Outcome::kUnreachable;
  }
}

}  // namespace

TcpProbe ProbeTcp(const std::string& host, const std::string& port, absl::Duration timeout) {
  TcpProbe probe;
  addrinfo wanted = {};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &wanted, &found); error != 0) {
    probe.detail = gai_strerror(error);
    return probe;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, freeaddrinfo);
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    probe.addresses.push_back(Text(*info));
    const int error = Connect(*info, timeout);
    probe.outcome = OutcomeOf(error);
    probe.detail = error == 0 ? "" : std::strerror(error);
    if (error == 0) break;
  }
  return probe;
}

bool IsLoopback(absl::string_view host) {
  return absl::StartsWith(host, "127.") || host == "::1" || host == "[::1]" || host == "localhost";
}

bool IsUnspecified(absl::string_view host) {
  return host == "0.0.0.0" || host == "::" || host == "[::]";
}

}  // namespace starling
