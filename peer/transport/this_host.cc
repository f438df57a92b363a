#include "peer/transport/this_host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace starling {
namespace {

bool IsOwn(int family, const void* address, size_t size) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return false;
  bool own = false;
  for (const ifaddrs* each = all; each != nullptr && !own; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != family) continue;
    const void* const theirs =
        family == AF_INET
            ? static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(each->ifa_addr)->sin_addr)
            : &reinterpret_cast<sockaddr_in6*>(each->ifa_addr)->sin6_addr;
    own = std::memcmp(theirs, address, size) == 0;
  }
  freeifaddrs(all);
  return own;
}

}  // namespace

bool IsThisHost(const std::string& grpc_peer) {
  std::string text = absl::StrReplaceAll(grpc_peer, {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}});
  absl::string_view host = text;
  const bool v4 = absl::ConsumePrefix(&host, "ipv4:");
  if (!v4 && !absl::ConsumePrefix(&host, "ipv6:")) return false;
  const size_t colon = host.rfind(':');
  if (colon == absl::string_view::npos) return false;
  host = host.substr(0, colon);
  if (!v4) {
    absl::ConsumePrefix(&host, "[");
    absl::ConsumeSuffix(&host, "]");
    host = host.substr(0, host.find('%'));
  }
  const std::string plain(host);
  if (v4) {
    in_addr address;
    if (inet_pton(AF_INET, plain.c_str(), &address) != 1) return false;
    return ntohl(address.s_addr) >> 24 == 127 || IsOwn(AF_INET, &address, sizeof(address));
  }
  in6_addr address;
  if (inet_pton(AF_INET6, plain.c_str(), &address) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    return address.s6_addr[12] == 127 || IsOwn(AF_INET, &address.s6_addr[12], sizeof(in_addr));
  }
  return IN6_IS_ADDR_LOOPBACK(&address) || IsOwn(AF_INET6, &address, sizeof(address));
}

bool IsThisHostAddress(const std::string& address) {
  return absl::StartsWith(address, "localhost:") || IsThisHost("ipv4:" + address) ||
         IsThisHost("ipv6:" + address);
}

}  // namespace starling
