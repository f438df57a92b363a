// Which addresses are this machine's own.

#ifndef STARLING_PEER_TRANSPORT_THIS_HOST_H_
#define STARLING_PEER_TRANSPORT_THIS_HOST_H_

#include <string>

namespace starling {

// Whether the other end of a connection, as gRPC names it ("ipv4:127.0.0.1:7700", "ipv6:%5B::1%5D:7700"),
// has an address of this machine's network: loopback, or an interface of ours. False for names that are
// not understood. Looks at the interfaces each time. Thread-safe.
bool IsThisHost(const std::string& grpc_peer);
// The same for an address to dial, "10.0.0.7:7700". False for names, but for "localhost".
bool IsThisHostAddress(const std::string& address);

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_THIS_HOST_H_
