#include "peer/runtime/host_port.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

constexpr size_t kMaxAddressLength = 256;

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(absl::string_view address) {
  // Made only when it is needed: members' addresses are read thousands of times a second.
  const auto bad = [address] {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", OneLine(address, kMaxAddressLength),
                     "\" is not host:port, such as 127.0.0.1:7001 or [::1]:7001"));
  };
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return bad();
  absl::string_view host = address.substr(0, colon);
  const absl::string_view port = address.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != absl::string_view::npos) {
    return bad();
  }
  uint32_t number = 0;
  if (host.empty() || port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(port, &number) || number > 65535) {
    return bad();
  }
  return HostPort{std::string(host), std::string(port)};
}

absl::Status ValidateDialable(absl::string_view address) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (!parsed.ok()) return parsed.status();
  const bool printable = std::all_of(address.begin(), address.end(),
                                     [](unsigned char c) { return c > 0x20 && c != 0x7f; });
  const bool port_zero = parsed->port.find_first_not_of('0') == std::string::npos;
  if (address.size() > kMaxAddressLength || !printable || port_zero) {
    return absl::InvalidArgumentError(
        absl::StrCat("address \"", OneLine(address, kMaxAddressLength),
                     "\" cannot be dialled; it must be host:port with a port of 1 to 65535"));
  }
  return absl::OkStatus();
}

}  // namespace starling
